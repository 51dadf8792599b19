"""Why units were oversold, as far as the book and the run's happenings can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, select

from syncd.db.tables import account, line_component, order_line, sales_order, sku
from syncd.simulation.happenings import Happenings, Unpaid


class Cause(StrEnum):
    """In the order they are asked: the first that fits is told."""

    DOWN = "a channel was down"
    TYPED = "a number typed by hand"
    UNPAID = "an unpaid purchase"
    ELSEWHERE = "sold elsewhere within the lag"
    SAME = "sold here again within the lag"
    OTHER = "not explained"


@dataclass(frozen=True, slots=True)
class Sale:
    """A line that took pieces: `seen_at` is when the book learnt of it, `oversold` what nothing covered then."""

    account: str
    order: str
    code: str | None
    skus: frozenset[str]
    placed_at: datetime
    seen_at: datetime
    oversold: int


_AFTERMATH = timedelta(seconds=300)
"""How long a channel that was down, or a number that was typed, may still mislead shoppers."""


def oversells_by_cause(sales: Sequence[Sale], happenings: Happenings, lag_s: float) -> dict[str, dict[Cause, int]]:
    """Oversold units by account and cause; `lag_s` is how long a sale may take to be shown everywhere."""
    told: dict[str, dict[Cause, int]] = {}
    by_sku: dict[str, list[Sale]] = {}
    for sale in sales:
        for sku_code in sale.skus:
            by_sku.setdefault(sku_code, []).append(sale)
    for sale in sales:
        if sale.oversold:
            alike = [other for sku_code in sorted(sale.skus) for other in by_sku[sku_code]]
            cause = cause_of(sale, alike, happenings, timedelta(seconds=lag_s))
            units = told.setdefault(sale.account, {})
            units[cause] = units.get(cause, 0) + sale.oversold
    return told


def cause_of(sale: Sale, sales: Iterable[Sale], happenings: Happenings, lag: timedelta) -> Cause:
    """What most likely misled the shopper. Pure; it tells what fits, which is no proof."""
    rivals = [
        other
        for other in sales
        if (other.account, other.order) != (sale.account, sale.order)
        and other.skus & sale.skus
        and other.placed_at <= sale.seen_at
        and max(other.seen_at, other.placed_at + lag) >= sale.placed_at
    ]
    if _was_down(sale.account, sale.placed_at, happenings) or any(
        other.account != sale.account and happenings.down(other.account, other.placed_at) for other in rivals
    ):
        return Cause.DOWN
    if any(
        edit.account == sale.account and edit.sku == sale.code and timedelta() <= sale.placed_at - edit.at <= _AFTERMATH
        for edit in happenings.hand_edits
    ):
        return Cause.TYPED
    if any(_was_unpaid(purchase, sale) for purchase in happenings.unpaid):
        return Cause.UNPAID
    if any(other.account != sale.account for other in rivals):
        return Cause.ELSEWHERE
    return Cause.SAME if rivals else Cause.OTHER


def _was_unpaid(purchase: Unpaid, sale: Sale) -> bool:
    """Whether the sale itself was not paid at once, or goods of its kind were bought and unpaid when it was made."""
    if (purchase.account, purchase.name) == (sale.account, sale.order):
        return True
    until_at = purchase.settled_at
    return (
        bool(purchase.skus & sale.skus)
        and purchase.at <= sale.placed_at
        and (not until_at or until_at > sale.placed_at)
    )


def _was_down(key: str, at: datetime, happenings: Happenings) -> bool:
    return any(each.account == key and each.from_at <= at < each.to_at + _AFTERMATH for each in happenings.outages)


def oversold_skus(connection: Connection) -> list[int]:
    """The ids of the SKUs of which something was oversold."""
    found = connection.execute(
        select(line_component.c.sku_id)
        .join(order_line, order_line.c.id == line_component.c.order_line_id)
        .where(order_line.c.oversold > 0)
        .distinct()
        .order_by(line_component.c.sku_id)
    )
    return list(found.scalars())


def read_sales(connection: Connection, skus: Sequence[int] | None = None) -> list[Sale]:
    """Every line of the book that took pieces of these SKUs; None: of any that was oversold, no other tells why."""
    wanted = oversold_skus(connection) if skus is None else skus
    found = connection.execute(
        select(
            order_line.c.id,
            account.c.key,
            sales_order.c.name,
            order_line.c.code,
            order_line.c.placed_at,
            sales_order.c.first_applied_at,
            order_line.c.oversold,
            sku.c.code.label("piece"),
        )
        .join(sales_order, sales_order.c.id == order_line.c.order_id)
        .join(account, account.c.id == sales_order.c.account_id)
        .join(line_component, line_component.c.order_line_id == order_line.c.id)
        .join(sku, sku.c.id == line_component.c.sku_id)
        .where(line_component.c.sku_id.in_(wanted))
        .order_by(order_line.c.id)
    ).all()
    pieces: dict[int, set[str]] = {}
    for row in found:
        pieces.setdefault(row.id, set()).add(row.piece)
    by_line: Mapping[int, Sale] = {
        row.id: Sale(
            row.key,
            row.name,
            row.code,
            frozenset(pieces[row.id]),
            row.placed_at,
            row.first_applied_at,
            row.oversold,
        )
        for row in found
    }
    return list(by_line.values())

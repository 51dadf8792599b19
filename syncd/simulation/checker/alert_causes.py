"""What alerts tell of, as the book itself has it: when each cause began and ended, and what there is just now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, or_, select

from syncd.db.tables import (
    account,
    inbox,
    movement,
    order_line,
    reservation,
    sales_order,
    shipment_request,
    shortage,
    warehouse,
    warehouse_item,
)

TrueTime = Callable[[datetime], datetime]
"""What the time was when the daemon's clock said something."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What one alert tells of; `to_at` None: it lasts.

    `certain`: it must be told. `dated`: the alert opens and closes in the transactions that begin and end the cause.
    """

    key: str
    from_at: datetime
    to_at: datetime | None
    certain: bool = True
    dated: bool = True


def read_causes(connection: Connection, true_time: TrueTime) -> dict[str, tuple[Cause, ...]]:
    """By kind, every cause there ever was; those of one key that touch one another are one."""
    found = {
        "oversold": _shortages(connection, "oversold", "oversold:{0.account_id}:{0.channel_order_id}"),
        "unmapped": _shortages(
            connection, "unmapped", "unmapped:{0.account_id}:{0.channel_order_id}:{0.channel_line_id}"
        ),
        "parked_event": _parked_events(connection),
        "short": _shorts(connection, true_time),
    }
    return {kind: tuple(_joined(_in_true_time(causes, true_time))) for kind, causes in found.items()}


def read_present(connection: Connection) -> dict[str, frozenset[str]]:
    """By kind, the keys of those whose cause the book has just now, where it does not keep since when."""
    return {
        "shipment_refused": frozenset(
            f"shipment_refused:{row.warehouse_id}:{row.order_id}" for row in connection.execute(_refused())
        ),
        "order_in_review": frozenset(
            f"in_review:{row.account_id}:{row.channel_order_id}" for row in connection.execute(_in_review())
        ),
        "parked_line": frozenset(
            f"parked_line:{row.account_id}:{row.channel_order_id}:{row.channel_line_id}"
            for row in connection.execute(_parked_lines())
        ),
    }


def read_grounds(connection: Connection) -> dict[str, frozenset[str]]:
    """By kind, the keys of alerts that the book has a ground for, over or not."""
    late: set[str] = set()
    exceptions: set[str] = set()
    for row in connection.execute(select(shipment_request)):
        if row.cancel_wanted_at is not None or row.state in ("cancelled", "refused"):
            late.add(f"shipment_too_late:{row.warehouse_id}:{row.order_id}")
        if row.settled_at is None:
            exceptions.add(f"shipment_exception:{row.warehouse_id}:{row.order_id}")
    older = {
        f"orders_not_sent:{row.warehouse_id}:{row.account_id}" for row in connection.execute(_from_before_going_live())
    }
    unnamed = select(warehouse_item.c.warehouse_id).where(warehouse_item.c.unnamed_since_at.is_not(None))
    return {
        "shipment_too_late": frozenset(late),
        "shipment_exception": frozenset(exceptions),
        "orders_not_sent": frozenset(older),
        "unnamed_levels": frozenset(f"unnamed_levels:{row.warehouse_id}" for row in connection.execute(unnamed)),
    }


# --- causes with their begin and end --------------------------------------------------------------------------------


def _shortages(connection: Connection, reason: str, key: str) -> Iterator[Cause]:
    """Of an order's lines; `key` is a format of the alert's."""
    found = connection.execute(
        select(
            sales_order.c.account_id,
            sales_order.c.channel_order_id,
            order_line.c.channel_line_id,
            shortage.c.opened_at,
            shortage.c.closed_at,
        )
        .join(order_line, order_line.c.order_id == sales_order.c.id)
        .join(shortage, shortage.c.order_line_id == order_line.c.id)
        .where(shortage.c.reason == reason, or_(shortage.c.quantity > 0, shortage.c.closed_at.is_not(None)))
    )
    return (Cause(key.format(row), row.opened_at, row.closed_at) for row in found)


def _parked_events(connection: Connection) -> Iterator[Cause]:
    """They stay for a person to look at."""
    found = connection.execute(select(inbox.c.id, inbox.c.settled_at).where(inbox.c.state == "parked"))
    return (Cause(f"parked_event:{row.id}", row.settled_at, None) for row in found)


_NOTHING: Final = (0, 0, 0)


def _shorts(connection: Connection, true_time: TrueTime) -> Iterator[Cause]:
    """From below nothing free until nothing is missing any more, as the movements of each level have it.

    At a warehouse with a book of its own, pieces whose cancellation has no answer yet are told of by nobody.
    """
    own = {row.id for row in connection.execute(select(warehouse.c.id).where(warehouse.c.kind == "own"))}
    levels: dict[tuple[int, int], list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(select(movement).order_by(movement.c.seq)):
        levels[(row.warehouse_id, row.sku_id)].append(row)
    for (warehouse_id, sku_id), moved in sorted(levels.items()):
        short = Cause(f"short:{warehouse_id}:{sku_id}", moved[0].at, None, certain=warehouse_id in own, dated=False)
        since: datetime | None = None
        for at, missing in _missing(moved, true_time):
            if missing and since is None:
                since = at
            elif not missing and since is not None:
                yield replace(short, from_at=since, to_at=at)
                since = None
        if since is not None:
            yield replace(short, from_at=since)


def _missing(moved: Iterable[Row[Any]], true_time: TrueTime) -> Iterator[tuple[datetime, bool]]:
    """Whether reserved pieces are missing after each instant at which a level moved."""
    on_hand, unavailable, reserved = _NOTHING
    before: datetime | None = None
    for row in moved:
        at = true_time(row.at) if before is None else max(before, true_time(row.at))  # what left, may have long ago
        if before is not None and at > before:
            yield before, reserved > on_hand - unavailable
        on_hand, unavailable = on_hand + row.d_on_hand, unavailable + row.d_unavailable
        reserved, before = reserved + row.d_reserved, at
    if before is not None:
        yield before, reserved > on_hand - unavailable


def _in_true_time(causes: Iterable[Cause], true_time: TrueTime) -> Iterator[Cause]:
    for each in causes:
        from_at = true_time(each.from_at)
        to_at = None if each.to_at is None else max(from_at, true_time(each.to_at))
        yield replace(each, from_at=from_at, to_at=to_at)


def _joined(causes: Iterable[Cause]) -> Iterator[Cause]:
    by_key: Mapping[str, list[Cause]] = defaultdict(list)
    for each in causes:
        by_key[each.key].append(each)
    for key in sorted(by_key):
        whole: Cause | None = None
        for each in sorted(by_key[key], key=lambda cause: cause.from_at):
            if whole is None:
                whole = each
            elif whole.to_at is None or each.from_at <= whole.to_at:
                ends = None if whole.to_at is None or each.to_at is None else max(whole.to_at, each.to_at)
                whole = replace(whole, to_at=ends)
            else:
                yield whole
                whole = each
        if whole is not None:
            yield whole


# --- what there is just now -----------------------------------------------------------------------------------------


def _refused() -> Select[Any]:
    """Orders that still hold what a warehouse has refused to send."""
    held = (
        select(1)
        .select_from(reservation)
        .join(order_line, order_line.c.id == reservation.c.order_line_id)
        .where(
            order_line.c.order_id == shipment_request.c.order_id,
            reservation.c.warehouse_id == shipment_request.c.warehouse_id,
            reservation.c.stage == "held",
            reservation.c.quantity > 0,
        )
    )
    open_order = and_(sales_order.c.id == shipment_request.c.order_id, sales_order.c.state == "open")
    return (
        select(shipment_request.c.warehouse_id, shipment_request.c.order_id)
        .join(sales_order, open_order)
        .where(shipment_request.c.state == "refused", held.exists())
    )


def _in_review() -> Select[Any]:
    return select(sales_order.c.account_id, sales_order.c.channel_order_id).where(
        sales_order.c.review.is_not(None), sales_order.c.state == "open"
    )


def _parked_lines() -> Select[Any]:
    return (
        select(sales_order.c.account_id, sales_order.c.channel_order_id, order_line.c.channel_line_id)
        .join(order_line, order_line.c.order_id == sales_order.c.id)
        .where(order_line.c.parked.is_not(None))
    )


def _from_before_going_live() -> Select[Any]:
    """Accounts and warehouses that hold goods of orders placed, or heard of, before the account went live."""
    since = account.c.live_since_at
    return (
        select(reservation.c.warehouse_id, sales_order.c.account_id)
        .join(order_line, order_line.c.order_id == sales_order.c.id)
        .join(reservation, reservation.c.order_line_id == order_line.c.id)
        .join(account, account.c.id == sales_order.c.account_id)
        .where(or_(sales_order.c.placed_at < since, sales_order.c.first_applied_at < since))
        .distinct()
    )

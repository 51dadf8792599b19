"""Stock at risk: SKUs that orders wait for, that nearly ran out, or that a channel shows more of than may be sold.

Nothing here scans: what is wrong is found through partial indexes that hold only that, and every list ends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Executable, func, literal_column, select

from syncd.catalogue.codes import normalise
from syncd.db.statements import Given, statement
from syncd.db.tables import account, cell, dirty_listing, level, shortage, sku, sku_alias
from syncd.publishing.load import load_stock

LOOKED_AT = 1_000
"""So many SKUs of each grade are looked at; one more stands for any number above."""

OVERSHOWN_LOOKED_AT = 200
"""So many listings of an account that wait to be written are compared with what may be sold: the most urgent ones."""

_DUE_LOOKED_AT = 10 * OVERSHOWN_LOOKED_AT  # a sale at its height may make any number due that are fresh

PAGE = 12
_NONE: ColumnElement[int] = literal_column("0")  # a parameter hides a partial index from a prepared plan
_ONE: ColumnElement[int] = literal_column("1")
_SLOW_AFTER = timedelta(seconds=120)  # a number that a sale has just made too high is on its way: no risk to tell yet


class Grade(StrEnum):
    RED = "red"  # orders wait for goods, or something sold out is still on sale
    AMBER = "amber"  # no more is left than open orders hold, or a channel shows too much
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Overshown:
    """A listing that shows more than may be sold, for longer than a write usually takes."""

    listing_id: int
    account: str
    channel_sku: str
    shown: int
    sellable: int
    since_at: datetime


@dataclass(frozen=True, slots=True)
class SkuRisk:
    """A SKU in pieces over all warehouses: `waiting` of orders that found none, `short` reserved ones that are gone."""

    sku_id: int
    code: str
    title: str
    on_hand: int
    available: int
    reserved: int
    short: int
    waiting: int
    overshown: tuple[Overshown, ...] = ()

    @property
    def grade(self) -> Grade:
        if self.waiting or self.short or any(each.sellable <= 0 for each in self.overshown):
            return Grade.RED
        if self.overshown or (self.reserved and self.available <= self.reserved):
            return Grade.AMBER
        return Grade.GREEN

    @property
    def weight(self) -> tuple[int, int, int, str]:
        """What sorts the worst first."""
        return (
            -self.waiting - self.short,
            -sum(e.shown - e.sellable for e in self.overshown),
            self.available,
            self.code,
        )


@dataclass(frozen=True, slots=True)
class RiskCounts:
    """SKUs by grade, counted to LOOKED_AT; above that one more."""

    red: int
    amber: int


@dataclass(frozen=True, slots=True)
class RiskPage:
    """One page of SKUs; `more` tells that another follows. `after` is where the next page of a search begins."""

    rows: tuple[SkuRisk, ...]
    counts: RiskCounts
    number: int = 1
    more: bool = False
    after: str | None = None


@dataclass(frozen=True, slots=True)
class AtRisk:
    """All SKUs found to be at risk, worst first, each grade up to LOOKED_AT and a little more."""

    red: tuple[SkuRisk, ...] = field(default=())
    amber: tuple[SkuRisk, ...] = field(default=())
    cut: bool = False  # there are more than were looked at

    @property
    def counts(self) -> RiskCounts:
        more = LOOKED_AT + 1
        return RiskCounts(more if self.cut and len(self.red) >= LOOKED_AT else len(self.red), _amber(self, more))

    def page(self, grade: Grade | None, number: int) -> RiskPage:
        """The page of that number, from 1; without a grade the red ones and then the amber ones."""
        every = {Grade.RED: self.red, Grade.AMBER: self.amber, None: self.red + self.amber}.get(grade, ())
        number = max(1, min(number, -(-len(every) // PAGE) or 1))
        rows = every[(number - 1) * PAGE : number * PAGE]
        return RiskPage(rows, self.counts, number, len(every) > number * PAGE)


def _amber(found: AtRisk, more: int) -> int:
    return more if found.cut and len(found.amber) >= LOOKED_AT - len(found.red) else len(found.amber)


def read_at_risk(connection: Connection, now: datetime) -> AtRisk:
    """Every SKU at risk, as far as LOOKED_AT goes."""
    waiting = [row.sku_id for row in _waited_for(connection, limit=LOOKED_AT + 1)]
    short = [row.sku_id for row in _short(connection, limit=LOOKED_AT + 1)]
    low = [row.sku_id for row in _low(connection, limit=LOOKED_AT + 1)]
    overshown = _overshown(connection, now)
    candidates = {*waiting, *short, *low, *overshown}
    rows = sorted(read_skus(connection, candidates, overshown), key=lambda each: each.weight)
    return AtRisk(
        tuple(row for row in rows if row.grade is Grade.RED),
        tuple(row for row in rows if row.grade is Grade.AMBER),
        max(len(waiting), len(short), len(low)) > LOOKED_AT,
    )


def search(connection: Connection, prefix: str, after: str | None, at_risk: AtRisk) -> RiskPage:
    """SKUs with a code or another name that begins with this, of any grade, in order of that name."""
    begin = normalise(prefix)
    found = _named(connection, begin=max(begin, after or ""), end=_behind(begin), limit=PAGE + 1).all()
    page = [row for row in found[:PAGE] if row.normalised_code != after]
    overshown = {row.sku_id: row.overshown for row in (*at_risk.red, *at_risk.amber)}
    by_id = {row.sku_id: row for row in read_skus(connection, {row.sku_id for row in page}, overshown)}
    rows = tuple(by_id[sku_id] for sku_id in dict.fromkeys(row.sku_id for row in page))
    more = len(found) > PAGE
    return RiskPage(rows, at_risk.counts, 1, more, page[-1].normalised_code if more and page else None)


def _behind(prefix: str) -> str:
    """The least text behind everything that begins with `prefix`, byte by byte; surrogates are no text."""
    for at in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[at]) + 1
        if point <= 0x10FFFF:
            return prefix[:at] + chr(0xE000 if 0xD800 <= point <= 0xDFFF else point)
    return "\U0010ffff"


def read_skus(
    connection: Connection, sku_ids: Collection[int], overshown: Mapping[int, Sequence[Overshown]]
) -> Iterable[SkuRisk]:
    """These SKUs in pieces over all warehouses."""
    if not sku_ids:
        return []
    wanted = [(sku_id,) for sku_id in sorted(sku_ids)]
    waits = {row.sku_id: int(row.quantity) for row in _waiting_of(connection, wanted=wanted)}
    return [
        SkuRisk(
            sku_id=row.id,
            code=row.code,
            title=row.title,
            on_hand=int(row.on_hand or 0),
            available=int(row.available or 0),
            reserved=int(row.reserved or 0),
            short=int(row.short or 0),
            waiting=waits.get(row.id, 0),
            overshown=tuple(overshown.get(row.id, ())),
        )
        for row in _levels_of(connection, wanted=wanted)
    ]


@statement
def _waited_for(given: Given) -> Executable:
    return (
        select(shortage.c.sku_id)
        .where(shortage.c.closed_at.is_(None), shortage.c.sku_id.is_not(None))
        .group_by(shortage.c.sku_id)
        .order_by(shortage.c.sku_id)
        .limit(given.value("limit", int))
    )


@statement
def _short(given: Given) -> Executable:
    return select(level.c.sku_id).where(level.c.short > _NONE).order_by(level.c.sku_id).limit(given.value("limit", int))


@statement
def _low(given: Given) -> Executable:
    # At least one level of every SKU that is low over all warehouses is low itself.
    return select(level.c.sku_id).where(level.c.low == _ONE).order_by(level.c.sku_id).limit(given.value("limit", int))


@statement
def _named(given: Given) -> Executable:
    code = sku_alias.c.normalised_code
    return (
        select(code, sku_alias.c.sku_id)
        .where(code >= given.value("begin", str), code < given.value("end", str))
        .order_by(code)
        .limit(given.value("limit", int))
    )


@statement
def _levels_of(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    total = {name: func.sum(level.c[name]).label(name) for name in ("on_hand", "reserved", "short")}
    available = func.sum(level.c.on_hand - level.c.unavailable - level.c.reserved).label("available")
    return (
        select(sku.c.id, sku.c.code, sku.c.title, *total.values(), available)
        .select_from(wanted)
        .join(sku, sku.c.id == wanted.c.id)
        .outerjoin(level, level.c.sku_id == sku.c.id)
        .group_by(sku.c.id, sku.c.code, sku.c.title)
    )


@statement
def _waiting_of(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int)
    return (
        select(shortage.c.sku_id, func.sum(shortage.c.quantity).label("quantity"))
        .join(wanted, wanted.c.sku_id == shortage.c.sku_id)
        .where(shortage.c.closed_at.is_(None))
        .group_by(shortage.c.sku_id)
    )


def _overshown(connection: Connection, now: datetime) -> dict[int, list[Overshown]]:
    """Listings that show too much, by a SKU they are made of: the one that allows the fewest, as `sellable` has it."""
    names = {row.id: row.key for row in _writing_accounts(connection)}
    waiting: dict[int, datetime] = {}
    for account_id in names:
        rows = _awaiting_write(
            connection,
            account_id=account_id,
            before=now - _SLOW_AFTER,
            look_at=_DUE_LOOKED_AT,
            limit=OVERSHOWN_LOOKED_AT,
        )
        waiting |= {row.listing_id: row.since_at or row.due_at for row in rows}
    if not waiting:
        return {}
    stock = load_stock(connection, sorted(waiting))
    shown = {row.listing_id: row.shown for row in _shown(connection, wanted=[(each,) for each in sorted(waiting)])}
    found: dict[int, list[Overshown]] = {}
    for listing_id, each in sorted(stock.items()):
        shows, sells, sku_id = shown.get(listing_id), each.number.quantity, each.number.bound_by
        if shows is not None and shows > sells and sku_id is not None and each.unwritable is None:
            over = Overshown(listing_id, names[each.account_id], each.channel_sku, shows, sells, waiting[listing_id])
            found.setdefault(sku_id, []).append(over)
    return found


@statement
def _writing_accounts(given: Given) -> Executable:
    return select(account.c.id, account.c.key).where(account.c.state != "observing")


@statement
def _awaiting_write(given: Given) -> Executable:
    """Of the first `look_at` that are due those that have waited for long."""
    first = (
        select(dirty_listing.c.listing_id, dirty_listing.c.since_at, dirty_listing.c.due_at)
        .where(dirty_listing.c.account_id == given.value("account_id", int), dirty_listing.c.urgency == _NONE)
        .order_by(dirty_listing.c.due_at)
        .limit(given.value("look_at", int))
        .subquery("first_due")
    )
    waits_since = func.coalesce(first.c.since_at, first.c.due_at)
    return (
        select(first)
        .where(waits_since <= given.value("before", datetime))
        .order_by(first.c.due_at)
        .limit(given.value("limit", int))
    )


@statement
def _shown(given: Given) -> Executable:
    """What each listing shows at most: the least of its cells, as every known sale explains them."""
    wanted = given.rows("wanted", id=int)
    return (
        select(cell.c.listing_id, func.min(cell.c.anchor_value - cell.c.sold_hi).label("shown"))
        .join(wanted, wanted.c.id == cell.c.listing_id)
        .where(cell.c.anchor_value.is_not(None))
        .group_by(cell.c.listing_id)
    )

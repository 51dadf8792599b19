"""Move an order's units: reserve them, release them, let them leave. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from syncd.orders.book import AccountView, LineBook, OrderBook, Stage
from syncd.orders.change import OrderChange
from syncd.stock.ledger import Cause, Ledger


def hold_units(line: LineBook, warehouse_id: int, units: int, change: OrderChange, ledger: Ledger) -> None:
    for sku_id, per_unit in line.components:
        ledger.reserve((sku_id, warehouse_id), per_unit * units, _cause(change.book, line))
        change.reserved[warehouse_id] = change.reserved.get(warehouse_id, 0) + per_unit * units
    line.held[warehouse_id] = line.held.get(warehouse_id, 0) + units


def release_units(line: LineBook, warehouse_id: int, units: int, change: OrderChange, ledger: Ledger) -> None:
    """Free units that a warehouse was not asked to ship."""
    for sku_id, pieces in line.components:
        ledger.release((sku_id, warehouse_id), pieces * units, _cause(change.book, line))
    line.spend(warehouse_id, Stage.HELD, units)


def ship_left(line: LineBook, left: int, account: AccountView, ledger: Ledger, change: OrderChange) -> None:
    """Book units as gone: from the line's reservations, and what was never reserved from where it most likely stood."""
    line.shipped += left
    change.shipped_units += left
    # Where the channel does not say when, it left no later than the channel's last word on the order.
    left_at = change.state.fulfilled_at or change.state.version_at if change.state else None
    for warehouse_id, stage, reserved in list(_likely_first(line, account)):
        units = min(left, reserved)
        left -= units
        # A level read since then does not show what a warehouse has accepted as gone: its pieces are counted until now.
        at = None if stage is Stage.ACCEPTED else left_at
        ship_units(line, change.book, ledger, warehouse_id, units, stage=stage, left_at=at)
    origin = _likely_origin(line, account, ledger) if left else None
    if origin is not None:
        ship_units(line, change.book, ledger, origin, left, stage=None, left_at=left_at)


def _likely_first(line: LineBook, account: AccountView) -> Iterator[tuple[int, Stage, int]]:
    """The line's reservations, those likeliest to have left first: a warehouse that was asked to ship will have."""
    order = [Stage.ACCEPTED, Stage.SUBMITTED, Stage.HELD]
    open_ones = [(warehouse_id, stage, units) for warehouse_id, stage, units in line.stages() if stage in order]
    yield from sorted(open_ones, key=lambda each: (order.index(each[1]), account.rank_of(each[0]), each[0]))


def ship_units(
    line: LineBook,
    book: OrderBook,
    ledger: Ledger,
    warehouse_id: int,
    units: int,
    *,
    stage: Stage | None = Stage.HELD,
    left_at: datetime | None = None,
) -> None:
    """Move `units` of a line out of a warehouse, from its reservation there of that stage; None: from none."""
    if not units:
        return
    reserved = units if stage else 0
    for sku_id, pieces in line.components:
        ledger.ship((sku_id, warehouse_id), pieces * units, pieces * reserved, _cause(book, line), left_at)
    if stage:
        line.spend(warehouse_id, stage, units)
    line.shipped_from[warehouse_id] = line.shipped_from.get(warehouse_id, 0) + units


def _likely_origin(line: LineBook, account: AccountView, ledger: Ledger) -> int | None:
    own = [warehouse for warehouse in account.pool if warehouse.own]
    for warehouse in own:
        if all(ledger.level(sku_id, warehouse.warehouse_id).available > 0 for sku_id, _ in line.components):
            return warehouse.warehouse_id
    return own[0].warehouse_id if own else None


def withdraw_unsent(change: OrderChange) -> None:
    """Ask no warehouse for what an order wanted before it changed: what it wants now is planned anew."""
    book = change.book
    lines = book.lines.values()
    change.had_requests = any(line.handed_over for line in lines)
    for warehouse_id in book.planned:
        for line in lines:
            line.take_back(warehouse_id)
        change.withdrawn.add(warehouse_id)
    book.planned.clear()


def release_surplus(line: LineBook, leaving: int, account: AccountView, ledger: Ledger, change: OrderChange) -> None:
    """Free what the line no longer wants; what a warehouse was asked to ship only when it says that it will not."""
    surplus = line.open_units - line.wanted_units - leaving
    if surplus <= 0:
        return
    from_short = min(surplus, line.short)
    line.short -= from_short
    surplus -= from_short
    for warehouse_id in sorted(line.held, key=lambda w: (-account.rank_of(w), -w)):
        units = min(surplus, line.untold(warehouse_id))
        if not units:
            continue
        release_units(line, warehouse_id, units, change, ledger)
        surplus -= units
    for warehouse_id in sorted(line.held, key=lambda w: (-account.rank_of(w), -w)):
        if surplus > 0 and line.handed(warehouse_id):
            change.recalled.add(warehouse_id)
            surplus -= line.handed(warehouse_id)


def _cause(book: OrderBook, line: LineBook) -> Cause:
    return Cause((book.account_id, book.channel_order_id, line.channel_line_id), book.applications)

"""Decide what an order's new state does to the book: the difference to what is reserved. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from adapters.contract import OrderLine, OrderState
from syncd.geography import postcode_prefix
from syncd.orders.allocate import allocate, explain
from syncd.orders.book import (
    AccountView,
    LineBook,
    Listings,
    OrderBook,
    OrderStanding,
    ShortageReason,
)
from syncd.orders.change import Notice, OrderChange
from syncd.orders.moves import hold_units, release_surplus, ship_left, withdraw_unsent
from syncd.publishing.cells import Sale
from syncd.stock.ledger import Ledger

_LEAVES_WITHIN: Final = timedelta(days=7)

UNTIMELY: Final = ("webhook", "queue")
"""Ways that news may take hours on."""


def is_news(state: OrderState, way: str, digest: str, known: OrderBook | None) -> bool:
    """Whether a state is newer than the one applied.

    Channels stamp versions by the second, so two states can share one: of those a poll, which read the order later,
    is believed over what came before; a webhook or a queue is not, since it may have been on its way for hours.
    """
    if known is None or known.version_at is None or state.version_at > known.version_at:
        return True
    return state.version_at == known.version_at and digest != known.digest and way not in UNTIMELY


def decide_order(
    state: OrderState,
    way: str,
    digest: str,
    known: OrderBook | None,
    account: AccountView,
    listings: Listings,
    ledger: Ledger,
) -> OrderChange:
    """Apply an order's state, exactly once per account, channel order id and version."""
    book = known or OrderBook(account.account_id, state.channel_order_id)
    change = OrderChange(book, state, _standing(state), is_new=known is None)
    before_at = book.version_at
    if state.ship_to is not None:
        book.country = state.ship_to.country or book.country
        if state.ship_to.country and state.ship_to.postcode:
            book.postcode_prefix = postcode_prefix(state.ship_to.country, state.ship_to.postcode)
    book.applications += 1
    book.way = book.way or ("webhook" if way == "fetch" else way)  # a fetch was asked for by a webhook
    withdraw_unsent(change)
    wanting: list[LineBook] = []
    leaving: dict[str, int] = {}
    for told in state.lines:
        line = book.lines.get(told.channel_line_id)
        first_seen = line is None
        if line is None:
            line = book.lines[told.channel_line_id] = LineBook(told.channel_line_id, state.placed_at)
        _map_line(line, told, account.account_id, listings)
        line.by_channel = told.by_channel
        if told.parked is not None and not _is_over(line, change):
            _park(line, told, change)
            continue
        if told.parked is not None:  # the order is over, and with it what this line wanted
            told = replace(
                told,
                quantity=line.fulfilled,
                fulfilled=line.fulfilled,
                taken_min=line.taken_min,
                taken_max=line.taken_max,
            )
        if line.by_channel:  # it never lowered a number that is ours to set
            _take_over(line, told)
            release_surplus(line, 0, account, ledger, change)
            continue
        _note_sale(line, told, change, state, before_at)
        _take_over(line, told)
        left = _left_now(line, state, account, ledger, first_seen)
        if left:
            leaving[line.channel_line_id] = left
        if not first_seen:
            release_surplus(line, left, account, ledger, change)
        mapped_now = line.components and line.short_reason is ShortageReason.UNMAPPED
        if line.wanted_units + left > line.open_units or left > sum(line.held.values()) or (line.short and mapped_now):
            wanting.append(line)
    if not change.is_new:
        unread = book.lines.keys() - {told.channel_line_id for told in state.lines if told.parked is None}
        for line_id in sorted(unread):  # what was to be cancelled of these still is
            release_surplus(book.lines[line_id], 0, account, ledger, change)
        _vanished(book, state, change)
    cover_lines(wanting, change, account, ledger, leaving, first_applied=True)
    _settle_standing(book, change)
    _review(state, account, change)
    book.version_at, book.digest = state.version_at, digest
    return change


def cover_lines(
    lines: Sequence[LineBook],
    change: OrderChange,
    account: AccountView,
    ledger: Ledger,
    leaving: Mapping[str, int],
    *,
    first_applied: bool,
) -> None:
    """Reserve what these lines still want where it is, book what leaves, and note as a shortage what no warehouse has.

    What has left without ever being reserved is planned like the rest: that is where it most likely stood.
    """
    book = change.book
    mapped = [line for line in lines if line.components]
    for line in lines:
        if not line.components:
            line.short = line.wanted_units
            line.short_reason = ShortageReason.UNMAPPED
            if line.short:
                first = all(notice.kind != "unmapped" for notice in change.notices)
                change.notices.append(_unmapped(account, book, line, orders=int(first)))
    if mapped:
        units = [line.wanted_units + leaving.get(line.channel_line_id, 0) - sum(line.held.values()) for line in mapped]
        plan = allocate(mapped, units, book, account, ledger)
        for share in plan.shares:
            hold_units(mapped[share.line], int(share.warehouse), share.quantity, change, ledger)
        change.decision = explain(plan, mapped, book, account)
    for line in book.lines.values():
        if line.channel_line_id in leaving:
            ship_left(line, leaving[line.channel_line_id], account, ledger, change)
    looked_at = leaving.keys() | {line.channel_line_id for line in lines}
    for line in book.lines.values():
        if line.components and line.channel_line_id in looked_at:
            _note_short(line, account, change, first_applied)
    _tell_shortage(account, change)


def _standing(state: OrderState) -> OrderStanding:
    if state.cancelled:
        return OrderStanding.CANCELLED
    usable = [line for line in state.lines if line.parked is None]
    if usable and all(line.fulfilled >= line.quantity for line in usable):
        return OrderStanding.FULFILLED
    return OrderStanding.OPEN


def _is_over(line: LineBook, change: OrderChange) -> bool:
    """Whether a line that cannot be read wants nothing any more, so that nothing of it can be freed by mistake."""
    if change.standing is OrderStanding.CANCELLED:
        return True
    never_ours = line.listing_id is None and not line.open_units
    return change.standing is OrderStanding.FULFILLED and never_ours


def _settle_standing(book: OrderBook, change: OrderChange) -> None:
    """An order whose every unit has left is fulfilled, also when we shipped it and its channel does not know yet."""
    if change.standing is OrderStanding.OPEN and book.is_done:
        change.standing = OrderStanding.FULFILLED


def _map_line(line: LineBook, told: OrderLine, account_id: int, listings: Listings) -> None:
    line.line_key = told.line_key or line.line_key
    line.code = told.code or line.code
    found = listings.get((account_id, line.line_key)) if line.line_key else None
    if found is None:
        return
    line.listing_id = found.listing_id or line.listing_id
    line.back_orderable = found.back_orderable
    if not line.components:  # what a line is made of is fixed when it is first mapped
        line.components = found.components


def _park(line: LineBook, told: OrderLine, change: OrderChange) -> None:
    assert told.parked is not None
    line.parked = f"{told.parked.field}: {told.parked.reason}"
    change.notices.append(
        Notice(
            f"parked_line:{change.book.account_id}:{change.book.channel_order_id}:{told.channel_line_id}",
            "parked_line",
            "the line's units are not reserved; raises of its listing wait",
            f"a line of order {change.state.name if change.state else change.book.channel_order_id} cannot be"
            f" reserved: {line.parked}. Correct the order at the channel, or cancel the line there.",
            subject=change.state.name if change.state else change.book.channel_order_id,
            detail=line.parked,
        )
    )


def _note_sale(
    line: LineBook, told: OrderLine, change: OrderChange, state: OrderState, before_at: datetime | None
) -> None:
    d_min, d_max = told.taken_min - line.taken_min, told.taken_max - line.taken_max
    if line.listing_id is not None and (d_min or d_max):
        from_at, to_at = (state.placed_at, state.placed_at) if before_at is None else (before_at, state.version_at)
        change.sales.append(Sale(line.listing_id, d_min, d_max, from_at, to_at))
    line.taken_min, line.taken_max = told.taken_min, told.taken_max


def _take_over(line: LineBook, told: OrderLine) -> None:
    line.parked = None
    line.quantity = told.quantity
    line.fulfilled = max(line.fulfilled, told.fulfilled)
    if told.unit_price is not None:
        line.unit_price_minor, line.currency = told.unit_price.minor, told.unit_price.currency


def _left_now(line: LineBook, state: OrderState, account: AccountView, ledger: Ledger, first_seen: bool) -> int:
    """Units that have left and that our ledger does not know of yet."""
    left = line.fulfilled - line.shipped
    if left <= 0:
        return 0
    if not line.components or (first_seen and _before_the_book(line, state, account, ledger)):
        line.shipped = line.fulfilled
        return 0
    return left


def _before_the_book(line: LineBook, state: OrderState, account: AccountView, ledger: Ledger) -> bool:
    """Whether what has left of a line left before our stock was counted, so that the count already knows it.

    Some channels do not say when: then goods are taken to leave within a week.
    """
    left_at = state.fulfilled_at or min(state.version_at, state.placed_at + _LEAVES_WITHIN)
    counts = [
        ledger.level(sku_id, warehouse.warehouse_id).as_of
        for sku_id, _ in line.components
        for warehouse in account.pool
        if ledger.known(sku_id, warehouse.warehouse_id)
    ]
    return all(as_of is None or left_at <= as_of for as_of in counts)


def _note_short(line: LineBook, account: AccountView, change: OrderChange, first_applied: bool) -> None:
    missing = max(0, line.wanted_units - sum(line.held.values()))
    newly = missing - line.short
    line.short = missing
    if not missing:
        return
    if line.short_reason is None or line.short_reason is ShortageReason.UNMAPPED:
        if line.back_orderable:
            line.short_reason = ShortageReason.BACKORDER
        else:
            line.short_reason = ShortageReason.OVERSOLD if account.live else ShortageReason.UNCOVERED
    if first_applied and newly > 0 and line.short_reason is ShortageReason.OVERSOLD:
        line.oversold += newly
        change.oversold_units += newly


def _vanished(book: OrderBook, state: OrderState, change: OrderChange) -> None:
    """A line that the channel no longer names keeps its units: a person looks."""
    told = {line.channel_line_id for line in state.lines}
    gone = sorted(line_id for line_id, line in book.lines.items() if line_id not in told and line.open_units)
    if gone:
        change.review = f"lines: {len(gone)} lines are no longer named by the channel; their units stay reserved"


def _review(state: OrderState, account: AccountView, change: OrderChange) -> None:
    if change.is_new and not (state.problems or state.test or change.review):
        return
    reasons = [f"{problem.field}: {problem.reason}" for problem in state.problems]
    if state.test and change.standing is OrderStanding.OPEN and _elsewhere(change.book, account):
        reasons.append("test: no warehouse is asked to send it; cancel it at the channel to free its units")
    if change.review:
        reasons.append(change.review)
    key = f"in_review:{change.book.account_id}:{change.book.channel_order_id}"
    change.review = "; ".join(reasons) or None
    if change.review and not change.is_over:
        message = f"order {state.name} needs a look: {change.review}"
        change.notices.append(
            Notice(
                key, "order_in_review", "its units are reserved as usual", message, state.name, change.review, orders=1
            )
        )
    elif not change.is_new:
        change.notices.append(Notice(key, "order_in_review"))


def _elsewhere(book: OrderBook, account: AccountView) -> bool:
    """Whether units of an order are reserved in a warehouse that is not the seller's own."""
    own = {warehouse.warehouse_id for warehouse in account.pool if warehouse.own}
    return any(units for line in book.lines.values() for place, units in line.held.items() if place not in own)


def _tell_shortage(account: AccountView, change: OrderChange) -> None:
    short = [line.short_reason for line in change.book.lines.values() if line.short]
    if ShortageReason.OVERSOLD in short:
        key = f"oversold:{account.account_id}:{change.book.channel_order_id}"
        name = change.state.name if change.state else change.book.channel_order_id
        units = sum(x.short for x in change.book.lines.values() if x.short_reason is ShortageReason.OVERSOLD)
        message = f"order {name} of {account.key}: {units} units sold that no warehouse has; find stock or cancel them"
        change.notices.append(Notice(key, "oversold", f"{units} units", message, name, units=units, orders=1))


def settled_notices(changes: Iterable[OrderChange], accounts: dict[int, AccountView]) -> list[Notice]:
    """Alerts that an order no longer deserves: nothing oversold, nothing unmapped, no parked line, no review."""
    notices = []
    for change in changes:
        if change.is_new:
            continue
        book = change.book
        owner = f"{book.account_id}:{book.channel_order_id}"
        if change.is_over:
            notices.append(Notice(f"in_review:{owner}", "order_in_review"))
        short = {line.short_reason for line in book.lines.values() if line.short}
        if ShortageReason.OVERSOLD not in short:
            notices.append(Notice(f"oversold:{owner}", "oversold"))
        for line in book.lines.values():
            if not line.parked:
                notices.append(Notice(f"parked_line:{owner}:{line.channel_line_id}", "parked_line"))
            if not (line.short and line.short_reason is ShortageReason.UNMAPPED):
                notices.append(Notice(f"unmapped:{owner}:{line.channel_line_id}", "unmapped"))
    return notices


def _unmapped(account: AccountView, book: OrderBook, line: LineBook, orders: int) -> Notice:
    what = line.code or line.line_key or "a line without a code"
    return Notice(
        f"unmapped:{account.account_id}:{book.channel_order_id}:{line.channel_line_id}",
        "unmapped",
        f"{line.short} units are not reserved",
        f"{account.key} sold {what}, which no listing of ours maps to a SKU: import the item, then run"
        f" `syncd import listings --from {account.key}`",
        subject=what,
        units=line.short,
        orders=orders,  # of one order's several lines only one counts it
    )

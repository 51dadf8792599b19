"""Nothing waits longer than stated anywhere: events, listings, writes, requests, holds, cursors, promised units."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select

from syncd.db.tables import (
    account,
    cursor,
    dirty_listing,
    hold,
    inbox,
    listing,
    push_batch,
    sales_order,
    shipment_request,
    warehouse,
    warehouse_cursor,
)
from syncd.simulation.checker.bounds import (
    CURSOR_S,
    DUE_S,
    HINTED_S,
    HOLD_S,
    IN_FLIGHT_S,
    INBOX_S,
    MOVE_S,
    REQUEST_S,
    SHOWN_S,
    WAREHOUSE_CURSOR_S,
    Bounds,
)
from syncd.simulation.checker.failures import Failures
from syncd.simulation.checker.moves import Movable, read_movable
from syncd.simulation.checker.reasons import STILL, VENDORS_FAULT, Reasons, read_reasons
from syncd.simulation.checker.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits: `key` is the account's or warehouse's. `lowers`: it waits to show a lower number there.

    `blames`: the daemon says that its vendor keeps it from that.
    """

    rule: str
    subject: str
    key: str
    since: datetime
    within_s: float
    what: str
    lowers: int | None = None  # a listing
    blames: bool = False


def read_waiting(connection: Connection, now: datetime) -> list[Waiting]:
    """Everything that waits at `now`, with how long it may when nothing is wrong."""
    found: list[Waiting] = []
    for query, told in ((_events(), _event), (_pushes(), _push), (_holds(now), _hold), (_cursors(), _cursor)):
        found += [told(row) for row in connection.execute(query)]
    reasons = read_reasons(connection, now)
    for row in connection.execute(_listings()):
        found += _listing(row, reasons, now)
    for row in connection.execute(_requests()):
        found += _request(row)
    found += [_outside(row) for row in connection.execute(_outside_cursors())]
    found += [_move(each) for each in read_movable(connection)]
    return found


def nothing_waits_too_long(
    waiting: Iterable[Waiting],
    too_high: Collection[int],
    now: datetime,
    bounds: Bounds,
    verdict: Verdict,
    failures: Failures | None = None,
) -> None:
    """`too_high` are listings that show more than is sellable: a sale waits for no other.

    A vendor is to blame where a request to it has failed; without `failures` nobody has watched, and it is believed.
    """
    for each in waiting:
        if each.lowers is not None and each.lowers not in too_high:
            continue
        if each.blames and (failures is None or failures.met(each.key, None, now)):
            continue
        due = bounds.due(each.since, each.within_s, each.key)
        if now > due:
            late_s = (now - due).total_seconds()
            verdict.find(each.rule, each.subject, now, f"{each.what} since {each.since}, {late_s:.0f} s too long")


# --- what waits, and how long it may --------------------------------------------------------------------------------


def _events() -> Select[Any]:
    return (
        select(inbox.c.id, inbox.c.state, inbox.c.topic, inbox.c.received_at, account.c.key)
        .join(account, account.c.id == inbox.c.account_id)
        .where(inbox.c.state.in_(("new", "hinted")))
    )


def _event(row: Row[Any]) -> Waiting:
    within_s = HINTED_S if row.state == "hinted" else INBOX_S
    told = f"{row.topic} is {row.state}"
    return Waiting("waiting.event", f"{row.key} event {row.id}", row.key, row.received_at, within_s, told)


def _pushes() -> Select[Any]:
    return (
        select(push_batch.c.key.label("push"), push_batch.c.created_at, account.c.key, account.c.channel)
        .join(account, account.c.id == push_batch.c.account_id)
        .where(push_batch.c.state == "in_flight")
    )


def _push(row: Row[Any]) -> Waiting:
    return Waiting(
        "waiting.write", f"{row.key} {row.push}", row.key, row.created_at, IN_FLIGHT_S[row.channel], "it is in flight"
    )


def _holds(now: datetime) -> Select[Any]:
    return (
        select(hold.c.id, hold.c.kind, hold.c.expires_at, account.c.key)
        .join(listing, listing.c.id == hold.c.listing_id)
        .join(account, account.c.id == listing.c.account_id)
        .where(hold.c.closed_at.is_(None), hold.c.expires_at <= now)
    )


def _hold(row: Row[Any]) -> Waiting:
    return Waiting("waiting.hold", f"{row.key} hold {row.id}", row.key, row.expires_at, HOLD_S, f"{row.kind} is over")


def _cursors() -> Select[Any]:
    return (
        select(cursor.c.stream, cursor.c.moved_at, account.c.key, account.c.channel)
        .join(account, account.c.id == cursor.c.account_id)
        .where(cursor.c.stream == "orders")
    )


def _cursor(row: Row[Any]) -> Waiting:
    return Waiting(
        "waiting.cursor", f"{row.key} {row.stream}", row.key, row.moved_at, CURSOR_S[row.channel], "not moved"
    )


def _outside_cursors() -> Select[Any]:
    return select(warehouse_cursor.c.stream, warehouse_cursor.c.moved_at, warehouse.c.key).join(
        warehouse, warehouse.c.id == warehouse_cursor.c.warehouse_id
    )


def _outside(row: Row[Any]) -> Waiting:
    return Waiting("waiting.cursor", f"{row.key} {row.stream}", row.key, row.moved_at, WAREHOUSE_CURSOR_S, "not moved")


def _listings() -> Select[Any]:
    return (
        select(dirty_listing, account.c.key, account.c.channel)
        .join(account, account.c.id == dirty_listing.c.account_id)
        .where(or_(dirty_listing.c.since_at.is_not(None), dirty_listing.c.waits_for.is_(None)))
    )


def _listing(row: Row[Any], reasons: Reasons, now: datetime) -> Iterable[Waiting]:
    subject = f"{row.key} listing {row.listing_id}"
    if row.due_at <= now:
        yield Waiting("waiting.listing", subject, row.key, row.due_at, DUE_S, "it is due to be looked at")
    if row.since_at is None:
        return
    until = reasons.until(row.waits_for, row.account_id, row.listing_id)
    if until is not STILL:
        told = f"a sale waits to be shown ({row.waits_for or 'due'})"
        within_s = SHOWN_S[row.channel] + HINTED_S
        since, blames = max(row.since_at, until or row.since_at), row.waits_for in VENDORS_FAULT
        yield Waiting("waiting.sale", subject, row.key, since, within_s, told, row.listing_id, blames)


def _requests() -> Select[Any]:
    return (
        select(shipment_request, warehouse.c.key, sales_order.c.name)
        .join(warehouse, warehouse.c.id == shipment_request.c.warehouse_id)
        .join(sales_order, sales_order.c.id == shipment_request.c.order_id)
        .where(shipment_request.c.state.in_(("planned", "submitted", "accepted")))
    )


def _request(row: Row[Any]) -> Iterable[Waiting]:
    subject = f"{row.key} {row.reference}"
    if row.state == "planned" and row.cancel_wanted_at is None:
        yield Waiting("waiting.request", subject, row.key, row.planned_at, REQUEST_S, "it is not sent")
    if row.state == "submitted" and row.submitted_at is not None:
        yield Waiting("waiting.request", subject, row.key, row.submitted_at, REQUEST_S, "it has no answer")
    if row.cancel_wanted_at is not None and row.cancel_sent_at is None and row.too_late_at is None:
        yield Waiting("waiting.request", subject, row.key, row.cancel_wanted_at, REQUEST_S, "nobody cancels it")


def _move(each: Movable) -> Waiting:
    subject = f"{each.account} order {each.order} in {each.warehouse}"
    told = "its units are missing there and free elsewhere"
    return Waiting("waiting.move", subject, each.account, each.since, MOVE_S, told)

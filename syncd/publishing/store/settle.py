"""Settle writes: what each row did, exactly once; and what a former owner left unfinished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Executable, Update, delete, func, select, update

from syncd.accounts.store import is_live
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.lease import guard
from syncd.db.statements import Given, constant, statement
from syncd.db.tables import push_batch, push_row
from syncd.insight.store import add_lags, add_tallies
from syncd.publishing.cells import Cell, acknowledged
from syncd.publishing.load import Dirty, load_cells
from syncd.publishing.marks import mark_listings
from syncd.publishing.plain import set_applied, set_in_part, set_open
from syncd.publishing.store.cells import save_cells
from syncd.publishing.store.queue import TAKES_EFFECT, Waiting, forget, put_off, wake
from syncd.publishing.store.rows import Push, Rules, refusal_key, rows_of


def unfinished(connection: Connection, rules: Rules) -> list[Push] | None:
    """Writes whose outcome is unknown, this process's or a former owner's.

    Compare-and-set: the same bytes go out under the same key. Then None when there are some and the account is not
    live: the first attempt may never have arrived, so they wait. A plain set is never sent again.
    """
    guard(connection, rules.lease)
    found = _in_flight(connection, account_id=rules.account_id).all()
    if found and not rules.plain and not is_live(connection, rules.account_id):
        return None
    return [Push(row.key, row.body or "", rows_of(connection, row.key), row.created_at, row.attempts) for row in found]


def note_sent(connection: Connection, rules: Rules, key: str, now: datetime) -> bool:
    """Count an attempt under our token, before the bytes leave. False when the push is settled already."""
    guard(connection, rules.lease)
    token = rules.lease.token
    if rules.plain:  # sent once only: what it may do, it does from now on
        settle_by = now + timedelta(seconds=rules.settle_s)
        noted = _note_sent_once(connection, push=key, lease_token=token, now=now, settle_by=settle_by)
    else:
        noted = _note_sent(connection, push=key, lease_token=token)
    return noted.rowcount == 1


@statement
def _in_flight(given: Given) -> Executable:
    return (
        select(push_batch)
        .where(push_batch.c.account_id == given.value("account_id", int), push_batch.c.state == constant("in_flight"))
        .order_by(push_batch.c.created_at, push_batch.c.key)
    )


def _count_attempt(given: Given) -> Update:
    return (
        update(push_batch)
        .where(push_batch.c.key == given.value("push", str), push_batch.c.state == "in_flight")
        .values(attempts=push_batch.c.attempts + 1, lease_token=given.value("lease_token", int))
    )


_note_sent = statement(_count_attempt)


@statement
def _note_sent_once(given: Given) -> Executable:
    return _count_attempt(given).values(
        sent_at=given.value("now", datetime), settle_by=given.value("settle_by", datetime)
    )


NOT_WRITTEN = "it could not be written just now"
PLAIN_AGAIN_S = 5.0
"""Each try costs a read and a write, so a number that could not be set is not tried again at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row of a push: applied, accepted, unknown, stale, rejected or not_written."""

    listing_id: int
    outcome: str
    reason: str | None = None


def settle(
    connection: Connection, rules: Rules, key: str, outcomes: Sequence[Outcome], now: datetime, *, refused: bool = False
) -> int:
    """Note what a write did, row by row, exactly once. Returns how many numbers were written.

    Row by row the channel answers for the key, whichever attempt it was. A call that is `refused` as a whole says
    nothing of an earlier attempt without an answer.
    """
    guard(connection, rules.lease)
    head = _lock_batch(connection, push=key).one_or_none()
    if head is None:
        return 0
    told = {each.listing_id: each for each in outcomes}
    sent = _sent_rows(connection, push=key).all()
    cells = load_cells(connection, [row.listing_id for row in sent])
    settled: list[Cell] = []
    written, again, rejected, stale, opened = [], [], [], [], []
    staleness = timedelta(seconds=rules.staleness_s)
    shows_at = now + max(staleness, timedelta(seconds=rules.apply_s))
    for row in sent:
        at = cells[(row.listing_id, row.cell)]
        each = told.get(row.listing_id)
        freed = _freed(at, row.value, doubtful=refused and head.attempts > 1)
        if each is not None and each.outcome == "applied":
            done = set_applied(at, head.sent_at, now, staleness) if rules.plain else acknowledged(at, head.sent_at, now)
            settled.append(done)
            written.append(row)
        elif rules.plain and (each is None or each.outcome in ("accepted", "unknown")):
            settled.append(set_open(at, head.settle_by, shows_at))
            opened.append(row)
        elif each is not None and each.outcome == "stale":
            settled.append(replace(freed, must_read=True))  # C7: read before anything else
            stale.append(row)
        elif each is not None and each.outcome == "rejected":
            settled.append(set_in_part(at) if rules.plain else freed)
            rejected.append((row, each))
        else:
            settled.append(freed)
            again.append(row)
    save_cells(connection, settled)
    forget(connection, [_dirty(row) for row in written])
    if rules.plain:  # what was written is read back
        mark_listings(connection, [row.listing_id for row in written], now, urgency=0)
    wake(connection, [row.listing_id for row in (*again, *stale, *written, *opened)], now)
    again_at = now + timedelta(seconds=PLAIN_AGAIN_S)
    waits: list[Waiting] = [(_dirty(row), TAKES_EFFECT, shows_at) for row in opened]
    if rules.plain:
        waits += [(_dirty(row), NOT_WRITTEN, again_at) for row in again]
    put_off(connection, waits, now)
    _note_refusals(connection, rules, rejected, now)
    close_alerts(connection, [refusal_key(rules, row.listing_id) for row in written], now)
    outcome = f"{len(written)} of {len(sent)} written"
    _end_batch(connection, push=key, state="settled", now=now, outcome=outcome)
    counts = {
        "pushes": 1,
        "numbers_written": len(written),
        "stale": len(stale),
        "rejected": len(rejected),
        "writes_unconfirmed": len(opened),
    }
    add_tallies(connection, {(f"account:{rules.account}", name): n for name, n in counts.items()})
    _note_lags(connection, rules, written, now)
    _delete_rows(connection, push=key)
    return len(written)


@statement
def _lock_batch(given: Given) -> Executable:
    mine = push_batch.c.key == given.value("push", str)
    return select(push_batch).where(mine, push_batch.c.state == "in_flight").with_for_update()


@statement
def _sent_rows(given: Given) -> Executable:
    return select(push_row).where(push_row.c.key == given.value("push", str))


@statement
def _end_batch(given: Given) -> Executable:
    return (
        update(push_batch)
        .where(push_batch.c.key == given.value("push", str))
        .values(
            state=given.value("state", str),
            settled_at=given.value("now", datetime),
            body=None,
            outcome=func.coalesce(given.value("outcome", str), push_batch.c.outcome),
        )
    )


@statement
def _delete_rows(given: Given) -> Executable:
    return delete(push_row).where(push_row.c.key == given.value("push", str))


def _note_lags(connection: Connection, rules: Rules, written: Sequence[Any], now: datetime) -> None:
    """How long the orders behind lowered numbers had to wait."""
    add_lags(
        connection,
        [
            (rules.account_id, "placed_to_shown", (now - row.since_at).total_seconds())
            for row in written
            if row.since_at is not None and row.value < row.expected
        ],
    )


def _dirty(row: Any) -> Dirty:
    return Dirty(row.listing_id, row.dirty_version, row.since_at)


def _freed(at: Cell, value: int, *, doubtful: bool) -> Cell:
    """A cell whose write did not take effect. Where an earlier attempt had no answer that is not sure: it is read."""
    freed = replace(at, in_flight_key=None, in_flight_value=None, in_flight_sold_hi=0, in_flight_sold_lo=0)
    return replace(freed, must_read=True, certified=False, unknown_value=value) if doubtful else freed


def _note_refusals(connection: Connection, rules: Rules, refused: Sequence[tuple[Any, Outcome]], now: datetime) -> None:
    alerts = [
        Alert(
            refusal_key(rules, row.listing_id),
            "listing_refused",
            "its number cannot be set; the others are",
            f"{rules.account} refuses the number of listing {row.listing_id}: {each.reason or 'no reason given'}",
            rules.account_id,
            detail=each.reason or "",
        )
        for row, each in refused
    ]
    open_alerts(connection, alerts, now)
    waits: list[Waiting] = [
        (Dirty(row.listing_id, row.dirty_version, row.since_at), "refused by the channel", None) for row, _ in refused
    ]
    put_off(connection, waits, now)


def abandon(connection: Connection, rules: Rules, key: str, now: datetime) -> None:
    """Give up on a write whose key the channel no longer remembers: its cells are read before anything else."""
    guard(connection, rules.lease)
    sent = _sent_rows(connection, push=key).all()
    cells = load_cells(connection, [row.listing_id for row in sent])
    save_cells(
        connection,
        [_freed(cells[(row.listing_id, row.cell)], row.value, doubtful=True) for row in sent],
    )
    wake(connection, [row.listing_id for row in sent], now)
    _end_batch(connection, push=key, state="abandoned", now=now, outcome=None)
    _delete_rows(connection, push=key)

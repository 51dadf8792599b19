"""Every alert that is due is opened once and closed when what it tells of is over, and none without a cause."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection, select

from syncd.db.tables import account, alert, warehouse
from syncd.simulation.checker.alert_causes import Cause, TrueTime, read_causes, read_grounds, read_present
from syncd.simulation.checker.blamed import OURS
from syncd.simulation.checker.bounds import CURSOR_S, Bounds
from syncd.simulation.checker.failures import Failures
from syncd.simulation.checker.relists import Relist
from syncd.simulation.checker.truth import Truth
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings


class Proof(StrEnum):
    """What an alert of a kind is held against."""

    HISTORY = "the book has each of its causes from begin to end: one row each, at once"
    PRESENT = "the book has its causes of just now: one row each, at rest"
    GROUND = "the book has what it is about; it may stay until a person has acted"
    FAILURE = "a request to its vendor has failed: each row has a failure of its own, and none stays"
    RAISE = "somebody raised a number of its account, or a write of ours put units back on sale"
    TEXT = "an address that is missing is overwritten when it comes: at most one row an order"
    LATE = "something stood still or failed for minutes on end: one row each, and none stays (see `work_alerts`)"
    NOTHING = "nothing in these worlds causes it"


PROOFS: Final[Mapping[str, Proof]] = MappingProxyType(
    dict.fromkeys(("oversold", "unmapped", "short", "parked_event"), Proof.HISTORY)
    | dict.fromkeys(("shipment_refused", "order_in_review", "parked_line"), Proof.PRESENT)
    | dict.fromkeys(("shipment_too_late", "shipment_exception", "orders_not_sent", "unnamed_levels"), Proof.GROUND)
    | dict.fromkeys(("channel_down", "auth_expired", "queue_down", "warehouse_down", "warehouse_auth"), Proof.FAILURE)
    | dict.fromkeys(("listing_refused", "listing_unreadable", "listing_unheeded"), Proof.FAILURE)
    | {"drift": Proof.RAISE, "shipment_waits": Proof.TEXT}
    # The book adds up, the machine's disk has room, every warehouse has known codes and sound numbers, nobody is told.
    | dict.fromkeys(("audit_violation", "disk_low", "unknown_codes", "unreadable_levels", "route_down"), Proof.NOTHING)
    | {"messages_lost": Proof.NOTHING, "reload_refused": Proof.NOTHING, "audit_failing": Proof.NOTHING}
    | dict.fromkeys(("intake_late", "polls_late", "loop_failing", "job_failing"), Proof.LATE)
)
"""Each kind that the daemon opens, and what proves it. One more kind is one more word here."""

_LASTING: Final = frozenset(("shipment_too_late", "orders_not_sent"))
"""Kinds whose ground the book keeps when it is over."""

_STAYS: Final = frozenset((Proof.HISTORY, Proof.PRESENT, Proof.RAISE, Proof.TEXT))
"""Whose open rows at rest are told of by rules of their own, or by none: drift is kept for half an hour."""

_CLOCKS_APART: Final = timedelta(seconds=2)
_OUTAGE_SEEN_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class AlertRow:
    """`owner` is the key of its account or warehouse; None: it is nobody's."""

    key: str
    kind: str
    opened_at: datetime
    closed_at: datetime | None
    owner: str | None = None

    def overlaps(self, from_at: datetime, to_at: datetime | None) -> bool:
        begins_in_time = to_at is None or self.opened_at < to_at
        return begins_in_time and (self.closed_at is None or self.closed_at > from_at)


@dataclass(frozen=True, slots=True)
class Alerts:
    """Every alert there ever was, and by kind what the book says of their causes (see `Proof`)."""

    rows: tuple[AlertRow, ...]
    causes: Mapping[str, Sequence[Cause]]
    present: Mapping[str, frozenset[str]]
    grounds: Mapping[str, frozenset[str]]
    ids: Mapping[str, int]  # of accounts and warehouses by key

    def of(self, proof: Proof) -> Iterator[AlertRow]:
        return (row for row in self.rows if PROOFS.get(row.kind) is proof)

    def by_key(self, proof: Proof | None = None) -> Mapping[str, list[AlertRow]]:
        """The rows of each key in the order in which they were opened."""
        found: dict[str, list[AlertRow]] = defaultdict(list)
        for row in self.rows if proof is None else self.of(proof):
            found[row.key].append(row)
        return found


def as_told(at: datetime) -> datetime:
    """The daemon's clock was right."""
    return at


def read_alerts(connection: Connection, true_time: TrueTime = as_told) -> Alerts:
    accounts = {row.id: row.key for row in connection.execute(select(account.c.key, account.c.id))}
    warehouses = {row.id: row.key for row in connection.execute(select(warehouse.c.key, warehouse.c.id))}
    rows = tuple(
        AlertRow(
            row.key,
            row.kind,
            true_time(row.opened_at),
            row.closed_at and true_time(row.closed_at),
            warehouses.get(row.warehouse_id) or accounts.get(row.account_id),
        )
        for row in connection.execute(select(alert).order_by(alert.c.id))
    )
    ids = {key: number for keys in (accounts, warehouses) for number, key in keys.items()}
    causes = read_causes(connection, true_time)
    return Alerts(rows, causes, read_present(connection), read_grounds(connection), ids)


def no_alert_is_open_twice(alerts: Alerts, now: datetime, verdict: Verdict) -> None:
    """One open row a key, no two at the same time, and none that ended before it began. Every kind is known."""
    for key, rows in alerts.by_key().items():
        for row in rows:
            if row.kind not in PROOFS:
                verdict.find("alerts.unknown", key, now, f"no rule says what proves a {row.kind}")
            if row.closed_at is not None and row.closed_at < row.opened_at - _CLOCKS_APART:
                verdict.find("alerts.times", row.key, now, f"opened at {row.opened_at}, closed at {row.closed_at}")
        for before, after in pairwise(rows):
            if before.closed_at is None or after.opened_at < before.closed_at - _CLOCKS_APART:
                verdict.find("alerts.twice", key, now, f"opened at {before.opened_at} and again at {after.opened_at}")


def each_cause_is_told_once(alerts: Alerts, now: datetime, verdict: Verdict) -> None:
    """One row for each cause that the book has, opened when it began and closed when it ended, and no row besides."""
    rows = alerts.by_key(Proof.HISTORY)
    causes: dict[str, list[Cause]] = defaultdict(list)
    for cause in (each for several in alerts.causes.values() for each in several):
        causes[cause.key].append(cause)
    for key in sorted(rows.keys() | causes.keys()):
        for cause in causes[key]:
            _is_told_once(cause, rows.get(key, []), now, verdict)
        for row in rows.get(key, []):
            _has_a_cause(row, causes[key], now, verdict)


def alerts_tell_what_is(alerts: Alerts, now: datetime, verdict: Verdict, *, in_trouble: bool = False) -> None:
    """At rest: what the book has just now is told, and what is told still is.

    `in_trouble`: the daemon was a moment ago, and whoever watches its work may not have looked since.
    """
    opened: dict[str, set[str]] = defaultdict(set)
    for row in alerts.rows:
        if row.closed_at is None:
            opened[row.kind].add(row.key)
    for kind, keys in sorted(alerts.present.items()):
        for key in sorted(keys - opened[kind]):
            verdict.find("alerts.untold", key, now, f"the book has it, and no {kind} alert is open")
        for key in sorted(opened[kind] - keys):
            verdict.find("alerts.over", key, now, f"the book has it no more, and its {kind} alert is open")
    stays = _STAYS | {Proof.LATE} if in_trouble else _STAYS
    for kind in sorted(kind for kind in opened if PROOFS.get(kind) not in stays):
        for key in sorted(opened[kind] - alerts.grounds.get(kind, frozenset())):
            verdict.find("alerts.over", key, now, f"all is well, and its {kind} alert is open")


def every_alert_has_a_cause(alerts: Alerts, failures: Failures | None, now: datetime, verdict: Verdict) -> None:
    """None of what cannot be, none about what the book does not know, and for each failure that is told one was met.

    `failures` None: nobody has watched the requests.
    """
    for row in alerts.of(Proof.NOTHING):
        verdict.find("alerts.unfounded", row.key, now, f"opened at {row.opened_at}, and nothing here causes that")
    for row in alerts.of(Proof.GROUND):
        if row.kind in _LASTING and row.key not in alerts.grounds[row.kind]:
            verdict.find("alerts.unfounded", row.key, now, f"opened at {row.opened_at}, and the book has no ground")
    for key, rows in alerts.by_key(Proof.TEXT).items():
        if len(rows) > 1:
            verdict.find("alerts.flapping", key, now, f"{len(rows)} rows tell of one order")
    if failures is None:
        return
    for rows in alerts.by_key(Proof.FAILURE).values():
        for row, since in zip(rows, [None, *(each.closed_at for each in rows)], strict=False):
            if row.owner is not None and not failures.met(row.owner, since, row.opened_at):
                told = f"opened at {row.opened_at}, and no request has failed since {since or 'the start'}"
                verdict.find("alerts.unfounded", row.key, now, told)


def poison_is_told(alerts: Alerts, happenings: Happenings, now: datetime, verdict: Verdict) -> None:
    """News that cannot be taken in: one alert for each that was sent on purpose and taken, and none more."""
    told = Counter(row.owner for row in alerts.rows if row.kind == "parked_event")
    for key in sorted({*happenings.poisoned, *(owner for owner in told if owner is not None)}):
        sent, taken = happenings.poisoned[key], happenings.poison_taken[key]
        if not taken <= told[key] <= sent:
            found = f"{sent} were sent, {taken} of them taken, {told[key]} alerts tell of one"
            verdict.find("alerts.poison", key, now, found)


def every_outage_was_told(
    alerts: Alerts, happenings: Happenings, channels: Mapping[str, str], bounds: Bounds, now: datetime, verdict: Verdict
) -> None:
    """A vendor that was down for long has exactly one alert over that time, and one that was not has no two."""
    for outage in happenings.outages:
        kind = "channel_down" if outage.account in channels else "warehouse_down"
        within_s = CURSOR_S[channels[outage.account]] if outage.account in channels else _OUTAGE_SEEN_S
        told_by = bounds.due(outage.from_at, within_s)  # the outage itself is no excuse
        key = f"{kind}:{alerts.ids[outage.account]}"
        begun = outage.from_at + timedelta(seconds=60)  # what was under way may still come to its end
        over = [row for row in alerts.rows if row.key == key and row.overlaps(begun, outage.to_at)]
        if len(over) > 1 or (not over and told_by < min(outage.to_at, now)):
            subject = f"{outage.account} down from {outage.from_at} to {outage.to_at}"
            verdict.find("alerts.outage", subject, now, f"{len(over)} alerts tell of it")


def raises(truth: Truth, relists: Iterable[Relist]) -> dict[str, list[datetime]]:
    """When numbers of each account came above what the daemon could explain: by somebody else, or by a blind write."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for change in truth.changes:
        if change.taken < 0 and change.why not in OURS:
            found[change.listing[0]].append(change.at)
    for each in relists:
        found[each.write.listing[0]].append(each.write.at)
    return found


def drift_has_a_cause(
    alerts: Alerts, raised: Mapping[str, Sequence[datetime]], now: datetime, verdict: Verdict
) -> None:
    """`raised`: when numbers of each account came above what the daemon could explain, whoever did that."""
    for rows in alerts.by_key(Proof.RAISE).values():
        for row, since in zip(rows, [None, *(each.opened_at for each in rows)], strict=False):
            if row.owner is not None and not _any_in(raised.get(row.owner, ()), since, row.opened_at):
                told = f"opened at {row.opened_at}, and no number was too high since {since or 'the start'}"
                verdict.find("alerts.unfounded", row.key, now, told)


def _any_in(instants: Iterable[datetime], since: datetime | None, until: datetime) -> bool:
    return any((since is None or at > since - _CLOCKS_APART) and at <= until + _CLOCKS_APART for at in instants)


def _is_told_once(cause: Cause, rows: Sequence[AlertRow], now: datetime, verdict: Verdict) -> None:
    telling = [row for row in rows if row.overlaps(cause.from_at, cause.to_at)]
    span = f"from {cause.from_at} to {cause.to_at or 'now'}"
    if len(telling) > 1:
        verdict.find("alerts.flapping", cause.key, now, f"{len(telling)} rows tell of what was {span}")
    if not telling and cause.certain and cause.to_at != cause.from_at:
        verdict.find("alerts.untold", cause.key, now, f"the book had it {span}, and no alert was open")
    if cause.to_at is None and cause.certain and telling and all(row.closed_at is not None for row in telling):
        verdict.find("alerts.untold", cause.key, now, f"the book has it since {cause.from_at}, and its alert is closed")


def _has_a_cause(row: AlertRow, causes: Sequence[Cause], now: datetime, verdict: Verdict) -> None:
    near = [
        cause
        for cause in causes
        if row.overlaps(cause.from_at - _CLOCKS_APART, cause.to_at and cause.to_at + _CLOCKS_APART)
    ]
    if not near:
        verdict.find("alerts.unfounded", row.key, now, f"opened at {row.opened_at}, and the book had no cause")
        return
    cause = near[-1]
    ended = cause.to_at is not None and cause.to_at + _CLOCKS_APART < (row.closed_at or now)
    if row.closed_at is None and cause.to_at is not None:
        verdict.find("alerts.over", row.key, now, f"the book has it no more since {cause.to_at}, and it is open")
    elif cause.dated and (ended or row.opened_at < near[0].from_at - _CLOCKS_APART):
        told = f"open from {row.opened_at} to {row.closed_at}, its cause was from {near[0].from_at} to {cause.to_at}"
        verdict.find("alerts.times", row.key, now, told)

"""Tell people: from open alerts to one message a route, in one transaction under the lease."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from syncd.alerts.bundles import WINDOW_S, Bundle, bundled, due, next_due_at
from syncd.alerts.compose import Voice, compose
from syncd.alerts.deliveries import Outgoing, enqueue, told_since
from syncd.alerts.gathering import anything_new, anything_quiet, gather
from syncd.alerts.impact import measure
from syncd.alerts.incidents import Incident, note_told, read_open
from syncd.alerts.kinds import Severity, kind_of
from syncd.alerts.message import to_json
from syncd.db.lease import Lease, guard


@dataclass(frozen=True, slots=True)
class RouteRule:
    """What a route is to hear, and in which words. `facts` empty: every kind."""

    name: str
    from_severity: Severity
    facts: frozenset[str]
    voice: Voice
    digest: bool = True

    def hears(self, each: Incident) -> bool:
        return kind_of(each.kind).severity >= self.from_severity and (not self.facts or each.kind in self.facts)


def anything_to_tell(connection: Connection, now: datetime) -> tuple[bool, datetime | None]:
    """Whether `tell` would find work now, and otherwise when it next may."""
    if anything_new(connection) or anything_quiet(connection):
        return True, None
    next_at = next_due_at(read_open(connection))
    return next_at is not None and next_at <= now, next_at


def tell(
    connection: Connection, lease: Lease, rules: Sequence[RouteRule], seed: str, now: datetime, real_now: datetime
) -> int:
    """Gather causes, and make the messages that are due. `seed` makes their keys. Returns how many were made."""
    guard(connection, lease)
    gather(connection, now)
    down, over = due(read_open(connection), now)
    if not down and not over:
        return 0
    lately, last_at = told_since(connection, real_now - timedelta(seconds=WINDOW_S))
    bundles = bundled(down, over, lately, math.inf if last_at is None else (real_now - last_at).total_seconds())
    _make(connection, bundles, rules, seed, now, real_now)
    told = [each for bundle in bundles if not bundle.over for each in bundle.incidents]
    ended = [each for bundle in bundles if bundle.over for each in bundle.incidents]
    note_told(connection, told, ended, now)
    return len(bundles)


def _make(
    connection: Connection,
    bundles: Sequence[Bundle],
    rules: Sequence[RouteRule],
    seed: str,
    now: datetime,
    real_now: datetime,
) -> None:
    impacts = measure(connection, [each for bundle in bundles if not bundle.over for each in bundle.incidents])
    outgoing = []
    for number, bundle in enumerate(bundles):
        for rule in rules:
            heard = Bundle(bundle.over, tuple(each for each in bundle.incidents if rule.hears(each)))
            if heard.incidents:
                body = to_json(compose(heard, impacts, rule.voice, now))
                outgoing.append(Outgoing(rule.name, f"{seed}-{number}", "up" if bundle.over else "down", body))
    enqueue(connection, outgoing, real_now)

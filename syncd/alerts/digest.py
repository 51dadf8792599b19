"""The daily report, also when all is well: what the last day brought, and what is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, func, select

from syncd.alerts.chores import last_done, note_done
from syncd.alerts.compose import Voice, long, page_links
from syncd.alerts.deliveries import Outgoing, enqueue
from syncd.alerts.kinds import Severity, kind_of
from syncd.alerts.message import Message, Tone, to_json
from syncd.alerts.tell import RouteRule
from syncd.alerts.texts import Texts
from syncd.db.lease import Lease, guard
from syncd.db.tables import account, alert, cursor, dirty_listing, inbox
from syncd.insight.histogram import quantile_s
from syncd.insight.store import read_lags, read_tallies

CHORE: Final = "digest"
_COUNTED_TO: Final = 10_000
_SHOWN: Final = "placed_to_shown"


@dataclass(frozen=True, slots=True)
class DailyReport:
    """When it is due, a local time in `zone`, and the keys of the accounts that it tells of: those configured."""

    at: time
    zone: str
    accounts: frozenset[str]

    def due_after(self, done_at: datetime | None, now: datetime) -> datetime:
        return due_at(self.at, self.zone, done_at, now)


@dataclass(frozen=True, slots=True)
class Totals:
    """Running totals as they stood at a digest: the next one tells the difference."""

    at: datetime
    tallies: dict[str, int]
    lags: dict[str, dict[int, int]]  # buckets by account


@dataclass(frozen=True, slots=True)
class Day:
    """What a digest tells."""

    begun_at: datetime
    at: datetime
    tallies: Mapping[str, int]
    lags: Mapping[str, Mapping[int, int]]
    polled_to: Mapping[str, datetime | None]
    paused: Mapping[str, datetime]  # since when, by account
    waiting: int
    inbox: Mapping[str, int]
    opened: Mapping[str, int]


def due_at(digest_at: time, zone: str, done_at: datetime | None, now: datetime) -> datetime:
    """When the next digest is due: at that local time, and never twice on a day."""
    local = now.astimezone(ZoneInfo(zone))
    today = datetime.combine(local.date(), digest_at, ZoneInfo(zone))
    if done_at is None:
        return today if local <= today else today + timedelta(days=1)
    done_on = done_at.astimezone(ZoneInfo(zone)).date()
    return datetime.combine(max(local.date(), done_on + timedelta(days=1)), digest_at, ZoneInfo(zone))


def report(
    connection: Connection,
    lease: Lease,
    rules: Sequence[RouteRule],
    wanted: DailyReport,
    seed: str,
    now: datetime,
    real_now: datetime,
) -> bool:
    """Make today's digest, if it is due and not made yet. Returns whether it was made."""
    guard(connection, lease)
    before = last_done(connection, CHORE)
    if before is None:  # the first day begins here; a digest of it would be of nothing
        first = wanted.due_after(None, now) - timedelta(days=1)
        note_done(connection, CHORE, first, msgspec.json.encode(_totals(connection, now)).decode())
        return False
    if wanted.due_after(before.at, now) > now:
        return False
    totals = _totals(connection, now)
    day = _day(connection, msgspec.json.decode(before.note, type=Totals), totals, wanted.accounts)
    outgoing = [
        Outgoing(rule.name, f"{seed}-digest", "digest", to_json(compose_digest(day, rule.voice)))
        for rule in rules
        if rule.digest
    ]
    enqueue(connection, outgoing, real_now)
    note_done(connection, CHORE, now, msgspec.json.encode(totals).decode())
    return True


def _totals(connection: Connection, now: datetime) -> Totals:
    tallies: Counter[str] = Counter()
    for (_, name), n in read_tallies(connection).items():
        tallies["orders" if name.startswith("orders_in.") else name] += n
    keys = {row.id: row.key for row in connection.execute(select(account.c.id, account.c.key))}
    lags = {keys[owner]: dict(found) for (owner, kind), found in read_lags(connection).items() if kind == _SHOWN}
    return Totals(now, dict(tallies), lags)


def _day(connection: Connection, before: Totals, after: Totals, accounts: frozenset[str]) -> Day:
    lags = {
        key: {bucket: n - before.lags.get(key, {}).get(bucket, 0) for bucket, n in buckets.items()}
        for key, buckets in after.lags.items()
    }
    polled = connection.execute(
        select(account.c.key, cursor.c.polled_to)
        .outerjoin(cursor, (cursor.c.account_id == account.c.id) & (cursor.c.stream == "orders"))
        .order_by(account.c.key)
    )
    paused = connection.execute(
        select(account.c.key, account.c.state_changed_at).where(account.c.state == "paused").order_by(account.c.key)
    )
    opened = connection.execute(
        select(alert.c.kind, func.count()).where(alert.c.closed_at.is_(None)).group_by(alert.c.kind)
    )
    some = select(dirty_listing.c.listing_id).limit(_COUNTED_TO).subquery("waiting")
    return Day(
        before.at,
        after.at,
        {name: n - before.tallies.get(name, 0) for name, n in after.tallies.items()},
        lags,
        {row.key: row.polled_to for row in polled if row.key in accounts},
        {row.key: row.state_changed_at for row in paused if row.key in accounts},
        connection.execute(select(func.count()).select_from(some)).scalar_one(),
        {state: _inbox(connection, state) for state in ("new", "parked")},
        {row[0]: row[1] for row in opened},
    )


def _inbox(connection: Connection, state: str) -> int:
    some = select(inbox.c.id).where(inbox.c.state == state).limit(_COUNTED_TO).subquery("some_rows")
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def compose_digest(day: Day, voice: Voice) -> Message:
    texts = voice.texts
    n = day.tallies.get
    lines = [
        texts.say("digest.span", begun=voice.clock_time(day.begun_at), ended=voice.clock_time(day.at)),
        texts.say(
            "digest.orders",
            orders=f"{n('orders', 0):,}",
            reserved=f"{n('units_reserved', 0):,}",
            shipped=f"{n('shipped_units', 0):,}",
        ),
        texts.say("digest.oversold", n=f"{n('oversold_units', 0):,}"),
        texts.say("digest.numbers", n=f"{n('numbers_written', 0):,}", waiting=f"{day.waiting:,}"),
        texts.say("digest.inbox", new=f"{day.inbox['new']:,}", parked=f"{day.inbox['parked']:,}"),
    ]
    open_count = sum(day.opened.values())
    empty = Message(Tone.GOOD, texts.say("digest.title"), tuple(lines), _accounts(day, texts))
    if day.paused:
        title = texts.say("digest.title_paused", n=f"{len(day.paused):,}")
        empty = replace(empty, tone=Tone.INFO, title=title)
    if not open_count:
        return replace(empty, closing=(texts.say("digest.nothing_open"),), links=page_links(voice))
    worst_first = sorted(day.opened.items(), key=lambda each: (-kind_of(each[0]).severity, each[0]))
    what = texts.say("joined").join(f"{texts.of_kind(kind, 'title')} {count:,}" for kind, count in worst_first)
    critical = any(kind_of(kind).severity is Severity.CRITICAL for kind in day.opened)
    return replace(
        empty,
        tone=Tone.CRITICAL if critical else Tone.WARNING,
        title=texts.say("digest.title_open", n=f"{open_count:,}"),
        closing=(texts.say("digest.open", what=what),),
        links=page_links(voice),
    )


def _accounts(day: Day, texts: Texts) -> tuple[str, ...]:
    lines = [
        texts.say("digest.paused", account=key, ago=long(day.at - since, texts)) for key, since in day.paused.items()
    ]
    for key, polled_to in day.polled_to.items():
        buckets = day.lags.get(key, {})
        half, most = quantile_s(buckets, 0.5), quantile_s(buckets, 0.95)
        if half is not None and most is not None:
            spans = {"p50": long(timedelta(seconds=half), texts), "p95": long(timedelta(seconds=most), texts)}
            lines.append(texts.say("digest.lag", account=key, **spans))
        if polled_to is None:
            lines.append(texts.say("digest.never_polled", account=key))
        else:
            lines.append(texts.say("digest.polled", account=key, ago=long(day.at - polled_to, texts)))
    return tuple(lines)

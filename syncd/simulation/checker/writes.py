"""How numbers are written: one owner after the other, none again and again or for nothing, none from below 0 to 0."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, select

from syncd.db.tables import account, push_batch
from syncd.simulation.checker.history import CLOCKS_APART, History, TrueTime, as_told
from syncd.simulation.checker.truth import Change, Listing, Truth
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings

_OURS: Final = ("write", "opening")
_MINUTE_S: Final = 60
_WITHOUT_A_CAUSE: Final = 10
"""Writes to one account in a minute that need none: what waited until now, a refusal tried again."""
_BY_EACH_CAUSE: Final = 2
_FOR_NOTHING: Final = 12
"""Writes of an account that may say what we had written before: a stale read makes it look as if it had not arrived."""
_CAUSES_LAST: Final = 3  # minutes: a write follows what happened in its own minute or in one of those before


@dataclass(frozen=True, slots=True)
class OutOfTurn:
    """A write that the holder of an older lease stored after the holder of a newer one had stored another."""

    account: str
    key: str
    at: datetime
    token: int
    newer: int


def read_out_of_turn(connection: Connection, true_time: TrueTime = as_told) -> list[OutOfTurn]:
    """The first of each account. What was sent again has the token of whoever did that: it is left out."""
    stored = connection.execute(
        select(account.c.key.label("account"), push_batch.c.key, push_batch.c.created_at, push_batch.c.lease_token)
        .join(account, account.c.id == push_batch.c.account_id)
        .where(push_batch.c.attempts <= 1)
    )
    newest: dict[str, int] = {}
    found: dict[str, OutOfTurn] = {}
    for at, row in sorted(((true_time(row.created_at), row) for row in stored), key=lambda each: each[0]):
        newer = newest.setdefault(row.account, row.lease_token)
        if row.lease_token < newer:
            found.setdefault(row.account, OutOfTurn(row.account, row.key, at, row.lease_token, newer))
        newest[row.account] = max(newer, row.lease_token)
    return list(found.values())


def writes_are_fenced(found: Iterable[OutOfTurn], verdict: Verdict) -> None:
    for each in found:
        told = f"stored under token {each.token} after another one under {each.newer}"
        verdict.find("writes.fenced", f"{each.account} {each.key}", each.at, told)


def read_stored(connection: Connection, true_time: TrueTime = as_told) -> Counter[tuple[str, int]]:
    """How many writes were stored, by account and minute, whatever became of them."""
    stored: Counter[tuple[str, int]] = Counter()
    for row in connection.execute(
        select(account.c.key, push_batch.c.created_at).join(account, account.c.id == push_batch.c.account_id)
    ):
        stored[(row.key, _minute(true_time(row.created_at)))] += 1
    return stored


def no_account_is_restless(
    stored: Mapping[tuple[str, int], int], truth: Truth, happenings: Happenings, verdict: Verdict
) -> None:
    """An account is written to as often as something happens to its listings or to stock, and a few times more.

    More is a write that answers itself: an echo, or a refusal that is tried again at once.
    """
    happened = Counter(_minute(change.at) for change in truth.changes if change.why not in ("write", "opening"))
    happened.update(_minute(arrival.at) for arrival in happenings.arrivals)
    for (key, minute), writes in sorted(stored.items()):
        causes = sum(happened[minute - back] for back in range(_CAUSES_LAST))
        if writes > _WITHOUT_A_CAUSE + _BY_EACH_CAUSE * causes:
            at = datetime.fromtimestamp(minute * _MINUTE_S, UTC)
            told = f"{writes} writes in a minute, and {causes} changes that could have caused them"
            verdict.find("writes.restless", key, at, told)


def nothing_is_written_for_nothing(truth: Truth, history: History, verdict: Verdict) -> None:
    """What we have written ourselves, and nobody has changed since, need not be written again.

    Where it is, each time, something takes our own writes for news.
    """
    written: dict[Listing, list[Change]] = defaultdict(list)
    for change in truth.changes:
        written[change.listing].append(change)
    again: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for listing, decisions in history.publications.items():
        changes = written[listing]
        for each in decisions:
            before = bisect_right(changes, each.decided_at - CLOCKS_APART, key=_happened_at)
            about_then = changes[before : bisect_right(changes, each.decided_at + CLOCKS_APART, key=_happened_at)]
            last = changes[before - 1] if before else None
            if last is None or last.why not in _OURS or last.after != each.value:
                continue
            if all(change.why in _OURS for change in about_then):
                again[listing[0]].append((each.decided_at, last.sku))
    for key, times in again.items():
        verdict.figures[f"written.{key}.for_nothing"] = len(times)
        if len(times) > _FOR_NOTHING:
            at, sku = min(times)
            told = f"{len(times)} times a number was written that we had written before; {sku} was the first"
            verdict.find("writes.for_nothing", key, at, told)


def nothing_is_raised_to_zero(truth: Truth, verdict: Verdict) -> None:
    """A number below 0 says how many units a channel owes: what is given back must first make up for those."""
    for change in truth.changes:
        if change.why == "write" and change.before < 0 == change.after:
            subject = f"{change.listing[0]} {change.sku} change {change.number}"
            verdict.find("writes.raised_to_zero", subject, change.at, f"{change.before} -> 0")


def _happened_at(change: Change) -> datetime:
    return change.at


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // _MINUTE_S

"""How numbers are written: by one owner after the other, not again and again, and never from below 0 up to 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, func, select

from syncd.db.tables import account, push_batch
from syncd.simulation.checker.truth import Truth
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings

_MINUTE_S: Final = 60
_WITHOUT_A_CAUSE: Final = 10
"""Writes to one account in a minute that need none: what waited until now, a refusal tried again."""
_BY_EACH_CAUSE: Final = 2
_CAUSES_LAST: Final = 3  # minutes: a write follows what happened in its own minute or in one of those before


@dataclass(frozen=True, slots=True)
class OutOfTurn:
    """A write that the holder of an older lease stored after the holder of a newer one had stored another."""

    account: str
    key: str
    at: datetime
    token: int
    newer: int


def read_out_of_turn(connection: Connection) -> list[OutOfTurn]:
    """The first of each account. What was sent again has the token of whoever did that: it is left out."""
    before = func.max(push_batch.c.lease_token).over(
        partition_by=push_batch.c.account_id, order_by=push_batch.c.created_at, rows=(None, -1)
    )
    stored = (
        select(
            account.c.key.label("account"),
            push_batch.c.key,
            push_batch.c.created_at,
            push_batch.c.lease_token,
            before.label("newer"),
        )
        .join(account, account.c.id == push_batch.c.account_id)
        .where(push_batch.c.attempts <= 1)
        .subquery()
    )
    found: dict[str, OutOfTurn] = {}
    for row in connection.execute(
        select(stored).where(stored.c.lease_token < stored.c.newer).order_by(stored.c.created_at)
    ):
        found.setdefault(row.account, OutOfTurn(row.account, row.key, row.created_at, row.lease_token, row.newer))
    return list(found.values())


def writes_are_fenced(found: Iterable[OutOfTurn], verdict: Verdict) -> None:
    for each in found:
        told = f"stored under token {each.token} after another one under {each.newer}"
        verdict.find("writes.fenced", f"{each.account} {each.key}", each.at, told)


def read_stored(connection: Connection) -> Counter[tuple[str, int]]:
    """How many writes were stored, by account and minute, whatever became of them."""
    stored: Counter[tuple[str, int]] = Counter()
    for row in connection.execute(
        select(account.c.key, push_batch.c.created_at).join(account, account.c.id == push_batch.c.account_id)
    ):
        stored[(row.key, _minute(row.created_at))] += 1
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


def nothing_is_raised_to_zero(truth: Truth, verdict: Verdict) -> None:
    """A number below 0 says how many units a channel owes: what is given back must first make up for those."""
    for change in truth.changes:
        if change.why == "write" and change.before < 0 == change.after:
            subject = f"{change.listing[0]} {change.sku} change {change.number}"
            verdict.find("writes.raised_to_zero", subject, change.at, f"{change.before} -> 0")


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // _MINUTE_S

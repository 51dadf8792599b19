"""Carries one route's deliveries: in order, at the service's pace, slower while it fails, or by the fallback."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from adapters.contract import Clock, Rng
from syncd.alerts.deliveries import GIVE_UP, Claimed, Tried, claim, next_due, pass_all_on
from syncd.alerts.route_state import is_told_broken, note_route, settle_and_tell
from syncd.alerts.senders.sender import NotNow, Refused, RouteDead, Sender, SendFailed, Unsendable
from syncd.db.database import Transactor
from syncd.db.lease import Lease

log = structlog.get_logger(__name__)

BROKEN_AFTER_S: Final = 300.0
"""A route that fails for so long is broken: people are told, and its fallback takes over."""

PROBE_EVERY: Final = timedelta(minutes=30)
_FIRST_S: Final = 2.0
_LONGEST_S: Final = 600.0
_SURELY_FAILED: Final = 4
_REFUSED_S: Final = (60.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0)
"""Pauses of a message that is refused while others may go; after the last one more attempt, then it is given up."""

_TRIED_AGAIN_S: Final = 30.0  # longer than any attempt: one that ended with its process is repeated then


@dataclass(frozen=True, slots=True)
class CourierTools:
    """What every courier works with. `real_now`: deliveries know no seller's time."""

    db: Transactor
    lease: Callable[[], Lease]
    clock: Clock
    rng: Rng
    real_now: Callable[[], datetime]


class Courier:
    """Works for one route. `at_once`: how many deliveries may be under way together.

    `trouble`: why nothing gets through from the first, which people are told before there is anything to send.
    `probe`: makes what is sent to a broken route for which nothing waits, to learn whether it works again.
    """

    def __init__(
        self,
        route: str,
        sender: Sender,
        tools: CourierTools,
        fallback: str | None = None,
        at_once: int = 1,
        trouble: str | None = None,
        probe: Callable[[], str] | None = None,
    ) -> None:
        self.route = route
        self.wake = asyncio.Event()
        self.rest_until: datetime | None = None  # real; None: nothing waits
        self._sender = sender
        self._tools = tools
        self._fallback = fallback
        self._at_once = at_once
        self._failures = 0
        self._counted = False
        self._failing_since: datetime | None = None
        self._broken = False
        self._trouble = trouble
        self._refusals: Counter[int] = Counter()  # by delivery
        self._unsure = True  # an earlier process may have left the route's alert open
        self._not_before = tools.real_now()
        self._probe = probe
        self._probe_at = tools.real_now()
        self._told_broken: bool | None = None  # None: an earlier process may have told so

    async def step(self) -> bool:
        """Send what is due. Returns whether there may be more at once."""
        now = self._tools.real_now()
        if self._trouble is not None:
            await self._note_broken(self._trouble)
            self._trouble = None
        due_at = await self._tools.db.read(next_due, self.route)
        if due_at is None or due_at - now > PROBE_EVERY:
            await self._try_again(now)
        if due_at is None:
            self.rest_until = None
            return False
        self.rest_until = max(due_at, self._not_before)
        if now < self._not_before:
            await self._let_fallback_take_over(now)
            return False
        if due_at > now:
            return False
        again_at = now + timedelta(seconds=_TRIED_AGAIN_S)
        claimed = await self._tools.db.transact(claim, self._tools.lease(), self.route, self._at_once, now, again_at)
        self._counted = False
        tried = await asyncio.gather(*(self._try(each) for each in claimed))
        await self._tools.db.transact(
            settle_and_tell,
            self._tools.lease(),
            self.route,
            tuple(tried),
            self._fallback,
            self._tools.real_now(),
            self._tools.clock.now(),
        )
        return self._sender.gap_s == 0.0 and not self._failures

    async def close(self) -> None:
        await self._sender.close()

    async def _try(self, each: Claimed) -> Tried:
        try:
            answer = await self._sender.send(each.key, each.body)
        except SendFailed as err:
            return await self._note_failure(each, err)
        except Exception as err:  # noqa: BLE001 - told like any failure, by its type: its text may quote a secret
            log.error("sender.failed", route=self.route, error=type(err).__name__)
            return await self._note_failure(each, NotNow(f"sending failed ({type(err).__name__})"))
        self._refusals.pop(each.id, None)
        log.info("message.sent", route=self.route, attempt=each.attempts, answer=answer)
        now = self._tools.real_now()
        self._not_before = max(self._not_before, now + timedelta(seconds=self._sender.gap_s))
        await self._note_working()
        return Tried(each.id, each.key, "sent", None, now)

    async def _note_failure(self, each: Claimed, err: SendFailed) -> Tried:
        now = self._tools.real_now()
        if isinstance(err, Unsendable):
            return self._give_up(each, err, now)
        if isinstance(err, Refused):
            return await self._hold_back(each, err, now)
        pause_s = self._back_off(err, now)
        if self._is_broken(err, each, now):
            await self._note_broken(err.reason)
        next_at = now + timedelta(seconds=pause_s)
        if self._broken and self._fallback is not None:
            return Tried(each.id, each.key, "passed_on", err.reason, next_at)
        if now - each.created_at > GIVE_UP:
            self._refusals.pop(each.id, None)
            log.error("message.given_up", route=self.route, attempts=each.attempts, reason=err.reason)
            return Tried(each.id, each.key, "failed", err.reason, next_at)
        return Tried(each.id, each.key, "waiting", err.reason, next_at)

    async def _hold_back(self, each: Claimed, err: Refused, now: datetime) -> Tried:
        """Let this one wait by itself. Where all are refused and none gets through, the route is broken too."""
        self._failing_since = self._failing_since or now
        if (now - self._failing_since).total_seconds() >= BROKEN_AFTER_S:
            await self._note_broken(err.reason)
        self._refusals[each.id] += 1
        refused = self._refusals[each.id]
        if refused > len(_REFUSED_S) or now - each.created_at > GIVE_UP:
            return self._give_up(each, err, now)
        pause_s = _REFUSED_S[refused - 1] * self._tools.rng.uniform(0.8, 1.2)
        return Tried(each.id, each.key, "waiting", err.reason, now + timedelta(seconds=pause_s))

    def _give_up(self, each: Claimed, err: SendFailed, now: datetime) -> Tried:
        self._refusals.pop(each.id, None)
        log.error("message.refused", route=self.route, attempts=each.attempts, reason=err.reason)
        return Tried(each.id, each.key, "passed_on" if self._fallback else "failed", err.reason, now)

    async def _note_broken(self, reason: str) -> None:
        if self._broken:
            return
        self._broken = True  # at once: what is under way together fails together
        log.error("route.down", route=self.route, reason=reason, fallback=self._fallback)
        try:
            await self._tell(reason)
        except BaseException:
            self._broken = False
            raise

    def _back_off(self, err: SendFailed, now: datetime) -> float:
        """Real seconds until the route is tried again."""
        if not self._failures:
            log.warning("route.failing", route=self.route, error=type(err).__name__, reason=err.reason)
        if not self._counted:  # what was under way together fails together
            self._failures += 1
            self._counted = True
        self._failing_since = self._failing_since or now
        pause_s: float = min(_LONGEST_S, _FIRST_S * 2.0 ** min(self._failures - 1, 16))
        if isinstance(err, RouteDead):
            pause_s = _LONGEST_S
        pause_s *= self._tools.rng.uniform(0.8, 1.2)
        if isinstance(err, NotNow) and err.retry_after_s is not None:
            pause_s = max(pause_s, err.retry_after_s)
        self._not_before = now + timedelta(seconds=pause_s)
        return pause_s

    def _is_broken(self, err: SendFailed, each: Claimed, now: datetime) -> bool:
        """Dead, or failing for long: since it first did, or since what waits was made, as a restart still knows."""
        since = self._failing_since or now
        if each.attempts >= _SURELY_FAILED:
            since = min(since, each.created_at)
        return isinstance(err, RouteDead) or (now - since).total_seconds() >= BROKEN_AFTER_S

    async def _let_fallback_take_over(self, now: datetime) -> None:
        if not self._broken or self._fallback is None:
            return
        reason = "the route is broken"
        await self._tools.db.transact(pass_all_on, self._tools.lease(), self.route, self._fallback, reason, now)

    async def _try_again(self, now: datetime) -> None:
        """Send a probe where people were told that the route is broken and no message would show that it is not."""
        if self._probe is None or self._told_broken is False or now < self._probe_at:
            return
        self._probe_at = now + PROBE_EVERY
        if self._told_broken is None:
            self._told_broken = await self._tools.db.read(is_told_broken, self.route)
        if not self._told_broken:
            return
        try:
            await self._sender.send(f"probe-{self._tools.rng.uuid()}", self._probe())
        except SendFailed as err:
            log.info("route.still_down", route=self.route, reason=err.reason)
        except Exception as err:  # noqa: BLE001 - as with messages: by its type, its text may quote a secret
            log.error("sender.failed", route=self.route, error=type(err).__name__)
        else:
            await self._note_working()

    async def _note_working(self) -> None:
        if self._failures:
            log.info("route.recovered", route=self.route, failures=self._failures)
        self._failures, self._failing_since, self._broken = 0, None, False
        if self._unsure:
            await self._tell(None)
            self._unsure = False

    async def _tell(self, trouble: str | None) -> None:
        self._unsure = True
        await self._tools.db.transact(note_route, self._tools.lease(), self.route, trouble, self._tools.clock.now())
        self._told_broken = trouble is not None
        self._probe_at = self._tools.real_now() + PROBE_EVERY

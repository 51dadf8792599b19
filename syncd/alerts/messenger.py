"""Tells people and programs: gathers what happened, makes messages of it, and lets a courier a route carry them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from syncd.alerts.chores import last_done
from syncd.alerts.courier import Courier, CourierTools
from syncd.alerts.digest import CHORE, DailyReport, report
from syncd.alerts.events import EVENTS_AT_ONCE, HookRule, anything_happened, hand_out
from syncd.alerts.tell import RouteRule, anything_to_tell, tell

log = structlog.get_logger(__name__)

LEASE: Final = "messenger"
_DIGEST_LOOK_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is told what, and what the day was like; `daily` None: nobody wants that."""

    routes: tuple[RouteRule, ...]
    hooks: tuple[HookRule, ...]
    daily: DailyReport | None


class Messenger:
    """Works under a lease of its own, so that of many nodes one tells people."""

    def __init__(self, plan: Plan, couriers: Sequence[Courier], tools: CourierTools) -> None:
        self.wake = asyncio.Event()
        self.next_look_at: datetime | None = None  # the seller's time; None: nothing it knows of
        self.couriers = tuple(couriers)
        self._plan = plan
        self._tools = tools
        self._digest_look_at = tools.real_now()

    async def step(self) -> bool:
        """Do what is due. Returns whether there is more to hand out at once."""
        events = await self._hand_out_events()
        made = await self._tell_people() + await self._report_the_day()
        if events or made:
            for courier in self.couriers:
                courier.wake.set()
        return events >= EVENTS_AT_ONCE

    async def close(self) -> None:
        await asyncio.gather(*(courier.close() for courier in self.couriers), return_exceptions=True)

    async def _hand_out_events(self) -> int:
        if not self._plan.hooks or not await self._tools.db.read(anything_happened):
            return 0
        return await self._tools.db.transact(
            hand_out, self._tools.lease(), self._plan.hooks, self._seed(), self._tools.real_now()
        )

    async def _tell_people(self) -> int:
        if not self._plan.routes:
            return 0
        now = self._tools.clock.now()
        due, self.next_look_at = await self._tools.db.read(anything_to_tell, now)
        if not due:
            return 0
        made = await self._tools.db.transact(
            tell, self._tools.lease(), self._plan.routes, self._seed(), now, self._tools.real_now()
        )
        if made:
            log.info("messages.made", messages=made)
        return made

    async def _report_the_day(self) -> int:
        real_now, daily = self._tools.real_now(), self._plan.daily
        if daily is None or real_now < self._digest_look_at:
            return 0
        self._digest_look_at = real_now + timedelta(seconds=_DIGEST_LOOK_S)
        now = self._tools.clock.now()
        before = await self._tools.db.read(last_done, CHORE)
        if before is not None and daily.due_after(before.at, now) > now:
            return 0
        done = await self._tools.db.transact(
            report, self._tools.lease(), self._plan.routes, daily, self._seed(), now, real_now
        )
        return int(done)

    def _seed(self) -> str:
        """What the keys of new messages begin with: unlike any other's, here and elsewhere."""
        return str(self._tools.rng.uuid())

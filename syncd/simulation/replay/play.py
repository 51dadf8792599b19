"""Play the steps: shoppers who buy what is left, and cancel what the file says, each at its own instant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.contract import Rng
from syncd.chance import SeededRng
from syncd.simulation.replay.countries import country_code
from syncd.simulation.replay.reasons import Reason
from syncd.simulation.replay.scratch import Scratch, Step, ToEnd, ToPlace, ToTakeBack
from syncd.simulation.replay.stage import NotServed, ReplayStage
from syncd.simulation.shop_control import Placed

_HOME = "GB"
_ON_THEIR_WAY = 256  # orders: a batch of the intake; at most that a channel has taken and the book has not
_NEWS_PENDING = 1000  # at most: where nobody waited for them, they would pile up in memory
_LOOK_EVERY = 16  # orders
_CREEP, _CREEP_EVERY_S = timedelta(seconds=6), 0.1  # while the book is waited for: quotas and delays need the time
_STRIKES_WITHIN_S = 0.25  # real: a kill comes in the middle of what an order set going


@dataclass(slots=True)
class Played:
    """What was done so far.

    `lines` are those of the file that are accounted for; `refused` orders found every line sold out; `sent_home` are
    those to a country that nobody here knows.
    """

    orders: int = 0
    lines: int = 0
    refused: int = 0
    sent_home: int = 0
    by_account: dict[str, int] = field(default_factory=dict)
    stopped: bool = False


class Player:
    """Takes every step at its instant.

    `faithful`: no step before everybody has done what there is to do, so that each shopper sees what the last one has
    left. Otherwise the time moves as fast as the book keeps up, and the channels' numbers follow as they can.
    """

    def __init__(self, stage: ReplayStage, scratch: Scratch, kills_at: tuple[int, ...], *, faithful: bool) -> None:
        """`kills_at`: after so many orders the daemon is killed."""
        self._stage = stage
        self._scratch = scratch
        self._faithful = faithful
        self._kills_at = list(kills_at)
        self._rng: Rng = SeededRng(stage.world.seed, "replay/kills")
        self._looked_at = 0
        self.played = Played()

    async def play(self, stop: asyncio.Event, progress: Callable[[Played], None]) -> None:
        """Until the last step, or until somebody stops it."""
        for step in self._scratch.steps():
            if stop.is_set():
                self._leave(step)
                continue
            await self._pass_time(step.at, stop)
            await self._take(step)
            progress(self.played)
            if self._kills_at and self.played.orders >= self._kills_at[0]:
                self._kills_at.pop(0)
                await asyncio.sleep(self._rng.uniform(0.0, _STRIKES_WITHIN_S))
                await self._stage.kill_daemon()

    async def _pass_time(self, at: datetime, stop: asyncio.Event) -> None:
        conductor = self._stage.conductor
        if self._faithful:
            await conductor.move_to(at)
            return
        conductor.jump_to(at)
        if self.played.orders - self._looked_at < _LOOK_EVERY:
            return
        self._looked_at = self.played.orders
        while not stop.is_set() and await self._is_behind():
            self._stage.check()
            conductor.jump_to(conductor.now() + _CREEP)
            await asyncio.sleep(_CREEP_EVERY_S)

    async def _is_behind(self) -> bool:
        """Whether the book has much to learn yet, or the channels much to tell."""
        if self.played.orders - await self._stage.orders_in() > _ON_THEIR_WAY:
            return True
        return await self._stage.news_pending() > _NEWS_PENDING

    def _leave(self, step: Step) -> None:
        self.played.stopped = True
        if isinstance(step, ToPlace):
            self._count(Reason.NOT_REACHED, sum(lines for *_, lines in step.lines))
        elif isinstance(step, ToTakeBack):
            self._count(Reason.NOT_REACHED, 1)

    async def _take(self, step: Step) -> None:
        match step:
            case ToPlace():
                await self._buy(step)
            case ToTakeBack():
                await self._take_back(step)
            case ToEnd():
                await self._end(step)

    async def _buy(self, wanted: ToPlace) -> None:
        """A shopper who finds a line sold out takes the others."""
        counter = self._stage.buyers[wanted.account]
        country = country_code(wanted.country)
        self.played.sent_home += country is None and bool(wanted.country)
        country = country or _HOME
        ship_to = {"name": "A Shopper", "address1": "1 Main Street", "country": country}
        lines = list(wanted.lines)
        while lines:
            done = await counter.buy([(sku, quantity) for sku, quantity, _ in lines], ship_to)
            if isinstance(done, Placed):
                self._scratch.note_placed(wanted.name, done.order_id, done.name, {sku: n for sku, n, _ in lines})
                self._count(Reason.ORDERED, sum(n for *_, n in lines))
                self.played.orders += 1
                by_account = self.played.by_account
                by_account[wanted.account] = by_account.get(wanted.account, 0) + 1
                return
            if isinstance(done, NotServed):
                assert ship_to["country"] != _HOME, "a sandbox ships at home"
                ship_to["country"] = _HOME
                self.played.sent_home += 1
                continue
            self._count(Reason.SOLD_OUT, lines.pop(done.line)[2])
        self.played.refused += 1

    async def _take_back(self, wanted: ToTakeBack) -> None:
        """Lower the orders that it is about. The line counts as what became of most of it."""
        taken = too_late = 0
        for order, sku, units in wanted.parts:
            placed = self._scratch.placed(order)
            has = self._scratch.sold(order, sku)
            if placed is None or has < units:
                continue
            counter = self._stage.buyers[placed.account]
            if has == units == self._scratch.sold_in_all(order):
                done = await counter.cancel(placed.order_id)
            else:
                done = await counter.edit(placed.order_id, sku, has - units)
            if done:
                self._scratch.set_sold(order, sku, has - units)
            taken += done
            too_late += not done
        self._count(Reason.TAKEN_BACK if taken else Reason.NOT_TAKEN_BACK if too_late else Reason.NEVER_SOLD, 1)

    async def _end(self, wanted: ToEnd) -> None:
        placed = self._scratch.placed(wanted.name)
        if placed is not None and await self._stage.buyers[placed.account].cancel(placed.order_id):
            self._scratch.end(wanted.name)

    def _count(self, reason: Reason, lines: int) -> None:
        self._scratch.count(reason, lines)
        self.played.lines += lines

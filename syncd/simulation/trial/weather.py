"""What goes wrong in a trial, when and for how long: spells drawn from the seed, each kind on a stream of its own."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from adapters.contract import Rng
from syncd.chance import SeededRng
from syncd.simulation.happenings import BROKEN, CLOCK_STEPPED, Outage, Spell
from syncd.simulation.kit.network import CALM
from syncd.simulation.trial.lab import Lab
from syncd.simulation.trial.plan import DAY_S, Faults
from syncd.simulation.trial.poison import tell_of_poison

_QUOTA_USED_UP = 0.7  # of all requests are told to wait


class Weather:
    """Lets things go wrong until told to stop."""

    def __init__(self, lab: Lab, faults: Faults) -> None:
        self._lab = lab
        self._faults = faults
        self._mixes = {key: sandbox.faults.mix for key, sandbox in lab.sandboxes.items()}

    def calm(self) -> None:
        """Nothing goes wrong from now on, and whatever still does ends; a spell that runs ends as it is cancelled."""
        self._lab.wire.network.mix = CALM
        self._lab.power.armed = False
        self._lab.disk.calm()
        for sandbox in self._lab.sandboxes.values():
            sandbox.faults.mix = type(sandbox.faults.mix).none()
            sandbox.faults.calm()

    def begin(self) -> list[Coroutine[Any, Any, None]]:
        """Let things go wrong; the spells to run beside everything else."""
        faults, lab = self._faults, self._lab
        lab.wire.network.mix = faults.mishaps
        lab.power.armed = True
        if faults.sandboxes:
            for key, sandbox in lab.sandboxes.items():
                sandbox.faults.mix = self._mixes[key]
        for sandbox in lab.sandboxes.values():
            sandbox.faults.mix = _struck(sandbox.faults.mix, faults.strikes)
        return [
            self._spells("long outage", faults.long_outages, faults.long_outage_s, self._outage),
            self._spells("short outage", faults.short_outages, faults.short_outage_s, self._outage),
            self._spells("exhausted", faults.exhausted, faults.exhausted_s, self._exhausted),
            self._spells("revoked", faults.revoked, (0.0, 0.0), self._revoked),
            self._spells("disk full", faults.disk_full, faults.disk_full_s, self._disk_full),
            self._spells("locked", faults.locked, faults.locked_s, self._locked),
            self._spells(BROKEN, faults.broken, faults.broken_s, self._broken),
            self._spells("frozen", faults.frozen, faults.frozen_s, self._frozen),
            self._spells(CLOCK_STEPPED, faults.clock_steps, faults.clock_step_s, self._stepped),
            self._spells("poison", faults.poison, (0.0, 0.0), self._poisoned),
        ]

    async def _spells(
        self, name: str, a_day: float, lasts_s: tuple[float, float], spell: Callable[[Rng, float], Awaitable[None]]
    ) -> None:
        """One spell after the other, at random instants, so many a day."""
        if not a_day:
            return
        rng = SeededRng(self._lab.seed, f"weather/{name}")
        while True:
            await asyncio.sleep(-math.log(1.0 - rng.random()) * DAY_S / a_day)
            length_s = rng.uniform(*lasts_s)
            self._lab.trace.note("weather", name, f"{length_s:.3f}")
            await spell(rng, length_s)

    async def _outage(self, rng: Rng, length_s: float) -> None:
        """One vendor answers nobody, while its shoppers go on buying."""
        key = self._somebody(rng)
        now = self._lab.clock.now()
        self._lab.sandboxes[key].faults.go_down(length_s)
        self._lab.happenings.outages.append(Outage(key, now, now + timedelta(seconds=length_s)))
        await asyncio.sleep(length_s)

    async def _exhausted(self, rng: Rng, length_s: float) -> None:
        """Another application of the seller uses up a vendor's quota."""
        key = self._somebody(rng)
        self._note("exhausted", key, length_s)
        sandbox = self._lab.sandboxes[key]
        before = sandbox.faults.mix
        sandbox.faults.mix = replace(before, rate_limit=_QUOTA_USED_UP)
        await asyncio.sleep(length_s)
        if sandbox.faults.mix.rate_limit == _QUOTA_USED_UP:  # unless it is calm by now
            sandbox.faults.mix = before

    async def _revoked(self, rng: Rng, _: float) -> None:
        """All access tokens of one channel die."""
        shop = self._lab.counters[rng.randrange(len(self._lab.counters))]
        await shop.expire_tokens()

    async def _disk_full(self, _: Rng, length_s: float) -> None:
        self._note("disk full", None, length_s)
        self._lab.disk.full = True
        await asyncio.sleep(length_s)
        self._lab.disk.full = False

    async def _locked(self, _: Rng, length_s: float) -> None:
        """Somebody else, a person with a database tool, holds the write lock."""
        self._note("locked", None, length_s)
        self._lab.disk.lock()
        await asyncio.sleep(length_s)
        self._lab.disk.unlock()

    async def _broken(self, _: Rng, length_s: float) -> None:
        """Some work meets a damaged page whenever it writes; whatever else there is goes on."""
        self._note(BROKEN, None, length_s)
        self._lab.disk.broken = frozenset(self._faults.broken_work)
        await asyncio.sleep(length_s)
        self._lab.disk.broken = frozenset()

    async def _frozen(self, _: Rng, length_s: float) -> None:
        """The daemon's machine stops, another takes over, and then the first goes on as if nothing had been."""
        life = self._lab.supervisor.life
        if life is None:
            return
        self._note("frozen", None, length_s)
        life.freeze()
        try:
            self._lab.supervisor.relieve()
            await asyncio.sleep(length_s)
        finally:
            life.thaw()  # this one: the life that the supervisor names by now is its relief's

    async def _stepped(self, rng: Rng, length_s: float) -> None:
        """The clock of the daemon's machine jumps by so much, either way, and is set right after a while."""
        machine = self._lab.machine
        step_s = length_s if rng.random() < 0.5 else -length_s
        wrong_s = rng.uniform(*self._faults.clock_wrong_s)
        # What was to be done at an instant that has come already, or is still to come again, waits for it.
        self._note(CLOCK_STEPPED, None, wrong_s + length_s)
        machine.step(step_s)
        try:
            await asyncio.sleep(wrong_s)
        finally:
            machine.step(-step_s)

    async def _poisoned(self, rng: Rng, _: float) -> None:
        await tell_of_poison(self._lab, rng)

    def _note(self, kind: str, key: str | None, length_s: float) -> None:
        now = self._lab.clock.now()
        self._lab.happenings.spells.append(Spell(kind, key, now, now + timedelta(seconds=length_s)))

    def _somebody(self, rng: Rng) -> str:
        keys = sorted(self._lab.sandboxes)
        return keys[rng.randrange(len(keys))]


def _struck(mix: Any, strikes: Mapping[str, float]) -> Any:
    """A sandbox's mix of faults with these probabilities, as far as its vendor knows them."""
    return replace(mix, **{name: chance for name, chance in strikes.items() if name in mix.probabilities()})

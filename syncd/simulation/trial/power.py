"""Who runs the daemon in a trial: it is started again whenever it ends, and cut off at boundaries."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, field

from adapters.contract import Rng
from syncd.db.lease import Fenced
from syncd.simulation.kit.boundary import Boundary
from syncd.simulation.kit.life import Life, current_life
from syncd.simulation.kit.trace import Trace

_AGAIN_AFTER_S = (1.0, 60.0)  # a service manager is quick, a person who finds the plug is not


@dataclass(slots=True)
class Cuts:
    """How often power was cut, by boundary, and what the daemon died of by itself."""

    by_boundary: Counter[Boundary] = field(default_factory=Counter)
    fenced: int = 0
    false_starts: int = 0  # the database could not be had
    crashes: list[str] = field(default_factory=list)


class Power:
    """Ends lives at boundaries, by chance; `armed` as long as it may."""

    def __init__(self, rng: Rng, chances: Mapping[Boundary, float], trace: Trace) -> None:
        self._rng = rng
        self._chances = chances
        self._trace = trace
        self.armed = False
        self.cuts = Cuts()

    def reach(self, boundary: Boundary, what: str) -> None:
        """A process reaches a boundary. Raises CancelledError in one that is cut off there."""
        life = current_life()
        chance = self._chances.get(boundary, 0.0)
        if life is None:
            return
        life.check()
        if not self.armed or not life.mortal or not chance or self._rng.random() >= chance:
            return
        self.cuts.by_boundary[boundary] += 1
        self._trace.note("power.cut", life.name, boundary.name, what)
        life.end()
        life.check()


class Supervisor:
    """Keeps the daemon running, as service managers do; of two machines one works and the other stands by."""

    def __init__(self, start: Callable[[int], tuple[Life, asyncio.Task[None]]], power: Power, rng: Rng) -> None:
        self._start = start
        self._power = power
        self._rng = rng
        self._relief: set[asyncio.Task[None]] = set()
        self.starts = 0
        self.life: Life | None = None

    async def run(self) -> None:
        """Start the daemon, and again after each end, for ever."""
        while True:
            await self._live()
            await asyncio.sleep(self._rng.uniform(*_AGAIN_AFTER_S))

    def relieve(self) -> None:
        """Start another daemon beside the one that runs. It works once, until it ends."""
        task = asyncio.get_running_loop().create_task(self._live(), context=Context())
        self._relief.add(task)
        task.add_done_callback(self._relief.discard)

    async def _live(self) -> None:
        self.starts += 1
        life, running = self._start(self.starts)
        self.life = life
        await asyncio.wait([running])
        life.end()
        if not running.cancelled() and (err := running.exception()) is not None:
            if isinstance(err, Fenced):
                self._power.cuts.fenced += 1
            else:
                self._power.cuts.crashes.append(f"{type(err).__name__}: {err}")

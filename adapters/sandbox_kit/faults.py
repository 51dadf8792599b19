"""Whether a request meets a fault, and which. What can go wrong is each vendor's own."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, Self, TypeVar

from adapters.contract import Clock, Rng

F = TypeVar("F", bound=StrEnum)
M = TypeVar("M", bound="Mix")


@dataclass(frozen=True, slots=True)
class Mix:
    """What every vendor's mix has. Theirs add a probability for each of their faults, named like it.

    Probabilities are per API request (at most one fault each) and per delivery of news; fields that end in `_s` are
    durations, in the seller's seconds.
    """

    webhook_drop: float = 0.01
    webhook_duplicate: float = 0.02

    hang_s: float = 30.0
    stale_read_s: float = 20.0
    webhook_delay_min_s: float = 0.5
    webhook_delay_max_s: float = 8.0

    @classmethod
    def none(cls) -> Self:
        """Nothing goes wrong; news still take their time."""
        return cls(**dict.fromkeys(cls.probabilities(), 0.0))

    @classmethod
    def probabilities(cls) -> tuple[str, ...]:
        return tuple(f.name for f in fields(cls) if not f.name.endswith("_s"))

    @classmethod
    def durations(cls) -> tuple[str, ...]:
        return tuple(f.name for f in fields(cls) if f.name.endswith("_s"))


@dataclass(frozen=True, slots=True)
class Planned(Generic[F]):
    """A fault that the next fitting request meets for certain. `operation` as in the stats; None fits any request."""

    fault: F
    operation: str | None = None


class Fates(Generic[F, M]):
    """Decides the fate of each request, by plan first and by chance second."""

    kinds: type[F]

    def __init__(self, mix: M, clock: Clock, rng: Rng) -> None:
        self.mix = mix
        self.planned: deque[Planned[F]] = deque()
        self.met: Counter[str] = Counter()
        self._clock = clock
        self._rng = rng
        self._down_until: datetime | None = None

    def go_down(self, seconds: float) -> None:
        """Answer nothing but 503 for that long. 0 ends an outage."""
        self._down_until = self._clock.now() + timedelta(seconds=seconds)

    def calm(self) -> None:
        """End an outage, and forget what was planned."""
        self._down_until = None
        self.planned.clear()

    @property
    def down(self) -> bool:
        return self._down_until is not None and self._clock.now() < self._down_until

    def chance(self, probability: float) -> bool:
        """True with that probability; a probability of 0 draws nothing."""
        return probability > 0 and self._rng.random() < probability

    def copies(self, counts: Counter[str]) -> Iterator[None]:
        """Once for each time that a piece of news goes out: mostly once, sometimes twice or not at all."""
        if self.chance(self.mix.webhook_drop):
            counts["dropped"] += 1
            return
        yield
        if self.chance(self.mix.webhook_duplicate):
            counts["duplicated"] += 1
            yield

    def webhook_delay(self) -> float:
        return self._rng.uniform(self.mix.webhook_delay_min_s, self.mix.webhook_delay_max_s)

    def staleness(self) -> float:
        return self._rng.uniform(0.0, self.mix.stale_read_s)

    def _meet(self, fault: F | None) -> F | None:
        if fault is not None:
            self.met[fault] += 1
        return fault

    def _planned_for(self, fits: Callable[[Planned[F]], bool]) -> F | None:
        for plan in self.planned:
            if fits(plan):
                self.planned.remove(plan)
                return plan.fault
        return None

    def _by_chance(self) -> F | None:
        draw = self._rng.random()
        for fault in self.kinds:
            probability: float = getattr(self.mix, fault.value)
            if draw < probability:
                return fault
            draw -= probability
        return None

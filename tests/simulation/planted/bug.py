"""A planted bug: a mistake that somebody could make in the daemon, and where the simulation must find it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from syncd.simulation.trial.plan import Plan


@dataclass(frozen=True, slots=True)
class Ground:
    """Where bugs are looked for: a plan but for its seed, and how often each fault of the sandboxes strikes.

    `strikes` are probabilities by the name of the fault, for every sandbox that knows it; others strike as the plan
    says.
    """

    name: str
    plan: Plan
    strikes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlantedBug:
    """While `planted()` is open the daemon has the bug; one of these seeds must give it away."""

    name: str
    planted: Callable[[], AbstractContextManager[object]]
    ground: Ground
    seeds: tuple[int, ...] = (1, 2, 3)

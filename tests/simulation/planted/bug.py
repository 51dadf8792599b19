"""A planted bug: a mistake that somebody could make in the daemon, and where the simulation must find it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from syncd.simulation.trial.plan import Plan


@dataclass(frozen=True, slots=True)
class Ground:
    """Where bugs are looked for: a plan but for its seed."""

    name: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class PlantedBug:
    """While `planted()` is open the daemon has the bug; with one of these seeds one of these rules must find it.

    `caught_by` are the checker's rules that are about just this mistake: what else the bug upsets is no catch.
    """

    name: str
    planted: Callable[[], AbstractContextManager[object]]
    caught_by: tuple[str, ...]
    ground: Ground
    seeds: tuple[int, ...] = (1, 2, 3)

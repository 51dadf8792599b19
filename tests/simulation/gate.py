"""Run a ground with one seed, with or without a bug, and say what the simulation found."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from syncd.simulation.checker.verdict import Finding
from syncd.simulation.scene import SELLER_START
from syncd.simulation.trial.run import run_trial
from tests.simulation.planted.bug import Ground

BROKE_OFF = "trial.broke_off"
SEEDS = "SYNCD_SIM_SEEDS"
"""The variable that `make sim SEEDS=1-10` sets."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a trial ended in; nothing when the daemon is as it should be."""

    findings: tuple[Finding, ...]
    cpu_s: float = 0.0

    @property
    def rules(self) -> frozenset[str]:
        return frozenset(each.rule for each in self.findings)


def replay(test: str) -> str:
    """The command that runs one test of the simulation again: what it plants and its seeds are in its name."""
    seeds = os.environ.get(SEEDS)
    chosen = [f"SEEDS={shlex.quote(seeds)}"] if seeds else []
    return " ".join(["make sim", *chosen, f"ARGS={shlex.quote(shlex.quote(test))}"])


def look(ground: Ground, seed: int, template: Path | None = None) -> Found:
    """Run the ground's plan with this seed."""
    plan = replace(ground.plan, seed=seed)
    try:
        outcome = run_trial(plan, template=template)
    except Exception as err:  # noqa: BLE001 - whatever ends a trial is told, and is no rule that catches anything
        story = f"{type(err).__name__}: {err}"
        return Found((Finding(BROKE_OFF, ground.name, SELLER_START, story),))
    return Found(tuple(outcome.findings), outcome.cpu_s)

"""Run a ground with one seed, with or without a bug, and say what the simulation found."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from syncd.simulation.trial.run import run_trial
from syncd.simulation.trial.weather import Weather
from tests.simulation.planted.bug import Ground
from tests.simulation.witnesses import Witnesses


@dataclass(frozen=True, slots=True)
class Found:
    """What a trial ended in; nothing when the daemon is as it should be."""

    findings: tuple[str, ...]
    cpu_s: float = 0.0


def look(ground: Ground, seed: int, template: Path | None = None) -> Found:
    """Run the ground's plan with this seed."""
    plan = replace(ground.plan, seed=seed)
    witnesses = Witnesses()
    with _striking(ground.strikes), witnesses.standing_by():
        try:
            outcome = run_trial(plan, template=template)
        except Exception as err:  # noqa: BLE001 - whatever ends a trial is what was found
            return Found((f"{type(err).__name__}: {err}",))
    restless = () if outcome.quiet_after_s is not None else (f"it never came to rest: {outcome.awaited}",)
    return Found((*map(str, outcome.findings), *restless, *witnesses.saw), outcome.cpu_s)


@contextmanager
def _striking(strikes: Mapping[str, float]) -> Iterator[None]:
    """Have the sandboxes' faults strike this often while it storms."""
    begin = Weather.begin

    def begin_with(weather: Weather) -> list[Coroutine[Any, Any, None]]:
        spells = begin(weather)
        for sandbox in weather._lab.sandboxes.values():
            mix = sandbox.faults.mix
            sandbox.faults.mix = replace(mix, **{name: p for name, p in strikes.items() if name in mix.probabilities()})
        return spells

    with mock.patch.object(Weather, "begin", begin_with):
        yield

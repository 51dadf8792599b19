"""What a timed run of one contender gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WARM_S: Final = 0.4
"""What comes before the time that counts: connections, plans, caches."""


@dataclass(frozen=True, slots=True)
class Run:
    """`rate` in orders a second, or what `unit` says; latencies in milliseconds and memory 0 where none was taken.

    `acknowledged` are the keys of all orders that were answered, the warm-up's included.
    """

    rate: float
    unit: str = "orders/s"
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    mib: float = 0.0
    acknowledged: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """One order: when it was handed in and when its answer came, in seconds of one clock."""

    key: str
    began_s: float
    ended_s: float


def run_of(answered: Sequence[Answered], start_s: float, note: str = "") -> Run:
    """The rate from `start_s` to the last answer; what was answered before that is the warm-up's."""
    timed = [each for each in answered if each.ended_s >= start_s]
    if not timed:
        return Run(0.0, acknowledged=tuple(each.key for each in answered), note="no order was answered")
    took = sorted((each.ended_s - each.began_s) * 1000 for each in timed)
    last_s = max(each.ended_s for each in timed)
    return Run(
        len(timed) / (last_s - start_s),
        p50_ms=took[len(took) // 2],
        p99_ms=took[min(len(took) - 1, len(took) * 99 // 100)],
        acknowledged=tuple(each.key for each in answered),
        note=note,
    )

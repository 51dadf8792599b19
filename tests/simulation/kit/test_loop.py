"""Time jumps to the next timer, and a hang is an error."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta

import pytest

from syncd.simulation.kit import loop as kit_loop
from syncd.simulation.kit.loop import Deadlock, Livelock, VirtualWall
from tests.simulation.kit.machines import NOON, now, virtually


def test_months_pass_at_once_and_every_timer_at_its_instant() -> None:
    rung: list[tuple[str, float]] = []

    async def ring(name: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        rung.append((name, now()))

    async def main() -> None:
        await asyncio.gather(ring("months", 60 * 86_400.0), ring("second", 1.0), ring("hour", 3600.0))

    began = time.perf_counter()
    virtually(main())

    assert rung == [("second", 1.0), ("hour", 3600.0), ("months", 60 * 86_400.0)]
    assert time.perf_counter() - began < 5.0


def test_a_hang_is_a_deadlock_that_names_who_waits() -> None:
    async def who_waits_for_ever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="who_waits_for_ever"):
        virtually(who_waits_for_ever())


def test_going_round_without_time_passing_is_a_livelock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_loop, "_SPIN", 1_000)

    async def who_never_sleeps() -> None:
        while True:  # noqa: ASYNC110 - it waits for nothing
            await asyncio.sleep(0)

    with pytest.raises(Livelock, match="who_never_sleeps"):
        virtually(who_never_sleeps())


def test_work_on_a_thread_is_refused() -> None:
    async def main() -> None:
        await asyncio.to_thread(print)

    with pytest.raises(AssertionError, match="wants a thread"):
        virtually(main())


def test_a_wall_clock_follows_the_loop_and_may_be_off() -> None:
    async def main() -> tuple[datetime, datetime]:
        wall = VirtualWall(asyncio.get_running_loop(), NOON)  # type: ignore[arg-type]
        await asyncio.sleep(90.0)
        return wall.now(), wall.off_by(-2.5).now()

    right, wrong = virtually(main())

    assert right == NOON + timedelta(seconds=90)
    assert wrong == NOON + timedelta(seconds=87.5)

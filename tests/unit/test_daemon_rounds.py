"""A stop lets rounds end, begins no more of them, and is kept by nobody."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest
from structlog.testing import capture_logs

from syncd import daemon
from syncd.daemon_rounds import Rounds, within
from syncd.last_resort import DRAIN_S
from syncd.loops import Job


async def test_a_round_under_way_may_end_and_none_begins_after_it() -> None:
    rounds, goes_on, done = Rounds(), asyncio.Event(), []

    async def step() -> bool:
        await goes_on.wait()
        done.append("round")
        return True

    watched = rounds.step("intake", step)
    task = asyncio.ensure_future(watched())
    await asyncio.sleep(0)
    ending = asyncio.create_task(rounds.end(10.0))
    await asyncio.sleep(0)
    assert not ending.done()
    goes_on.set()

    assert await ending == []
    assert await task is True
    assert await watched() is False, "it rests, and is not asked for more"
    assert done == ["round"]


async def test_a_job_that_is_due_while_all_end_is_left_out() -> None:
    rounds, runs = Rounds(), []

    async def run() -> None:
        runs.append(1)

    [job] = rounds.jobs((Job("poll:shop", 60.0, run, at_start=True),))
    await job.run()
    await rounds.end(1.0)
    await job.run()

    assert (len(runs), job.name, job.every_s, job.at_start) == (1, "poll:shop", 60.0, True)


async def test_what_does_not_end_in_time_is_named() -> None:
    rounds = Rounds()

    async def for_ever() -> bool:
        await asyncio.sleep(3600)
        return False

    tasks = [asyncio.ensure_future(rounds.step(name, for_ever)()) for name in ("publish:shop", "intake")]
    await asyncio.sleep(0)

    assert await rounds.end(0.05) == ["intake", "publish:shop"]
    assert set(rounds.tasks) == set(tasks)
    assert await rounds.end(0.0) == ["intake", "publish:shop"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert rounds.tasks == []


async def test_a_round_that_fails_is_over_too() -> None:
    rounds = Rounds()

    async def fails() -> bool:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await rounds.step("intake", fails)()

    assert await rounds.end(1.0) == []


async def test_work_that_heeds_no_cancellation_is_left_behind() -> None:
    async def stubborn() -> None:
        for _ in range(10):
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                continue

    began = time.monotonic()
    with capture_logs() as logs:
        await within(0.05, "adapters", stubborn())

    assert time.monotonic() - began < 0.5
    assert [(line["event"], line["what"]) for line in logs] == [("stop.left_behind", "adapters")]
    await asyncio.sleep(1.1)


async def test_what_fails_in_time_fails() -> None:
    async def fails() -> None:
        raise OSError("closed badly")

    with pytest.raises(OSError, match="closed badly"):
        await within(1.0, "web", fails())


def test_all_that_a_stop_may_take_is_less_than_what_the_process_has_to_end() -> None:
    parts = (daemon.GRACE_S, daemon._CUT_S, daemon._WEB_S, daemon._CLOSE_S, daemon._RELEASE_S)

    assert sum(parts) < DRAIN_S < 20.0


def test_a_process_that_was_asked_to_end_ends_although_a_thread_hangs() -> None:
    program = """
import threading, time
from syncd.last_resort import end_surely
from syncd.logging import configure
configure()
threading.Thread(target=time.sleep, args=[60], name="stuck").start()
end_surely(0.3)
time.sleep(60)
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)

    assert done.returncode == 0
    assert "daemon.cut_off" in done.stderr
    assert "stuck" in done.stderr
    assert time.monotonic() - began < 20

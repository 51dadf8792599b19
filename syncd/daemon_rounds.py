"""Which rounds of loops and jobs are under way, so that a stop can let them end and begins no more of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import structlog

from syncd.loops import Job, Step

log = structlog.get_logger(__name__)


class Rounds:
    """Counts the rounds of what it watches. A round that ends by itself leaves no vendor's answer unread."""

    def __init__(self) -> None:
        self._under_way: dict[asyncio.Task[Any], str] = {}
        self._ending = False
        self._changed = asyncio.Event()

    def step(self, name: str, step: Step) -> Step:
        """The same step; it does nothing any more once all are to end."""

        async def watched() -> bool:
            if self._ending:
                return False
            with self._noted(name):
                return await step()

        return watched

    def jobs(self, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        return tuple(self._job(each) for each in jobs)

    async def end(self, within_s: float) -> list[str]:
        """Begin no more rounds, and wait for those under way. Returns the names of those that have not ended."""
        self._ending = True
        give_up_at = _now_s() + within_s
        while self._under_way and (left_s := give_up_at - _now_s()) > 0:
            self._changed.clear()
            await _wait_for(self._changed, left_s)
        return sorted(self._under_way.values())

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """What runs the rounds that are under way."""
        return list(self._under_way)

    def _job(self, job: Job) -> Job:
        async def watched() -> None:
            if not self._ending:
                with self._noted(job.name):
                    await job.run()

        return replace(job, run=watched)

    @contextmanager
    def _noted(self, name: str) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None, "a round runs in a task"
        self._under_way[task] = name
        try:
            yield
        finally:
            del self._under_way[task]
            self._changed.set()


async def within(seconds: float, what: str, work: Awaitable[object]) -> None:
    """Await `work` so long, and then leave it behind, cancelled: also work that heeds no cancellation keeps nobody.

    Raises what `work` raises in that time.
    """
    task = asyncio.ensure_future(work)
    ended, _ = await asyncio.wait([task], timeout=seconds)
    if ended:
        task.result()
        return
    task.cancel()
    task.add_done_callback(_look_at)
    log.warning("stop.left_behind", what=what, after_s=seconds)


def _look_at(task: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more: what became of it is told here."""
    if not task.cancelled() and (err := task.exception()) is not None:
        log.warning("stop.failed_later", error=type(err).__name__)


async def _wait_for(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return


def _now_s() -> float:
    return asyncio.get_running_loop().time()

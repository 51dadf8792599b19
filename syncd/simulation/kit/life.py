"""One life of a process inside the simulation: what it started ends with it, and nothing it does outlives it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any

_current: ContextVar[Life | None] = ContextVar("life", default=None)


class Life:
    """A process from its start to its end. All tasks begun inside it, by whomever, belong to it."""

    def __init__(self, name: str, *, mortal: bool = False) -> None:
        self.name = name
        self.mortal = mortal  # power cuts befall it
        self.alive = True
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._running = asyncio.Event()
        self._running.set()
        self._at_end: list[Callable[[], None]] = []
        self._context = copy_context()
        self._context.run(_current.set, self)

    def context(self) -> Context:
        """A context to run something in as this process."""
        return self._context.copy()

    def begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task of this process."""
        return asyncio.get_running_loop().create_task(work, context=self.context())

    def adopt(self, task: asyncio.Task[Any]) -> None:
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)

    def at_end(self, do: Callable[[], None]) -> None:
        """Have this done when the process ends, however it ends."""
        self._at_end.append(do)

    def freeze(self) -> None:
        """The machine stops this process for a while, as a paused virtual machine does."""
        self._running.clear()

    def thaw(self) -> None:
        self._running.set()

    async def awake(self) -> None:
        """Wait while frozen. Raises CancelledError in a process that is no more."""
        if self.alive and not self._running.is_set():
            await self._running.wait()
        self.check()

    def check(self) -> None:
        """Raises CancelledError in a process that is no more: not even its last words get out."""
        if not self.alive:
            raise asyncio.CancelledError(f"{self.name} is no more")

    def end(self) -> None:
        """Power off: nobody gets to say goodbye."""
        if not self.alive:
            return
        self.alive = False
        self._running.set()
        for do in self._at_end:
            do()
        for task in list(self._tasks):
            task.cancel()


def current_life() -> Life | None:
    """The process that the running code belongs to; None for the world around them."""
    return _current.get()


def adopt_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Have each task of this loop belong to the life that began it."""

    def make(
        loop: asyncio.AbstractEventLoop, coro: Any, *, context: Context | None = None, **kwargs: Any
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=loop, context=context, **kwargs)
        life = context.get(_current) if context is not None else _current.get()
        if life is not None:
            life.adopt(task)
        return task

    loop.set_task_factory(make)

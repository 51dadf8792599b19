"""One thread that writes, and two queues before it: what is urgent goes before everything else that waits."""

from __future__ import annotations

import threading
import time  # noqa: TID251 - how long a thread was busy, whatever the seller's clock says
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


_LONG_S = 0.01
"""Work that is done sooner holds nobody up."""


class OneWriter:
    """`usual` and `ahead` are executors over the same thread."""

    def __init__(self, name: str) -> None:
        self._there_is_work = threading.Condition()
        self._closed = False
        self.ahead = _Way(self)
        self.usual = _Way(self)
        self._name = name
        self._thread: threading.Thread | None = None  # from the first work on
        self._held_up_at: float | None = None

    def put(self, way: _Way, run: Callable[[], None], future: Future[Any]) -> None:
        with self._there_is_work:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            way.waiting.append((run, future))
            self._there_is_work.notify()

    def shutdown(self) -> None:
        """Cancel what has not begun, and wait for what has."""
        with self._there_is_work:
            self._closed = True
            left = [future for way in (self.ahead, self.usual) for _, future in way.waiting]
            self.ahead.waiting.clear()
            self.usual.waiting.clear()
            self._there_is_work.notify()
        for future in left:
            future.cancel()
            future.set_running_or_notify_cancel()
        if self._thread is not None:
            self._thread.join()

    def held_up(self, within_s: float) -> bool:
        """Whether work that took long ended within the last so many seconds while other work waited for it."""
        return self._held_up_at is not None and time.monotonic() - self._held_up_at < within_s

    def note_end(self, began: float) -> None:
        """Work is about to be answered: what its caller hands in then has not waited for it."""
        now = time.monotonic()
        if now - began > _LONG_S and (self.ahead.waiting or self.usual.waiting):
            self._held_up_at = now

    def _work(self) -> None:
        while (run := self._next()) is not None:
            run()

    def _next(self) -> Callable[[], None] | None:
        with self._there_is_work:
            while not (self.ahead.waiting or self.usual.waiting or self._closed):
                self._there_is_work.wait()
            for way in (self.ahead, self.usual):
                if way.waiting:
                    return way.waiting.popleft()[0]
        return None


class _Way(Executor):
    """One of the two queues, as an executor."""

    def __init__(self, writer: OneWriter) -> None:
        self._writer = writer
        self.waiting: deque[tuple[Callable[[], None], Future[Any]]] = deque()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            began = time.monotonic()
            try:
                done = fn(*args, **kwargs)
            except BaseException as err:  # noqa: BLE001 - whoever waits for it gets it, also what ends a process
                self._writer.note_end(began)
                future.set_exception(err)
            else:
                self._writer.note_end(began)
                future.set_result(done)

        self._writer.put(self, run, future)
        return future

"""An event loop that shows on the board whether it has anything to do."""

from __future__ import annotations

import asyncio
import selectors
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from syncd.simulation.led.board import Board


class LedLoop(asyncio.SelectorEventLoop):
    """An ordinary loop in real time. Who leads sees when it rests, and tells it by a datagram that time has moved."""

    def __init__(self, board: Board, slot: int) -> None:
        self._ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ear.bind(("127.0.0.1", 0))
        self._ear.setblocking(False)
        self._board = board
        self._slot = slot
        super().__init__(_ShownSelector(board, slot))
        self.time_moved: list[Callable[[], None]] = []
        self.add_reader(self._ear, self._hear)
        board.take(slot, threading.get_native_id(), self._ear.getsockname()[1])

    def _hear(self) -> None:
        while True:
            try:
                self._ear.recv(1)
            except BlockingIOError:
                break
        for tell in self.time_moved:
            tell()

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        future = super().run_in_executor(executor, func, *args)
        self._board.add_threads(self._slot, 1)
        future.add_done_callback(lambda _: self._board.add_threads(self._slot, -1))
        return future

    def close(self) -> None:
        if not self.is_closed():
            self.remove_reader(self._ear)
            self._ear.close()
        super().close()


class _ShownSelector(selectors.DefaultSelector):
    def __init__(self, board: Board, slot: int) -> None:
        super().__init__()
        self._board = board
        self._slot = slot

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        self._board.rest(self._slot)
        found = super().select(timeout)
        self._board.begin_turn(self._slot)
        return found

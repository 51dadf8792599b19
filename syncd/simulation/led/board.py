"""The board that all processes of a led run look at: the seller's time, and what each of them is about."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from syncd.db.types import from_micros, to_micros

NEVER = 2**62
_USUAL_JOB_SPEED = 600
SLOTS = 8
_WORDS = 8  # of 64 bits, in the head and in each slot
_NOW, _JOB_SPEED = 0, 1
_PID, _PORT, _TURNS, _RESTING, _THREADS, _DUE = range(6)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a process was about. `pid` is that of its loop's thread, `turns` grows with every round of the loop.

    `due` is in microseconds, NEVER for nothing.
    """

    pid: int
    port: int
    turns: int
    resting: bool
    threads: int
    due: int


class Board:
    """Words in shared memory. Each has one writer, and is written and read whole."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), (1 + SLOTS) * _WORDS * 8)
        self._words = memoryview(self._memory).cast("q")

    @classmethod
    def create(cls, path: Path, now: datetime) -> Board:
        path.write_bytes(bytes((1 + SLOTS) * _WORDS * 8))
        board = cls(path)
        board.set_now(to_micros(now))
        return board

    def now(self) -> datetime:
        return from_micros(self._words[_NOW])

    @property
    def now_micros(self) -> int:
        return self._words[_NOW]

    def set_now(self, micros: int) -> None:
        self._words[_NOW] = micros

    @property
    def job_speed(self) -> int:
        """No job comes more often than at so many times real time, however fast the seller's time moves."""
        return self._words[_JOB_SPEED] or _USUAL_JOB_SPEED

    def set_job_speed(self, speed: int) -> None:
        self._words[_JOB_SPEED] = speed

    def take(self, slot: int, pid: int, port: int) -> None:
        """Sit down at a slot. Its port is where this process wants to be told that time has moved."""
        at = self._at(slot)
        self._words[at + _TURNS] = self._words[at + _RESTING] = self._words[at + _THREADS] = 0
        self._words[at + _DUE] = NEVER
        self._words[at + _PORT] = port
        self._words[at + _PID] = pid

    def leave(self, slot: int) -> None:
        self._words[self._at(slot) + _PID] = 0

    def begin_turn(self, slot: int) -> None:
        at = self._at(slot)
        self._words[at + _RESTING] = 0
        self._words[at + _TURNS] += 1

    def rest(self, slot: int) -> None:
        self._words[self._at(slot) + _RESTING] = 1

    def add_threads(self, slot: int, by: int) -> None:
        self._words[self._at(slot) + _THREADS] += by

    def want(self, slot: int, due_micros: int) -> None:
        """Say when there is something to do next; time does not pass it by."""
        self._words[self._at(slot) + _DUE] = due_micros

    def seen(self, slot: int) -> Seen | None:
        """None where nobody sits."""
        at = self._at(slot)
        words = self._words[at : at + _WORDS]
        pid = words[_PID]
        if not pid:
            return None
        return Seen(pid, words[_PORT], words[_TURNS], bool(words[_RESTING]), words[_THREADS], words[_DUE])

    def close(self) -> None:
        self._words.release()
        self._memory.close()

    @staticmethod
    def _at(slot: int) -> int:
        return (1 + slot) * _WORDS

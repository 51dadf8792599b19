"""Which configuration a process works by, and how the last attempt to change it went."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from syncd.alerts.chores import last_done, note_done

CHORE: Final = "reload"
"""The answer to a reload lies in the database under this name, for who asked for it from another process."""

FILE: Final = "reload.json"
"""And in the folder that the service manager gives: what it runs at a reload is given no secrets, nor the database."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt; `problems` are why it was refused as a whole, none when it was taken. Real time."""

    at: datetime
    problems: tuple[str, ...] = ()

    @property
    def taken(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class Standing:
    """What `/status` shows under `configuration`. Instants are real ones."""

    in_force_since: datetime
    last: Answer | None = None

    def note(self, answer: Answer) -> None:
        self.last = answer
        if answer.taken:
            self.in_force_since = answer.at

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"pid": os.getpid(), "in_force_since": self.in_force_since, "reload": None}
        if self.last is not None:
            verdict = "taken" if self.last.taken else f"refused: {'; '.join(self.last.problems)}"
            told["reload"] = {"at": self.last.at, "verdict": verdict, "problems": self.last.problems}
        return told


def write_answer(connection: Connection, answer: Answer) -> None:
    note_done(connection, CHORE, answer.at, msgspec.json.encode(answer.problems).decode())


def read_answer(connection: Connection) -> Answer | None:
    """The newest answer of any daemon on this database; None before the first."""
    found = last_done(connection, CHORE)
    return None if found is None else Answer(found.at, msgspec.json.decode(found.note, type=tuple[str, ...]))


def write_answer_file(folder: Path, answer: Answer) -> None:
    """Raises OSError."""
    unfinished = folder / f"{FILE}.new"
    unfinished.write_bytes(msgspec.json.encode(answer))
    unfinished.replace(folder / FILE)


def read_answer_file(folder: Path) -> Answer | None:
    """The newest answer; None before the first."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Answer)
    except FileNotFoundError:
        return None

"""How far a pass of the audit has come, kept across restarts: one row a pass, whatever the book's size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Executable, delete, select

from syncd.db.statements import Given, statement
from syncd.db.tables import audit_progress


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass and its position, plain JSON. `ended_at` is None while there is more to look at."""

    name: str
    position: dict[str, Any]
    started_at: datetime
    moved_at: datetime
    ended_at: datetime | None = None

    def moved(self, position: dict[str, Any] | None, now: datetime) -> Pass:
        """The pass further on; None: at its end."""
        if position is None:
            return replace(self, moved_at=now, ended_at=now)
        return replace(self, position=position, moved_at=now)


def load_pass(connection: Connection, name: str) -> Pass | None:
    found = connection.execute(select(audit_progress).where(audit_progress.c.name == name)).one_or_none()
    if found is None:
        return None
    return Pass(found.name, msgspec.json.decode(found.position), found.started_at, found.moved_at, found.ended_at)


def save_pass(connection: Connection, at: Pass) -> None:
    position = msgspec.json.encode(at.position).decode()
    _save(connection, at=[(at.name, position, at.started_at, at.moved_at, at.ended_at)])


@statement
def _save(given: Given) -> Executable:
    at = given.rows("at", name=str, position=str, started_at=datetime, moved_at=datetime, ended_at=datetime)
    new = given.insert(audit_progress, at)
    columns = ("position", "started_at", "moved_at", "ended_at")
    return new.on_conflict_do_update(index_elements=["name"], set_={name: new.excluded[name] for name in columns})


def drop_pass(connection: Connection, name: str) -> None:
    connection.execute(delete(audit_progress).where(audit_progress.c.name == name))

"""How far a pass of the audit has come, kept across restarts: one row a pass, whatever the book's size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Executable, delete, select
from sqlalchemy.dialects import postgresql

from syncd.db.statements import Given, statement
from syncd.db.tables import audit_progress

WHOLE: Final = "whole"
"""The daemon's pass through the whole book."""

_SAVED: Final = ("position", "started_at", "moved_at", "ended_at")


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
    _save(connection, at=[_row(at)])


def save_further(connection: Connection, at: Pass) -> None:
    """Save how far a pass has come, unless somebody has had it begin anew meanwhile: then it goes on from there."""
    _save_further(connection, at=[_row(at)])


def _row(at: Pass) -> tuple[str, str, datetime, datetime, datetime | None]:
    return at.name, msgspec.json.encode(at.position).decode(), at.started_at, at.moved_at, at.ended_at


@statement
def _save(given: Given) -> Executable:
    new = _new(given)
    return new.on_conflict_do_update(index_elements=["name"], set_={name: new.excluded[name] for name in _SAVED})


@statement
def _save_further(given: Given) -> Executable:
    new = _new(given)
    kept = {name: new.excluded[name] for name in _SAVED}
    same = audit_progress.c.started_at <= new.excluded.started_at
    return new.on_conflict_do_update(index_elements=["name"], set_=kept, where=same)


def _new(given: Given) -> postgresql.Insert:
    at = given.rows("at", name=str, position=str, started_at=datetime, moved_at=datetime, ended_at=datetime)
    return given.insert(audit_progress, at)


def drop_pass(connection: Connection, name: str) -> None:
    connection.execute(delete(audit_progress).where(audit_progress.c.name == name))

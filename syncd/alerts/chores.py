"""What is due once in a while, remembered across restarts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Executable, select

from syncd.db.statements import Given, statement
from syncd.db.tables import chore


@dataclass(frozen=True, slots=True)
class Done:
    """When a chore was last done, and what it left for the next time."""

    at: datetime
    note: str


def last_done(connection: Connection, name: str) -> Done | None:
    found = connection.execute(select(chore).where(chore.c.name == name)).one_or_none()
    return None if found is None else Done(found.done_at, found.note)


def note_done(connection: Connection, name: str, at: datetime, note: str = "") -> None:
    _note_done(connection, done=[(name, at, note)])


@statement
def _note_done(given: Given) -> Executable:
    new = given.insert(chore, given.rows("done", name=str, done_at=datetime, note=str))
    return new.on_conflict_do_update(
        index_elements=["name"], set_={"done_at": new.excluded.done_at, "note": new.excluded.note}
    )

"""What a database's error means to a person, and what to do about it. Never what was read or written."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError


def explain(err: SQLAlchemyError) -> str:
    """An error of the database in one line: what it says, and the remedy."""
    if not isinstance(err, DBAPIError) or err.orig is None:
        return f"{type(err).__name__}. {_REPORT}"
    return f"{str(err.orig).strip().splitlines()[0]}. {_remedy(err)}"


def _remedy(err: DBAPIError) -> str:
    if isinstance(err.orig, sqlite3.Error):
        return _REMEDIES.get(getattr(err.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF, _REPORT)
    if isinstance(err, OperationalError):
        return "See that PostgreSQL runs, that this machine may reach it, and that nobody holds locks in it"
    return _REPORT


_REPORT = "This is unexpected: report it"
_REMEDIES = {
    sqlite3.SQLITE_BUSY: "Another program holds it: end that one, or try again later",
    sqlite3.SQLITE_LOCKED: "Another program holds it: end that one, or try again later",
    sqlite3.SQLITE_CANTOPEN: "See that its folder is there and that this user may write to it",
    sqlite3.SQLITE_READONLY: "See that this user may write to it and to its folder",
    sqlite3.SQLITE_FULL: "Make room on its disk",
    sqlite3.SQLITE_NOTADB: "Name another file under [database], or restore a backup",
    sqlite3.SQLITE_CORRUPT: "Restore a backup",
}

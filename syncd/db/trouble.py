"""What a database's error means to a person, and what to do about it. Never what was read or written."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection


def explain(err: SQLAlchemyError) -> str:
    """An error of the database in one line: what it says, and the remedy."""
    if not isinstance(err, DBAPIError) or err.orig is None:
        return f"{type(err).__name__}. {_REPORT}"
    return f"{str(err.orig).strip().splitlines()[0]}. {_remedy(err)}"


def is_down(err: BaseException) -> bool:
    """Whether the database itself cannot be worked with, so that no single statement is to blame."""
    if isinstance(err, NoConnection):
        return True
    if not isinstance(err, DBAPIError):
        return False
    if err.connection_invalidated:
        return True
    if isinstance(err.orig, sqlite3.Error):
        return getattr(err.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _DOWN
    state = getattr(err.orig, "sqlstate", None)
    if state is None:  # it was never reached, or went away
        return isinstance(err, OperationalError | InterfaceError)
    return bool(state.startswith(_DOWN_SQLSTATES))


def took_too_long(err: DBAPIError) -> bool:
    """Whether a statement was broken off because it would not end: PostgreSQL's time-out, or our own on SQLite."""
    if isinstance(err.orig, sqlite3.Error):
        return getattr(err.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF == sqlite3.SQLITE_INTERRUPT
    return getattr(err.orig, "sqlstate", None) == _QUERY_CANCELLED


def _remedy(err: DBAPIError) -> str:
    if isinstance(err.orig, sqlite3.Error):
        if str(err.orig) in _SPOILT_ON_SQLITE:
            return _SPOILT
        return _REMEDIES.get(getattr(err.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF, _REPORT)
    state = getattr(err.orig, "sqlstate", None) or ""
    if state in _SQLSTATES or state[:2] in _SQLSTATES:
        return _SQLSTATES.get(state) or _SQLSTATES[state[:2]]
    if isinstance(err, OperationalError):
        return "See that PostgreSQL runs, that this machine may reach it, and that nobody holds locks in it"
    return _REPORT


_REPORT = "This is unexpected: report it"
_TOOK_TOO_LONG = "It took too long: see what else keeps the database busy, and that its statistics are fresh (ANALYZE)"
_SPOILT = "A value in the database is none that syncd writes: copy the database, and report this"
_SPOILT_ON_SQLITE = ("malformed JSON", "integer overflow")
_QUERY_CANCELLED = "57014"
_SQLSTATES = {
    "22": _SPOILT,
    _QUERY_CANCELLED: _TOOK_TOO_LONG,
    "55P03": "See who holds locks in it: end that program, or try again later",
    "XX001": "Restore a backup",
    "XX002": "An index is damaged: REINDEX it, or restore a backup",
}
_DOWN_SQLSTATES = ("08", "3D", "28", "57P", "53300")
_DOWN = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
    )
)
_REMEDIES = {
    sqlite3.SQLITE_BUSY: "Another program holds it: end that one, or try again later",
    sqlite3.SQLITE_LOCKED: "Another program holds it: end that one, or try again later",
    sqlite3.SQLITE_CANTOPEN: "See that its folder is there and that this user may write to it",
    sqlite3.SQLITE_READONLY: "See that this user may write to it and to its folder",
    sqlite3.SQLITE_FULL: "Make room on its disk",
    sqlite3.SQLITE_NOTADB: "Name another file under [database], or restore a backup",
    sqlite3.SQLITE_CORRUPT: "Restore a backup",
    sqlite3.SQLITE_INTERRUPT: _TOOK_TOO_LONG,
}

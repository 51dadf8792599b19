"""What a database's error means to a person, and what to do about it. Never what was read or written."""

from __future__ import annotations

import re
import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection


def explain(err: SQLAlchemyError) -> str:
    """An error of the database in one line: what it says, and the remedy."""
    if not isinstance(err, DBAPIError) or err.orig is None:
        return f"{type(err).__name__}. {_REPORT}"
    return f"{_said(err.orig)}. {_remedy(err)}"


def code_of(err: sqlite3.Error) -> int:
    """SQLite's code, whatever it was extended by. What Python's driver itself finds wrong has none."""
    return getattr(err, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def is_down(err: BaseException) -> bool:
    """Whether the database itself cannot be worked with, so that no single statement is to blame."""
    if isinstance(err, NoConnection):
        return True
    if not isinstance(err, DBAPIError):
        return False
    if err.connection_invalidated:
        return True
    if isinstance(err.orig, sqlite3.Error):
        return code_of(err.orig) in _DOWN
    state = getattr(err.orig, "sqlstate", None)
    if state is None:  # it was never reached, or went away
        return isinstance(err, OperationalError | InterfaceError)
    return bool(state.startswith(_DOWN_SQLSTATES))


def took_too_long(err: DBAPIError) -> bool:
    """Whether a statement was broken off because it would not end: PostgreSQL's time-out, or our own on SQLite."""
    if isinstance(err.orig, sqlite3.Error):
        return code_of(err.orig) == sqlite3.SQLITE_INTERRUPT
    return getattr(err.orig, "sqlstate", None) == _QUERY_CANCELLED


def _said(err: BaseException) -> str:
    """The first line of what it says, without the stored value that it is about."""
    line = str(err).strip().partition("\n")[0].strip()
    if isinstance(err, sqlite3.Error):
        return line.partition(_WITH_VALUE)[0]
    if (getattr(err, "sqlstate", None) or "").startswith(_OF_A_VALUE):
        return _QUOTED.sub('"…"', line)
    return line


def _remedy(err: DBAPIError) -> str:
    if isinstance(err.orig, sqlite3.Error):
        if str(err.orig).startswith(_SPOILT_ON_SQLITE):
            return _SPOILT
        return _REMEDIES.get(code_of(err.orig), _REPORT)
    state = getattr(err.orig, "sqlstate", None) or ""
    if state in _SQLSTATES or state[:2] in _SQLSTATES:
        return _SQLSTATES.get(state) or _SQLSTATES[state[:2]]
    if isinstance(err, OperationalError):
        return "See that PostgreSQL runs, that this machine may reach it, and that nobody holds locks in it"
    return _REPORT


_REPORT = "This is unexpected: report it"
_TOOK_TOO_LONG = "It took too long: see what else keeps the database busy, and that its statistics are fresh (ANALYZE)"
_SPOILT = "A value in the database is none that syncd writes: copy the database, and report this"
_SPOILT_ON_SQLITE = ("malformed JSON", "integer overflow", "Could not decode to UTF-8")
_WITH_VALUE = " with text "
_OF_A_VALUE = "22"
_QUOTED = re.compile(r'"(?:.*"|.*$)')
_DISK = "See that its disk is whole, mounted and has room; copy the database, and restore a backup if it stays so"
_SERVERS_DISK = "See that the server's disk is whole, mounted and has room, and what its log says"
_MEMORY = "It ran out of memory: see what takes it"
_QUERY_CANCELLED = "57014"
_SQLSTATES = {
    _OF_A_VALUE: _SPOILT,
    "25006": "It takes no changes: see that [database] names the primary, and that no default makes it read-only",
    "53100": "Make room on the server's disk",
    "53200": _MEMORY,
    "58030": _SERVERS_DISK,
    _QUERY_CANCELLED: _TOOK_TOO_LONG,
    "55P03": "See who holds locks in it: end that program, or try again later",
    "XX001": "Restore a backup",
    "XX002": "An index is damaged: REINDEX it, or restore a backup",
}
# Without disk or memory one statement that sorts much may fail where all others work: that is not "down" there.
_DOWN_SQLSTATES = ("08", "25006", "3D", "28", "57P", "53300", "58030")
_DOWN = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
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
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_NOMEM: _MEMORY,
    sqlite3.SQLITE_NOTADB: "Name another file under [database], or restore a backup",
    sqlite3.SQLITE_CORRUPT: "Restore a backup",
    sqlite3.SQLITE_INTERRUPT: _TOOK_TOO_LONG,
}

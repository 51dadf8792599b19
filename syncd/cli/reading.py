"""What every reading command shares: the database it reads, JSON for programs, and words for what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Connection, select

from syncd import config as settings
from syncd.bootstrap import open_database
from syncd.db.database import Database
from syncd.db.tables import account
from syncd.insight.unknown import Unknown, alike


@contextmanager
def reading(path: Path) -> Iterator[Database]:
    """The database that a configuration names, for as long as it is read."""
    db = open_database(settings.load(path))
    try:
        yield db
    finally:
        db.close()


def as_json(found: object, console: Console) -> None:
    console.print_json(msgspec.json.encode(found).decode())


def find_account(connection: Connection, key: str | None) -> int | None:
    """The account of that key; None for none given. Raises Unknown, naming those there are."""
    if key is None:
        return None
    ids = {row.key: row.id for row in connection.execute(select(account.c.key, account.c.id).order_by(account.c.key))}
    if key in ids:
        return int(ids[key])
    raise Unknown("account", key, alike(key, ids), f"There is {', '.join(ids) or 'none yet'}")


def a_table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table whose columns named in `right` hold numbers."""
    table = Table(title=escape(title), title_justify="left")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table


def add(table: Table, *cells: object) -> None:
    """A row; None is shown as a dash, and nothing is taken for markup."""
    table.add_row(*("–" if each is None else escape(str(each)) for each in cells))


def at(instant: datetime | None) -> str:
    return "–" if instant is None else f"{instant:%Y-%m-%d %H:%M:%S}Z"

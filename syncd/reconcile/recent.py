"""What is new in the book since the audit last looked: by the ledger's own order, and by rows whose ids only grow.

SQLite has one writer, so a row that comes later has the greater rowid. On PostgreSQL a movement carries its
transaction; below the oldest one that still runs nothing is added any more. Ids are given before a transaction ends,
so what had the newest id in the round before is looked at once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Executable, and_, select, text

from syncd.db.statements import Given, statement
from syncd.db.tables import level
from syncd.reconcile.checks import Check
from syncd.reconcile.pages import BUDGET, Key

MOVEMENTS: Final = 5_000
"""Movements that are read at once."""

_ROWS: Final = 20_000
_KEYS: Final = 500
_HEAVY: Final = 3 * BUDGET
"""Movements of one level that a look at what is new still folds; the slow pass folds longer ones."""

_IDS: Final[Mapping[str, str]] = {
    "order": "sales_order",
    "shortage": "shortage",
    "decision": "decision",
    "request": "shipment_request",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where everything was looked at: in the ledger, and in each table with ids two rounds ago and last time."""

    movement: int = 0
    ids: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"movement": self.movement, "ids": dict(self.ids)}

    @staticmethod
    def from_json(told: Mapping[str, Any]) -> Mark:
        return Mark(told["movement"], {name: (before, last) for name, (before, last) in told["ids"].items()})


@dataclass(frozen=True, slots=True)
class Changes:
    """Keys of what has changed, by the name that checks know them by (`Check.recent`)."""

    keys: Mapping[str, tuple[Key, ...]]
    mark: Mark
    more: bool = False  # the ledger has more than was read

    def asked(self, checks: tuple[Check, ...]) -> Iterator[tuple[Check, tuple[str, ...], tuple[Key, ...]]]:
        """(check, its columns, some keys) to be read one after another."""
        for check in checks:
            for name, columns in check.recent.items():
                keys = self.keys.get(name, ())
                size = 20 if check.weight != "1" else _KEYS
                for at in range(0, len(keys), size):
                    yield check, columns, keys[at : at + size]


def mark_now(connection: Connection) -> Mark:
    """The mark of a book of which nothing is new: what is there already is for the slow pass."""
    newest = {name: _newest(connection, table) for name, table in _IDS.items()}
    return Mark(_ledger_ends(connection), {name: (last, last) for name, last in newest.items()})


def read_changes(connection: Connection, mark: Mark, *, ids: bool = True) -> Changes:
    """What has changed since `mark`, at most MOVEMENTS of the ledger; without `ids` of the ledger alone."""
    end = _ledger_ends(connection)
    rows = _movements(connection, min(mark.movement, end), end)
    more = len(rows) == MOVEMENTS
    upto = end
    if more:
        upto = rows[-1][0] + 1 if rows[-1][0] == rows[0][0] or connection.dialect.name == "sqlite" else rows[-1][0]
    levels = sorted({(sku_id, warehouse_id) for _, sku_id, warehouse_id, _, _ in rows})
    lines = {line for *_, cause in rows if (line := _line_of(cause)) is not None}
    found: dict[str, tuple[Key, ...]] = {
        "level": _light(connection, levels),
        "movement": tuple(sorted({(row[1], row[2], row[3]) for row in rows})),
    }
    seen = dict(mark.ids)
    if ids:
        for name, table in _IDS.items():
            before, last = seen.get(name, (0, 0))
            found[name] = tuple((each,) for each in _since(connection, table, before))
            seen[name] = (last, _newest(connection, table))
        orders, decisions = found["order"], found["decision"]
        lines |= set(_named(connection, "SELECT id FROM order_line WHERE order_id IN", orders))
        listings = _named(
            connection, "SELECT listing_id FROM decision WHERE listing_id IS NOT NULL AND id IN", decisions
        )
        found["listing"] = tuple((each,) for each in sorted(set(listings)))
        found["push"] = tuple((key,) for key in _in_flight(connection))
    found["line"] = tuple((line,) for line in sorted(lines))
    return Changes(found, Mark(upto, seen), more)


def _ledger_ends(connection: Connection) -> int:
    """All movements below it are there, and none is added below it any more."""
    if connection.dialect.name == "sqlite":
        return int(connection.execute(text("SELECT coalesce(max(rowid), 0) + 1 FROM movement")).scalar_one())
    snapshot = "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
    return int(connection.execute(text(snapshot)).scalar_one())


def _movements(connection: Connection, begin: int, end: int) -> list[Any]:
    place = "rowid" if connection.dialect.name == "sqlite" else "txid"
    wanted = text(
        f"SELECT {place}, sku_id, warehouse_id, seq, cause_key FROM movement"
        f" WHERE {place} >= :begin AND {place} < :end ORDER BY {place} LIMIT :most"
    )
    return list(connection.execute(wanted, {"begin": begin, "end": end, "most": MOVEMENTS}))


def _line_of(cause_key: str) -> int | None:
    what, _, rest = cause_key.partition("/")
    line = rest.partition("/")[0]
    return int(line) if what == "line" and line.isdecimal() else None


def _light(connection: Connection, levels: list[tuple[int, int]]) -> tuple[Key, ...]:
    """Those levels whose ledger is short enough to be folded now, each one once."""
    heavy = set(_heavy(connection, wanted=levels, most=_HEAVY).all()) if levels else set()
    return tuple(key for key in levels if key not in heavy)


@statement
def _heavy(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int, warehouse_id=int)
    same = and_(wanted.c.sku_id == level.c.sku_id, wanted.c.warehouse_id == level.c.warehouse_id)
    longer = level.c.seq - level.c.archived_seq > given.value("most", int)
    return select(level.c.sku_id, level.c.warehouse_id).join(wanted, same).where(longer)


def _newest(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT coalesce(max(id), 0) FROM {table}")).scalar_one())


def _since(connection: Connection, table: str, after: int) -> list[int]:
    """The newest rows after an id; more than these are left to the slow pass."""
    wanted = text(f"SELECT id FROM {table} WHERE id > :after ORDER BY id DESC LIMIT :most")
    return list(connection.execute(wanted, {"after": after, "most": _ROWS}).scalars())


def _named(connection: Connection, wanted: str, ids: tuple[Key, ...]) -> list[int]:
    if not ids:
        return []
    if connection.dialect.name == "sqlite":
        source = "(SELECT json_extract(value, '$') FROM json_each(:ids))"
    else:
        source = "(SELECT CAST(value AS bigint) FROM jsonb_array_elements_text(CAST(:ids AS jsonb)))"
    values = {"ids": "[" + ",".join(str(each) for (each,) in ids) + "]"}
    return list(connection.execute(text(f"{wanted} {source}"), values).scalars())


def _in_flight(connection: Connection) -> list[str]:
    wanted = text("SELECT key FROM push_batch WHERE state = 'in_flight' ORDER BY created_at LIMIT :most")
    return list(connection.execute(wanted, {"most": _KEYS}).scalars())

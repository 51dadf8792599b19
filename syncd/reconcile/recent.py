"""What is new in the book since the audit last looked: by the ledger's own order, and by rows whose ids only grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Executable, and_, select, text

from syncd.db.statements import Given, statement
from syncd.db.tables import level
from syncd.db.types import from_micros, to_micros
from syncd.reconcile.checks import LEVEL_FOLD, LEVEL_RESERVED, Check
from syncd.reconcile.ledger_feed import BEGINNING, Place, end_of_ledger, read_ledger
from syncd.reconcile.long_ledgers import Fold, prove_long
from syncd.reconcile.new_rows import NOTHING_SEEN, Seen, has_settled, read_rows, rows_now
from syncd.reconcile.pages import BUDGET, Key
from syncd.stock.ledger import LevelKey

_KEYS: Final = 500
_LONG: Final = 5_000
"""Movements of one level that are folded from their beginning; longer ledgers are carried on (see long_ledgers)."""

_DIGITS: Final = 18
"""Digits of a number that fits a column of ids; a longer one names no line, and PostgreSQL refuses to look it up."""

_FOLDED: Final = 3 * BUDGET
"""Movements that one look at what is new folds from their beginning, of all levels together."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where everything was looked at; `folds`: of levels with long ledgers.

    `settled_at`: when PostgreSQL was last seen without a transaction from before the look before; None: not known yet.
    """

    place: Place = BEGINNING
    rows: Seen = NOTHING_SEEN
    folds: tuple[Fold, ...] = ()
    settled_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "movement": self.place.number,
            "row": self.place.row,
            "ids": dict(self.rows.ids),
            "settles": self.rows.settles,
            "folds": [fold.to_json() for fold in self.folds],
            "settled_at": None if self.settled_at is None else to_micros(self.settled_at),
        }

    @staticmethod
    def from_json(told: Mapping[str, Any]) -> Mark:
        """A mark of a version that did not keep everything begins anew with what it did not."""
        row, settled_at = told.get("row"), told.get("settled_at")
        return Mark(
            Place(told["movement"], None if row is None else tuple(row)),
            Seen({name: (before, last) for name, (before, last) in told["ids"].items()}, told.get("settles", 0)),
            tuple(map(Fold.from_json, told.get("folds", ()))),
            None if settled_at is None else from_micros(settled_at),
        )

    def looked_at(self, now: datetime, *, settled: bool) -> Mark:
        """Read until now; `settled`: every transaction has ended that ran the time before."""
        return replace(self, settled_at=now) if settled or self.settled_at is None else self


@dataclass(frozen=True, slots=True)
class Changes:
    """Keys of what has changed, by the name that checks know them by (`Check.recent`)."""

    keys: Mapping[str, tuple[Key, ...]]
    weights: Mapping[str, Mapping[Key, int]]
    """What a level weighs for the checks with that weight; one that is not there is not asked of them."""
    mark: Mark
    more: bool = False  # the ledger has more than was read
    settled: bool = False  # what ran when it was looked at before has ended; not known without ids

    def asked(self, checks: tuple[Check, ...]) -> Iterator[tuple[Check, tuple[str, ...], tuple[Key, ...]]]:
        """(check, its columns, some keys) to be read one after another."""
        for check in checks:
            for name, columns in check.recent.items():
                keys = self.keys.get(name, ())
                weights = dict.fromkeys(keys, 1) if check.weight == "1" else self.weights[check.weight]
                for group in _groups(keys, weights):
                    yield check, columns, group


def _groups(keys: Iterable[Key], weights: Mapping[Key, int]) -> Iterator[tuple[Key, ...]]:
    """Those keys that have a weight, together at most _KEYS and BUDGET; what weighs more comes alone."""
    group: list[Key] = []
    heavy = 0
    for key in keys:
        if key not in weights:
            continue
        if group and (len(group) == _KEYS or heavy + weights[key] > BUDGET):
            yield tuple(group)
            group, heavy = [], 0
        group.append(key)
        heavy += weights[key]
    if group:
        yield tuple(group)


def mark_now(connection: Connection) -> Mark:
    """The mark of a book of which nothing is new: what is there already is for the slow pass."""
    return Mark(end_of_ledger(connection), rows_now(connection))


def read_changes(connection: Connection, mark: Mark, *, ids: bool = True) -> Changes:
    """What has changed since `mark`, at most MOVEMENTS of the ledger; without `ids` of the ledger alone."""
    fed = read_ledger(connection, mark.place)
    mark = replace(mark, place=fed.place)
    levels = sorted({(int(each.key[0]), int(each.key[1])) for each in fed.movements})
    lengths, reserved = _weigh(connection, levels)
    short, long = _shortest(lengths)
    proved = prove_long(connection, mark.folds, long, BUDGET)
    mark = replace(mark, folds=proved.folds)

    found: dict[str, tuple[Key, ...]] = {
        "level": tuple(dict.fromkeys([*levels, *proved.doubtful])),
        "movement": tuple(sorted({each.key for each in fed.movements})),
    }
    weights = {
        LEVEL_FOLD.weight: {key: lengths[key] for key in short} | dict.fromkeys(proved.doubtful, BUDGET),
        LEVEL_RESERVED.weight: reserved,
    }
    settled = ids and has_settled(connection, mark.rows)
    lines = {line for each in fed.movements if (line := _line_of(each.cause_key)) is not None}
    if ids:
        by_id, rows = read_rows(connection, mark.rows)
        found |= by_id
        mark = replace(mark, rows=rows)
        lines |= set(_named(connection, "SELECT id FROM order_line WHERE order_id IN", found["order"]))
        shown = "SELECT listing_id FROM decision WHERE listing_id IS NOT NULL AND id IN"
        found["listing"] = tuple((each,) for each in sorted(set(_named(connection, shown, found["decision"]))))
        found["push"] = tuple((key,) for key in _in_flight(connection))
    found["line"] = tuple((line,) for line in sorted(lines))
    return Changes(found, weights, mark, fed.more or proved.more, settled)


def _line_of(cause_key: str) -> int | None:
    what, _, rest = cause_key.partition("/")
    line = rest.partition("/")[0]
    return int(line) if what == "line" and line.isdecimal() and len(line) <= _DIGITS else None


def _weigh(connection: Connection, levels: Sequence[LevelKey]) -> tuple[dict[Key, int], dict[Key, int]]:
    """How many movements of each level are not archived, and how much is reserved there."""
    rows = _weights(connection, wanted=levels).all() if levels else []
    return {tuple(row[:2]): row[2] for row in rows}, {tuple(row[:2]): row[3] for row in rows}


@statement
def _weights(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int, warehouse_id=int)
    same = and_(wanted.c.sku_id == level.c.sku_id, wanted.c.warehouse_id == level.c.warehouse_id)
    length = level.c.seq - level.c.archived_seq
    return select(level.c.sku_id, level.c.warehouse_id, length, level.c.reserved).join(wanted, same)


def _shortest(lengths: Mapping[Key, int]) -> tuple[list[Key], list[LevelKey]]:
    """Levels whose ledgers are short enough to be folded now, and those whose are not."""
    short: list[Key] = []
    long: list[LevelKey] = []
    heavy = 0
    for key in sorted(lengths, key=lambda each: (lengths[each], each)):
        heavy += lengths[key]
        if lengths[key] <= _LONG and heavy <= _FOLDED:
            short.append(key)
        else:
            long.append((int(key[0]), int(key[1])))
    return short, long


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

"""Declare SKUs and their other names in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Executable, func, select, update

from syncd.catalogue.codes import codes_of, find_exact, find_skus, normalise
from syncd.catalogue.item_file import Item
from syncd.csv_rows import RowError
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import sku, sku_alias
from syncd.publishing.marks import mark_dirty


@dataclass(frozen=True, slots=True)
class Known:
    """A SKU as the database has it."""

    sku_id: int
    title: str
    gtin: str | None
    safety_stock: int


@dataclass(frozen=True, slots=True)
class RecordedItems:
    """What became of declared items, by code."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    rejected: tuple[RowError, ...] = ()


def record_items(connection: Connection, items: Sequence[Item], now: datetime) -> RecordedItems:
    """Declare SKUs, each once per code: a second time changes nothing. A code that names another SKU is refused."""
    known = _load_known(connection, [item.code for item in items])
    names = {normalise(name) for item in items for name in (item.code, *item.aliases)}
    owners = _load_owners(connection, names)
    accepted, rejected = refuse_taken(items, owners)

    new = [item for item in accepted if item.code not in known]
    changed = [item for item in accepted if item.code in known and _differs(item, known[item.code])]
    _insert(connection, new)
    _update(connection, changed, known)
    renamed = _insert_aliases(connection, accepted, owners)
    reweighed = [
        item for item in changed if item.safety_stock is not None and item.safety_stock != known[item.code].safety_stock
    ]
    mark_dirty(connection, {known[item.code].sku_id: None for item in reweighed}, now)

    touched = {item.code for item in changed} | (renamed - {item.code for item in new})
    return RecordedItems(
        tuple(item.code for item in new),
        tuple(item.code for item in accepted if item.code in touched),
        tuple(item.code for item in accepted if item.code in known and item.code not in touched),
        tuple(rejected),
    )


def refuse_taken(items: Sequence[Item], owners: Mapping[str, str]) -> tuple[list[Item], list[RowError]]:
    """Part items from those with a code or alias that names another SKU: of `owners`, or of an item before. Pure."""
    taken = dict(owners)
    named: list[Item] = []
    rejected: list[RowError] = []
    for item in items:
        owner = taken.setdefault(normalise(item.code), item.code)
        if owner == item.code:
            named.append(item)
        else:
            problem = f"{item.code} is another name of {owner}"
            rejected.append(RowError(item.line, "sku", problem, f"Write {owner}, or choose another SKU"))
    accepted: list[Item] = []
    for item in named:
        other = next((a for a in item.aliases if taken.get(normalise(a), item.code) != item.code), None)
        if other is None:
            taken |= {normalise(alias): item.code for alias in item.aliases}
            accepted.append(item)
        else:
            problem = f"{other} already names {taken[normalise(other)]}"
            rejected.append(RowError(item.line, "alias", problem, "An alias names one SKU: remove it from one of them"))
    return accepted, rejected


def _load_known(connection: Connection, codes: Sequence[str]) -> dict[str, Known]:
    found = _skus(connection, wanted=[(code,) for code in sorted(set(codes))])
    return {row.code: Known(row.id, row.title, row.gtin, row.safety_stock) for row in found}


@statement
def _skus(given: Given) -> Executable:
    wanted = given.rows("wanted", code=str)
    return select(sku).join(wanted, wanted.c.code == sku.c.code)


def _load_owners(connection: Connection, names: set[str]) -> dict[str, str]:
    """The code of the SKU that each of these normalised codes names already."""
    owners = find_skus(connection, names)
    codes = codes_of(connection, owners.values())
    return {name: codes[sku_id] for name, sku_id in owners.items()}


def _differs(item: Item, known: Known) -> bool:
    return (
        item.title not in (None, known.title)
        or item.gtin not in (None, known.gtin)
        or item.safety_stock not in (None, known.safety_stock)
    )


def _insert(connection: Connection, items: Sequence[Item]) -> None:
    insert_rows(
        connection,
        sku,
        [("code", str), ("title", str), ("gtin", str), ("safety_stock", int)],
        [(item.code, item.title or "", item.gtin, item.safety_stock or 0) for item in items],
    )


def _update(connection: Connection, items: Sequence[Item], known: Mapping[str, Known]) -> None:
    if items:
        data = [(known[item.code].sku_id, item.title, item.gtin, item.safety_stock) for item in items]
        _declare(connection, declared=data)


@statement
def _declare(given: Given) -> Executable:
    new = given.rows("declared", id=int, title=str, gtin=str, safety_stock=int)
    values = {name: func.coalesce(new.c[name], sku.c[name]) for name in ("title", "gtin", "safety_stock")}
    return update(sku).values(values).where(sku.c.id == new.c.id)


def _insert_aliases(connection: Connection, items: Sequence[Item], owners: Mapping[str, str]) -> set[str]:
    """Insert the names not yet known; the codes of the SKUs that got one."""
    fresh = {
        normalise(name): item.code
        for item in items
        for name in (item.code, *item.aliases)
        if normalise(name) not in owners
    }
    if not fresh:
        return set()
    ids = find_exact(connection, set(fresh.values()))
    insert_rows(
        connection,
        sku_alias,
        [("normalised_code", str), ("sku_id", int)],
        [(name, ids[code]) for name, code in sorted(fresh.items())],
    )
    return set(fresh.values())

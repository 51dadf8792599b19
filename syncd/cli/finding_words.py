"""What the audit found in words: SKUs, listings and places by the names that people know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable, select

from syncd.catalogue.codes import codes_of
from syncd.db.statements import Given, statement
from syncd.db.tables import account, listing, warehouse
from syncd.reconcile.concerned import as_id


@dataclass(frozen=True, slots=True)
class Names:
    """What people call SKUs, listings, warehouses and accounts, by the column that has their ids."""

    by_column: Mapping[str, Mapping[int, str]]

    def sku(self, sku_id: int) -> str | None:
        return self.by_column["sku_id"].get(sku_id)


def read_names(connection: Connection, subjects: Sequence[Mapping[str, Any]], sku_ids: Iterable[int] = ()) -> Names:
    """The names of whatever these subjects name by an id, and of these SKUs."""
    keys = {
        name: {int(row.id): str(row.key) for row in connection.execute(select(table.c.id, table.c.key))}
        for name, table in (("warehouse_id", warehouse), ("account_id", account))
    }
    wanted = [(each,) for each in sorted(_ids(subjects, "listing_id"))]
    listings = {row.id: row.code or row.channel_sku for row in _listings(connection, wanted=wanted)} if wanted else {}
    skus = codes_of(connection, _ids(subjects, "sku_id") | set(sku_ids))
    return Names({"sku_id": skus, "listing_id": listings, **keys})


def _ids(subjects: Sequence[Mapping[str, Any]], name: str) -> set[int]:
    return {known for each in subjects if (known := as_id(each.get(name))) is not None}


@statement
def _listings(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(listing.c.id, listing.c.code, listing.c.channel_sku).join(wanted, wanted.c.id == listing.c.id)


def about(subject: Mapping[str, Any], names: Names, without: str = "") -> str:
    """What a violation is about: `sku RED-CLOCK, warehouse hamburg`. An id that nobody knows stays as it is."""
    told = []
    for name, value in subject.items():
        if value is None or name == without:
            continue
        known = names.by_column.get(name, {}).get(value)
        told.append(f"{name.replace('_', ' ')} {value}" if known is None else f"{name.removesuffix('_id')} {known}")
    return ", ".join(told)


def in_words(value: Any) -> str:
    """A number or text as it is; several as `on_hand 25, reserved 3`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return "nothing" if value is None else str(value)


def movement_in_words(movement: Mapping[str, Any]) -> str:
    """One line of the ledger: `11 of 2026-11-27T14:34:02, reservation: reserved +1 (line/152/..., by intake)`."""
    moved = [
        f"{name} {movement[f'd_{name}']:+}" for name in ("on_hand", "unavailable", "reserved") if movement[f"d_{name}"]
    ]
    told = f"{movement['seq']} of {str(movement['at'])[:19]}, {movement['kind']}: {', '.join(moved) or 'nothing'}"
    return f"{told} ({movement['cause_key']}, by {movement['actor']})"

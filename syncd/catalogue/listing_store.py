"""Listings and their cells in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from syncd.catalogue.bills import Components
from syncd.db.rows import insert_rows, rows, selectable, upsert
from syncd.db.tables import cell, listing, listing_component


class Ref(NamedTuple):
    """What names a listing inside its account."""

    channel_sku: str
    channel_location: str


@dataclass(frozen=True, slots=True)
class Attributes:
    """How a listing looks at its channel; `code` is the one it is mapped by."""

    line_key: str
    code: str | None
    title: str
    gtin: str | None
    budget_key: str
    back_orderable: int
    unwritable: str | None


@dataclass(frozen=True, slots=True)
class StoredListing:
    listing_id: int
    attributes: Attributes
    components: Components


_KEY: Final = [("account_id", int), ("channel_sku", str), ("channel_location", str)]
_ATTRIBUTES: Final = [
    ("line_key", str),
    ("code", str),
    ("title", str),
    ("gtin", str),
    ("budget_key", str),
    ("back_orderable", int),
    ("unwritable", str),
]


def load_listings(connection: Connection, account_id: int, refs: Collection[Ref]) -> dict[Ref, StoredListing]:
    """The listings of an account that are known among these, with what they are made of."""
    if not refs:
        return {}
    wanted = rows(connection, "wanted", _KEY[1:], sorted(refs))
    found = connection.execute(
        select(listing, listing_component.c.sku_id, listing_component.c.units)
        .join(
            wanted,
            (wanted.c.channel_sku == listing.c.channel_sku) & (wanted.c.channel_location == listing.c.channel_location),
        )
        .outerjoin(listing_component, listing_component.c.listing_id == listing.c.id)
        .where(listing.c.account_id == account_id)
        .order_by(listing.c.id, listing_component.c.sku_id)
    )
    stored: dict[Ref, StoredListing] = {}
    for row in found:
        ref = Ref(row.channel_sku, row.channel_location)
        before = stored[ref].components if ref in stored else ()
        parts = before if row.sku_id is None else (*before, (row.sku_id, row.units))
        attributes = Attributes(
            row.line_key, row.code, row.title, row.gtin, row.budget_key, row.back_orderable, row.unwritable
        )
        stored[ref] = StoredListing(row.id, attributes, parts)
    return stored


def upsert_listings(
    connection: Connection, account_id: int, told: Mapping[Ref, Attributes], cells: Sequence[str]
) -> dict[Ref, int]:
    """Insert or update listings, and give each its cells, to be read before anything is written. Their ids by ref."""
    if not told:
        return {}
    columns = [*_KEY, *_ATTRIBUTES]
    data = [(account_id, *ref, *astuple(each)) for ref, each in sorted(told.items())]
    statement = upsert(connection, listing).from_select(
        [name for name, _ in columns], selectable(rows(connection, "told", columns, data))
    )
    found = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[name for name, _ in _KEY],
            set_={name: statement.excluded[name] for name, _ in _ATTRIBUTES},
        ).returning(listing.c.id, listing.c.channel_sku, listing.c.channel_location)
    )
    ids = {Ref(row.channel_sku, row.channel_location): row.id for row in found}
    insert_rows(
        connection,
        cell,
        [("listing_id", int), ("name", str)],
        [(listing_id, name) for listing_id in sorted(ids.values()) for name in cells],
        ignore=True,
    )
    return ids

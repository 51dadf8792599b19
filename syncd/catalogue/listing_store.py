"""Listings and their cells in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Final, NamedTuple

from sqlalchemy import Connection, Executable, select

from syncd.catalogue.bills import Components
from syncd.db.rows import Kind, insert_rows
from syncd.db.statements import Given, statement
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


_KEY: Final[dict[str, Kind]] = {"account_id": int, "channel_sku": str, "channel_location": str}
_ATTRIBUTES: Final[dict[str, Kind]] = {
    "line_key": str,
    "code": str,
    "title": str,
    "gtin": str,
    "budget_key": str,
    "back_orderable": int,
    "unwritable": str,
}


def load_listings(connection: Connection, account_id: int, refs: Collection[Ref]) -> dict[Ref, StoredListing]:
    """The listings of an account that are known among these, with what they are made of."""
    if not refs:
        return {}
    stored: dict[Ref, StoredListing] = {}
    for row in _listings(connection, wanted=sorted(refs), account_id=account_id):
        ref = Ref(row.channel_sku, row.channel_location)
        before = stored[ref].components if ref in stored else ()
        parts = before if row.sku_id is None else (*before, (row.sku_id, row.units))
        attributes = Attributes(
            row.line_key, row.code, row.title, row.gtin, row.budget_key, row.back_orderable, row.unwritable
        )
        stored[ref] = StoredListing(row.id, attributes, parts)
    return stored


@statement
def _listings(given: Given) -> Executable:
    wanted = given.rows("wanted", channel_sku=str, channel_location=str)
    return (
        select(listing, listing_component.c.sku_id, listing_component.c.units)
        .join(
            wanted,
            (wanted.c.channel_sku == listing.c.channel_sku) & (wanted.c.channel_location == listing.c.channel_location),
        )
        .outerjoin(listing_component, listing_component.c.listing_id == listing.c.id)
        .where(listing.c.account_id == given.value("account_id", int))
        .order_by(listing.c.id, listing_component.c.sku_id)
    )


def upsert_listings(
    connection: Connection, account_id: int, told: Mapping[Ref, Attributes], cells: Sequence[str]
) -> dict[Ref, int]:
    """Insert or update listings, and give each its cells, to be read before anything is written. Their ids by ref."""
    if not told:
        return {}
    found = _upsert(connection, told=[(account_id, *ref, *astuple(each)) for ref, each in sorted(told.items())])
    ids = {Ref(row.channel_sku, row.channel_location): row.id for row in found}
    insert_rows(
        connection,
        cell,
        [("listing_id", int), ("name", str)],
        [(listing_id, name) for listing_id in sorted(ids.values()) for name in cells],
        ignore=True,
    )
    return ids


@statement
def _upsert(given: Given) -> Executable:
    new = given.insert(listing, given.rows("told", **_KEY, **_ATTRIBUTES))
    return new.on_conflict_do_update(
        index_elements=list(_KEY), set_={name: new.excluded[name] for name in _ATTRIBUTES}
    ).returning(listing.c.id, listing.c.channel_sku, listing.c.channel_location)

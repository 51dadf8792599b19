"""Listings as they stand: what each may show, what it shows as far as we can explain it, and what we asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, Row, func, select

from syncd.db.statements import Given, statement
from syncd.db.tables import account, cell, dirty_listing, listing, listing_component, sku
from syncd.insight.slices import Keep, Slice, take_ids
from syncd.insight.unknown import Ambiguous, Unknown, alike, near
from syncd.publishing.load import load_stock, to_cell


@dataclass(frozen=True, slots=True)
class Component:
    """A listing unit takes `units` pieces of this SKU."""

    sku: str
    units: int


@dataclass(frozen=True, slots=True)
class ShownNumber:
    """A listing's number as far as we can explain it: what was last read or written, less what was sold since.

    `at_most` and `at_least` differ while it cannot be told what the channel counts already; None before any read.
    `asked_for` is the last number that was written, `on_its_way` one that is being written now.
    """

    at_most: int | None
    at_least: int | None
    exact: bool
    asked_for: int | None
    on_its_way: int | None
    last_read: int | None
    last_read_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListingRow:
    """One listing. `sellable` is what it should show, None where it is made of no SKU. `waits_for` says why a change
    that is due is not written yet.
    """

    id: int
    account: str
    channel: str
    channel_sku: str
    channel_location: str
    code: str | None
    title: str
    components: tuple[Component, ...]
    sellable: int | None
    shown: ShownNumber
    dirty: bool
    waits_for: str | None
    look_again_at: datetime | None
    unwritable: str | None


UNREAD = ShownNumber(None, None, False, None, None, None, None)


def list_listings(
    connection: Connection, after: int, limit: int, account_id: int | None = None, sku_id: int | None = None
) -> Slice[ListingRow]:
    """Listings in the order they were taken in, from behind `after`; of one account, made of one SKU."""
    if sku_id is None:
        source = select(listing.c.id, listing.c.account_id).where(listing.c.id > after)
    else:
        source = (
            select(listing.c.id, listing.c.account_id)
            .join(listing_component, listing_component.c.listing_id == listing.c.id)
            .where(listing_component.c.sku_id == sku_id, listing.c.id > after)
        )
    keep: Keep | None = None if account_id is None else lambda row: row["account_id"] == account_id
    page = take_ids(connection, source, keep, limit, newest_first=False)
    return Slice(load_listings(connection, page.rows), page.after)


def load_listings(connection: Connection, listing_ids: Sequence[int]) -> tuple[ListingRow, ...]:
    """These listings in order of their ids, in eight statements however many they are."""
    if not listing_ids:
        return ()
    wanted = [(each,) for each in sorted(set(listing_ids))]
    stock = load_stock(connection, listing_ids)
    parts: dict[int, list[Component]] = {}
    for row in _components(connection, wanted=wanted):
        parts.setdefault(row.listing_id, []).append(Component(row.code, row.units))
    shown: dict[int, ShownNumber] = {}
    for row in _cells(connection, wanted=wanted):
        shown.setdefault(row.listing_id, shown_number(row))
    return tuple(
        ListingRow(
            id=row.id,
            account=row.account,
            channel=row.channel,
            channel_sku=row.channel_sku,
            channel_location=row.channel_location,
            code=row.code,
            title=row.title,
            components=tuple(parts.get(row.id, ())),
            sellable=stock[row.id].number.quantity if stock[row.id].mapped else None,
            shown=shown.get(row.id, UNREAD),
            dirty=row.due_at is not None,
            waits_for=row.waits_for,
            look_again_at=row.due_at,
            unwritable=row.unwritable,
        )
        for row in _heads(connection, wanted=wanted)
    )


def shown_number(row: Row[Any]) -> ShownNumber:
    """What a row of the cells' table tells."""
    at = to_cell(row)
    return ShownNumber(at.hi, at.lo, at.exact, at.published, at.in_flight_value, row.last_read_value, row.last_read_at)


def find_listing(connection: Connection, name: str) -> int:
    """A listing by its number here, or as ACCOUNT:SKU with the channel's or the seller's code for it.

    Raises Unknown with those that look like it, and Ambiguous.
    """
    key, colon, code = name.partition(":")
    owner = connection.execute(select(account.c.id).where(account.c.key == key)).scalar_one_or_none() if colon else None
    if owner is not None:
        return _of_account(connection, name, owner, key, code)
    if name.isdecimal() and len(name) < 19:
        found = connection.execute(select(listing.c.id).where(listing.c.id == int(name))).scalar_one_or_none()
        if found is not None:
            return int(found)
    keys = list(connection.execute(select(account.c.key).order_by(account.c.key)).scalars())
    hint = f"Write its number, or ACCOUNT:SKU with one of {', '.join(keys) or 'no account yet'}"
    nearest = [f"{each}:{code}" for each in alike(key, keys)] if colon else []
    raise Unknown("listing", name, nearest, hint)


def _of_account(connection: Connection, name: str, account_id: int, key: str, code: str) -> int:
    mine = listing.c.account_id == account_id
    for column in (listing.c.channel_sku, listing.c.code):
        found = connection.execute(
            select(listing.c.id, listing.c.channel_sku, listing.c.channel_location)
            .where(mine, column == code)
            .order_by(listing.c.id)
            .limit(10)
        ).all()
        if len(found) == 1:
            return int(found[0].id)
        if found:
            told = [f"{row.id}: {row.channel_sku} at {row.channel_location}" for row in found]
            raise Ambiguous("listing", name, told, "Write the number of the one you mean")
    around = {*near(connection, listing.c.code, code, mine), *near(connection, listing.c.channel_sku, code, mine)}
    nearest = [f"{key}:{each}" for each in alike(code, around)]
    raise Unknown("listing", name, nearest, f"`syncd import listings --from {key}` takes listings in")


@statement
def _heads(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(
            listing,
            account.c.key.label("account"),
            account.c.channel,
            dirty_listing.c.waits_for,
            dirty_listing.c.due_at,
        )
        .join(wanted, wanted.c.id == listing.c.id)
        .join(account, account.c.id == listing.c.account_id)
        .outerjoin(dirty_listing, dirty_listing.c.listing_id == listing.c.id)
        .order_by(listing.c.id)
    )


@statement
def _components(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(listing_component.c.listing_id, sku.c.code, listing_component.c.units)
        .join(wanted, wanted.c.id == listing_component.c.listing_id)
        .join(sku, sku.c.id == listing_component.c.sku_id)
        .order_by(listing_component.c.listing_id, sku.c.code)
    )


@statement
def _cells(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(cell).join(wanted, wanted.c.id == cell.c.listing_id).order_by(cell.c.listing_id, cell.c.name)


def listings_of(connection: Connection, sku_id: int, limit: int) -> tuple[tuple[int, ...], int]:
    """Ids of listings made of a SKU, and how many there are; the ids end at `limit`."""
    mine = listing_component.c.sku_id == sku_id
    ids = connection.execute(
        select(listing_component.c.listing_id).where(mine).order_by(listing_component.c.listing_id).limit(limit)
    ).scalars()
    count = connection.execute(select(func.count()).select_from(listing_component).where(mine)).scalar_one()
    return tuple(ids), count

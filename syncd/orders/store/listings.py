"""Which listings order lines name, and what those are made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Row, Select, and_, func, or_, select, true

from syncd.db.statements import Given, statement
from syncd.db.tables import listing, listing_component
from syncd.orders.book import Listings, ListingView

Named = tuple[int, str, str | None]
"""(account_id, line_key, code) of an order line"""

_Key = tuple[int, str]


def load_listings(connection: Connection, lines: Collection[Named]) -> Listings:
    """What lines naming these are made of, by (account_id, line_key). Listings without a SKU have no components.

    A line key that names no listing may be that of one made anew at the channel: then the line's code tells, where
    only one item of the account goes by it.
    """
    keys = {(account_id, line_key) for account_id, line_key, _ in lines}
    views = _by_line_key(connection, keys)
    strange = {line for line in lines if line[2] and line[:2] not in views}
    return _by_code(connection, strange) | views


def named_by_code(account_id: ColumnElement[int], line_key: ColumnElement[Any], code: ColumnElement[Any]) -> Any:
    """Whether a line's key names no listing, and its code one item alone, with a SKU: the condition in SQL."""
    mine = and_(listing.c.account_id == account_id, _goes_by(code))
    items = select(func.count(listing.c.line_key.distinct())).where(mine).scalar_subquery()
    mapped = select(1).select_from(listing).join(listing_component, listing_component.c.listing_id == listing.c.id)
    named = select(1).where(listing.c.account_id == account_id, listing.c.line_key == line_key)
    return and_(items == 1, mapped.where(mine).exists(), ~named.exists())


def _by_line_key(connection: Connection, keys: Collection[_Key]) -> dict[_Key, ListingView]:
    return _views(_named_by_key(connection, wanted=sorted(keys))) if keys else {}


@statement
def _named_by_key(given: Given) -> Executable:
    wanted = given.rows("wanted", account_id=int, line_key=str)
    named = and_(listing.c.account_id == wanted.c.account_id, listing.c.line_key == wanted.c.line_key)
    return _made_of(wanted, named, true())


def _by_code(connection: Connection, lines: Collection[Named]) -> dict[_Key, ListingView]:
    if not lines:
        return {}
    found = _named_alike(connection, wanted=sorted(lines)).all()
    items: dict[_Key, set[str]] = {}
    for row in found:
        items.setdefault((row.account_id, row.told_key), set()).add(row.line_key)
    return _views(row for row in found if len(items[(row.account_id, row.told_key)]) == 1)


@statement
def _named_alike(given: Given) -> Executable:
    wanted = given.rows("wanted", account_id=int, line_key=str, code=str)
    named = and_(listing.c.account_id == wanted.c.account_id, _goes_by(wanted.c.code))
    return _made_of(wanted, named, listing.c.channel_sku == wanted.c.code)


def _goes_by(code: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(listing.c.channel_sku == code, listing.c.code == code)


def _made_of(wanted: Any, named: ColumnElement[bool], lowered: ColumnElement[bool]) -> Select[Any]:
    """Listings with their components; `lowered`: whether a line that names one has lowered its number."""
    return (
        select(
            listing.c.id,
            listing.c.account_id,
            listing.c.line_key,
            listing.c.back_orderable,
            listing_component.c.sku_id,
            listing_component.c.units,
            wanted.c.line_key.label("told_key"),
            lowered.label("lowered"),
        )
        .join(wanted, named)
        .outerjoin(listing_component, listing_component.c.listing_id == listing.c.id)
        .order_by(listing.c.id, listing_component.c.sku_id)
    )


def _views(found: Iterable[Row[*tuple[Any, ...]]]) -> dict[_Key, ListingView]:
    views: dict[_Key, ListingView] = {}
    chosen: dict[_Key, int] = {}
    for listing_id, account_id, _, back_orderable, sku_id, units, told_key, lowered in found:
        key = (account_id, told_key)
        if chosen.setdefault(key, listing_id) != listing_id:
            continue  # further locations of the same item are made of the same things
        components = views[key].components if key in views else ()
        if sku_id is not None:
            components = (*components, (sku_id, units))
        views[key] = ListingView(listing_id if lowered else None, components, bool(back_orderable))
    return views

"""What the book says of SKUs: levels by warehouse, demand that found no unit, units held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, Row, and_, func, select

from syncd.catalogue.codes import find_exact, find_skus, normalise
from syncd.db.statements import Given, statement
from syncd.db.tables import hold, level, listing_component, shortage, sku, warehouse
from syncd.insight.slices import Slice, take_ids
from syncd.insight.unknown import Unknown, alike, near


@dataclass(frozen=True, slots=True)
class WarehouseLevel:
    """Pieces of a SKU in a warehouse: available = on_hand - unavailable - reserved, below 0 where goods are missing."""

    warehouse: str
    on_hand: int
    unavailable: int
    reserved: int
    available: int
    short: int
    as_of: datetime | None
    source: str | None


@dataclass(frozen=True, slots=True)
class SkuStock:
    """A SKU's pieces everywhere. `shortage` is open demand that found none, `held` is what channels' numbers lost
    without an order.
    """

    sku_id: int
    sku: str
    title: str
    safety_stock: int
    on_hand: int
    unavailable: int
    reserved: int
    available: int
    shortage: int
    held: int
    levels: tuple[WarehouseLevel, ...]


def find_sku(connection: Connection, code: str) -> int:
    """The SKU that is called so, exactly or by an alias. Raises Unknown with those that look like it."""
    exact = find_exact(connection, [code])
    if exact:
        return exact[code]
    normalised = normalise(code)
    alias = find_skus(connection, [normalised])
    if alias:
        return alias[normalised]
    raise Unknown("SKU", code, _like(connection, code), "`syncd import items FILE` takes SKUs in")


def _like(connection: Connection, code: str) -> list[str]:
    around = {name for form in {code, code.upper(), code.lower()} for name in near(connection, sku.c.code, form)}
    return alike(code, around)


def list_stock(connection: Connection, after: int, limit: int, sku_id: int | None = None) -> Slice[SkuStock]:
    """SKUs in the order they were taken in, from behind `after`; or only one of them."""
    source = select(sku.c.id).where(sku.c.id > after)
    if sku_id is not None:
        source = source.where(sku.c.id == sku_id)
    page = take_ids(connection, source, None, limit, newest_first=False)
    return Slice(load_skus(connection, page.rows), page.after)


def load_skus(connection: Connection, sku_ids: Sequence[int]) -> tuple[SkuStock, ...]:
    """These SKUs in order of their ids, in four statements however many they are."""
    if not sku_ids:
        return ()
    wanted = [(each,) for each in sorted(sku_ids)]
    levels: dict[int, list[WarehouseLevel]] = {}
    for row in _levels(connection, wanted=wanted):
        available = row.on_hand - row.unavailable - row.reserved
        levels.setdefault(row.sku_id, []).append(
            WarehouseLevel(
                row.key, row.on_hand, row.unavailable, row.reserved, available, row.short, row.as_of, row.source
            )
        )
    short = {row.sku_id: int(row.pieces) for row in _short(connection, wanted=wanted)}
    held = {row.sku_id: int(row.pieces) for row in _held(connection, wanted=wanted)}
    return tuple(
        _summed(row, tuple(levels.get(row.id, ())), short.get(row.id, 0), held.get(row.id, 0))
        for row in _heads(connection, wanted=wanted)
    )


def _summed(head: Row[Any], levels: tuple[WarehouseLevel, ...], short: int, held: int) -> SkuStock:
    return SkuStock(
        sku_id=head.id,
        sku=head.code,
        title=head.title,
        safety_stock=head.safety_stock,
        on_hand=sum(each.on_hand for each in levels),
        unavailable=sum(each.unavailable for each in levels),
        reserved=sum(each.reserved for each in levels),
        available=sum(each.available for each in levels),
        shortage=short,
        held=held,
        levels=levels,
    )


@statement
def _heads(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(sku.c.id, sku.c.code, sku.c.title, sku.c.safety_stock)
        .join(wanted, wanted.c.id == sku.c.id)
        .order_by(sku.c.id)
    )


@statement
def _levels(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(level, warehouse.c.key)
        .join(wanted, wanted.c.id == level.c.sku_id)
        .join(warehouse, warehouse.c.id == level.c.warehouse_id)
        .order_by(level.c.sku_id, warehouse.c.key)
    )


@statement
def _short(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(shortage.c.sku_id, func.sum(shortage.c.quantity).label("pieces"))
        .join(wanted, wanted.c.id == shortage.c.sku_id)
        .where(shortage.c.closed_at.is_(None))
        .group_by(shortage.c.sku_id)
    )


@statement
def _held(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(listing_component.c.sku_id, func.sum(hold.c.quantity * listing_component.c.units).label("pieces"))
        .join(wanted, wanted.c.id == listing_component.c.sku_id)
        .join(hold, and_(hold.c.listing_id == listing_component.c.listing_id, hold.c.closed_at.is_(None)))
        .group_by(listing_component.c.sku_id)
    )

"""One SKU as a person looks at it: levels, what holds them, and what each listing shows and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, literal_column, select

from syncd.catalogue.codes import find_exact, find_skus, normalise
from syncd.db.statements import constant
from syncd.db.tables import (
    account,
    cell,
    dirty_listing,
    level,
    listing,
    listing_component,
    movement,
    order_line,
    reservation,
    sales_order,
    shortage,
    sku,
    warehouse,
)
from syncd.insight.at_risk import SkuRisk, read_skus
from syncd.publishing.load import load_stock
from syncd.publishing.sellable import Sellable

ROWS = 50
"""So many listings, reservations, shortages and movements are shown; a person asks the command line for more."""

_STILL_HELD = and_(reservation.c.stage != constant("shipped"), reservation.c.quantity > literal_column("0"))


@dataclass(frozen=True, slots=True)
class LevelRow:
    warehouse: str
    name: str
    on_hand: int
    unavailable: int
    reserved: int
    short: int
    source: str | None
    as_of: datetime | None

    @property
    def available(self) -> int:
        return self.on_hand - self.unavailable - self.reserved


@dataclass(frozen=True, slots=True)
class HeldFor:
    """Pieces that an order holds in a warehouse, or that it waits for (`stage` tells the reason then)."""

    order: str
    account: str
    place: str
    stage: str
    quantity: int
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class ListingRow:
    """A listing made of the SKU: what it shows at most, what may be sold, and what it waits for if they differ."""

    listing_id: int
    account: str
    state: str
    channel_sku: str
    label: str
    location: str
    title: str
    units: int
    shown: int | None
    last_read: int | None
    last_read_at: datetime | None
    published: int | None
    number: Sellable
    due_at: datetime | None
    waits_for: str | None
    unwritable: str | None


@dataclass(frozen=True, slots=True)
class MovementRow:
    kind: str
    place: str
    d_on_hand: int
    d_unavailable: int
    d_reserved: int
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SkuPage:
    """All that is known of a SKU, each list cut at ROWS."""

    risk: SkuRisk
    gtin: str | None
    safety_stock: int
    levels: tuple[LevelRow, ...]
    held: tuple[HeldFor, ...]
    waiting: tuple[HeldFor, ...]
    listings: tuple[ListingRow, ...]
    movements: tuple[MovementRow, ...]


def find_sku(connection: Connection, code: str) -> int | None:
    """The SKU of this code, exactly or as people would write it."""
    return find_exact(connection, [code]).get(code) or find_skus(connection, [normalise(code)]).get(normalise(code))


def read_sku(connection: Connection, code: str, now: datetime) -> SkuPage | None:
    """None when no SKU has that code."""
    sku_id = find_sku(connection, code)
    if sku_id is None:
        return None
    (risk,) = read_skus(connection, [sku_id], {})
    head = connection.execute(select(sku.c.gtin, sku.c.safety_stock).where(sku.c.id == sku_id)).one()
    return SkuPage(
        risk=risk,
        gtin=head.gtin,
        safety_stock=head.safety_stock,
        levels=_levels(connection, sku_id),
        held=_held(connection, sku_id),
        waiting=_waiting(connection, sku_id),
        listings=_listings(connection, sku_id),
        movements=_movements(connection, sku_id, now),
    )


def _levels(connection: Connection, sku_id: int) -> tuple[LevelRow, ...]:
    found = connection.execute(
        select(
            warehouse.c.key,
            warehouse.c.name,
            level.c.on_hand,
            level.c.unavailable,
            level.c.reserved,
            level.c.short,
            level.c.source,
            level.c.as_of,
        )
        .join(warehouse, warehouse.c.id == level.c.warehouse_id)
        .where(level.c.sku_id == sku_id)
        .order_by(warehouse.c.key)
    )
    return tuple(LevelRow(*row) for row in found)


def _held(connection: Connection, sku_id: int) -> tuple[HeldFor, ...]:
    found = connection.execute(
        select(
            sales_order.c.name,
            account.c.key.label("account"),
            warehouse.c.key.label("place"),
            reservation.c.stage,
            reservation.c.quantity,
            sales_order.c.placed_at,
        )
        .join(order_line, order_line.c.id == reservation.c.order_line_id)
        .join(sales_order, sales_order.c.id == order_line.c.order_id)
        .join(account, account.c.id == sales_order.c.account_id)
        .join(warehouse, warehouse.c.id == reservation.c.warehouse_id)
        .where(
            reservation.c.sku_id == sku_id,
            reservation.c.stage != constant("shipped"),
            reservation.c.quantity > literal_column("0"),
        )
        .order_by(sales_order.c.placed_at, reservation.c.order_line_id)
        .limit(ROWS)
    )
    return tuple(HeldFor(*row) for row in found)


def _waiting(connection: Connection, sku_id: int) -> tuple[HeldFor, ...]:
    found = connection.execute(
        select(
            sales_order.c.name,
            account.c.key,
            shortage.c.reason,
            shortage.c.quantity,
            sales_order.c.placed_at,
        )
        .join(order_line, order_line.c.id == shortage.c.order_line_id)
        .join(sales_order, sales_order.c.id == order_line.c.order_id)
        .join(account, account.c.id == sales_order.c.account_id)
        .where(shortage.c.sku_id == sku_id, shortage.c.closed_at.is_(None))
        .order_by(sales_order.c.placed_at, shortage.c.id)
        .limit(ROWS)
    )
    return tuple(HeldFor(row[0], row[1], "", row[2], row[3], row[4]) for row in found)


def _listings(connection: Connection, sku_id: int) -> tuple[ListingRow, ...]:
    """Each with its number derived now, as the publisher would."""
    mine = (
        select(listing_component.c.listing_id, listing_component.c.units)
        .where(listing_component.c.sku_id == sku_id)
        .order_by(listing_component.c.listing_id)
        .limit(ROWS)
        .subquery("mine")
    )
    heads = connection.execute(
        select(listing, mine.c.units, account.c.key, account.c.state, dirty_listing.c.due_at, dirty_listing.c.waits_for)
        .select_from(mine)
        .join(listing, listing.c.id == mine.c.listing_id)
        .join(account, account.c.id == listing.c.account_id)
        .outerjoin(dirty_listing, dirty_listing.c.listing_id == listing.c.id)
        .order_by(account.c.key, listing.c.channel_sku, listing.c.channel_location)
    ).all()
    stock = load_stock(connection, [row.id for row in heads])
    shown = {
        row.listing_id: row
        for row in connection.execute(
            select(
                cell.c.listing_id,
                func.min(cell.c.anchor_value - cell.c.sold_hi).label("shown"),
                func.min(cell.c.last_read_value).label("last_read"),
                func.max(cell.c.last_read_at, type_=cell.c.last_read_at.type).label("last_read_at"),
                func.min(cell.c.published).label("published"),
            )
            .where(cell.c.listing_id.in_([row.id for row in heads]))
            .group_by(cell.c.listing_id)
        )
    }
    rows = []
    for head in heads:
        at = shown.get(head.id)
        rows.append(
            ListingRow(
                listing_id=head.id,
                account=head.key,
                state=head.state,
                channel_sku=head.channel_sku,
                label=head.code or head.channel_sku,
                location=head.channel_location,
                title=head.title,
                units=head.units,
                shown=at.shown if at else None,
                last_read=at.last_read if at else None,
                last_read_at=at.last_read_at if at else None,
                published=at.published if at else None,
                number=stock[head.id].number,
                due_at=head.due_at,
                waits_for=head.waits_for,
                unwritable=head.unwritable,
            )
        )
    return tuple(rows)


def _movements(connection: Connection, sku_id: int, now: datetime) -> tuple[MovementRow, ...]:
    """The newest, by steps back from where each level of the SKU stands."""
    recent = and_(
        movement.c.sku_id == level.c.sku_id,
        movement.c.warehouse_id == level.c.warehouse_id,
        movement.c.seq > level.c.seq - ROWS,
    )
    found = connection.execute(
        select(
            movement.c.kind,
            warehouse.c.key,
            movement.c.d_on_hand,
            movement.c.d_unavailable,
            movement.c.d_reserved,
            movement.c.actor,
            movement.c.at,
        )
        .select_from(level)
        .join(movement, recent)
        .join(warehouse, warehouse.c.id == level.c.warehouse_id)
        .where(level.c.sku_id == sku_id, movement.c.at <= now + timedelta(days=1))
        .order_by(movement.c.at.desc(), movement.c.seq.desc())
        .limit(20)
    )
    return tuple(MovementRow(*row) for row in found)

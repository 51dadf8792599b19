"""What listings are made of, and how that follows when a kit changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Executable, delete, select

from syncd.catalogue.bill_store import components_of, containing
from syncd.catalogue.bills import Components
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import listing, listing_component, sku
from syncd.publishing.marks import mark_dirty


@dataclass(frozen=True, slots=True)
class MadeListing:
    """A listing, what it is made of, and the SKU that its code names exactly."""

    listing_id: int
    components: Components
    named_sku_id: int | None


@dataclass(frozen=True, slots=True)
class Relisted:
    changed: int
    left: tuple[int, ...]  # listings that more than one SKU could stand behind


def relist(
    connection: Connection, before: Mapping[int, Components], after: Mapping[int, Components], now: datetime
) -> Relisted:
    """Make the listings of SKUs whose components changed of the new ones, and look at them again."""
    moved = {sku_id: parts for sku_id, parts in after.items() if before.get(sku_id) not in (None, parts)}
    old = {sku_id: before[sku_id] for sku_id in moved}
    made = load_made(connection, {sku_id for parts in old.values() for sku_id, _ in parts})
    same = _same_elsewhere(connection, made, old) if made else {}
    chosen, left = match_listings(made, old, moved, same)
    replace_components(connection, {listing_id: moved[sku_id] for listing_id, sku_id in chosen.items()}, now)
    return Relisted(len(chosen), tuple(left))


def match_listings(
    made: Sequence[MadeListing],
    old: Mapping[int, Components],
    new: Mapping[int, Components],
    same: Mapping[Components, Collection[int]],
) -> tuple[dict[int, int], list[int]]:
    """The SKU behind each listing among those that change: the one its code names, else the only one made so. Pure.

    `same` has the SKUs that do not change, by what they are made of.
    """
    by_parts: dict[Components, set[int]] = {}
    for sku_id, parts in old.items():
        by_parts.setdefault(parts, set()).add(sku_id)
    chosen: dict[int, int] = {}
    left: list[int] = []
    for each in made:
        changing = by_parts.get(each.components, set())
        staying = set(same.get(each.components, ()))
        if each.named_sku_id in changing | staying:
            changing, staying = changing & {each.named_sku_id}, staying & {each.named_sku_id}
        if changing and (staying or len({new[sku_id] for sku_id in changing}) > 1):
            left.append(each.listing_id)
        elif changing:
            chosen[each.listing_id] = min(changing)
    return chosen, left


def load_made(connection: Connection, component_ids: Collection[int]) -> list[MadeListing]:
    """Every listing that contains one of these SKUs, with all its components."""
    if not component_ids:
        return []
    parts: dict[int, list[tuple[int, int]]] = {}
    named: dict[int, int | None] = {}
    for row in _made_of(connection, wanted=[(sku_id,) for sku_id in sorted(component_ids)]):
        parts.setdefault(row.listing_id, []).append((row.sku_id, row.units))
        named[row.listing_id] = row.named_sku_id
    return [MadeListing(listing_id, tuple(each), named[listing_id]) for listing_id, each in parts.items()]


@statement
def _made_of(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int)
    ids = (
        select(listing_component.c.listing_id)
        .join(wanted, wanted.c.sku_id == listing_component.c.sku_id)
        .distinct()
        .subquery("ids")
    )
    return (
        select(listing_component, sku.c.id.label("named_sku_id"))
        .join(ids, ids.c.listing_id == listing_component.c.listing_id)
        .join(listing, listing.c.id == listing_component.c.listing_id)
        .outerjoin(sku, sku.c.code == listing.c.code)
        .order_by(listing_component.c.listing_id, listing_component.c.sku_id)
    )


def replace_components(connection: Connection, made: Mapping[int, Components], now: datetime) -> None:
    """Make listings of these components. Their numbers, and those their holds count against, are looked at again."""
    if not made:
        return
    ids = [(listing_id,) for listing_id in sorted(made)]
    shared = set(_components(connection, made=ids).scalars())
    _delete_components(connection, made=ids)
    insert_rows(
        connection,
        listing_component,
        [("listing_id", int), ("sku_id", int), ("units", int)],
        [(listing_id, *component) for listing_id, parts in sorted(made.items()) for component in parts],
    )
    shared |= {sku_id for parts in made.values() for sku_id, _ in parts}
    mark_dirty(connection, dict.fromkeys(shared), now)


@statement
def _components(given: Given) -> Executable:
    return select(listing_component.c.sku_id).where(_is_made(given)).distinct()


@statement
def _delete_components(given: Given) -> Executable:
    return delete(listing_component).where(_is_made(given))


def _is_made(given: Given) -> ColumnElement[bool]:
    made = given.rows("made", id=int)
    return listing_component.c.listing_id.in_(select(made.c.id))


def _same_elsewhere(
    connection: Connection, made: Sequence[MadeListing], old: Mapping[int, Components]
) -> dict[Components, set[int]]:
    """SKUs outside `old` by what they are made of, among those that listings of `made` may stand for."""
    parts = {sku_id for each in made for sku_id, _ in each.components}
    others = components_of(connection, ({*parts, *containing(connection, parts)}) - old.keys())
    same: dict[Components, set[int]] = {}
    for sku_id, components in others.items():
        same.setdefault(components, set()).add(sku_id)
    return same

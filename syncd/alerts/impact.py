"""What an incident costs, from the database: causes, units, orders, and what waits behind an account or a warehouse."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Executable, case, func, select

from syncd.alerts.incidents import Incident
from syncd.alerts.kinds import Severity, kind_of
from syncd.db.statements import Given, constant, statement
from syncd.db.tables import alert, cell, dirty_listing, incident, listing, shipment_request, shipment_request_line

COUNTED_TO: Final = 10_000
MOST_SEVERE_ITEMS: Final = 60
MOST_ITEMS: Final = 5
_OF_ACCOUNT: Final = frozenset(("channel_down", "auth_expired"))
_OF_WAREHOUSE: Final = frozenset(("warehouse_down", "warehouse_auth"))
_OF_LISTING: Final = frozenset(("listing_refused", "listing_unreadable", "listing_unheeded"))


@dataclass(frozen=True, slots=True)
class Item:
    """One cause, for a person: what it is about, how many units suffer, and what a vendor said of it."""

    subject: str
    units: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Impact:
    """`listings` wait to be written and `shown` units stand there; `waiting` orders wait at a warehouse."""

    causes: int
    units: int
    orders: int
    items: tuple[Item, ...] = ()
    listings: int = 0
    shown: int = 0
    waiting: int = 0


def measure(connection: Connection, incidents: Sequence[Incident]) -> dict[int, Impact]:
    """The impact of each incident's open causes, the untold ones as items with the worst first."""
    if not incidents:
        return {}
    ids = [(each.id,) for each in incidents]
    sums = {row.incident_id: row for row in _sums(connection, wanted=ids)}
    listings = _account_impacts(connection, incidents)
    waiting = _warehouse_impacts(connection, incidents)
    measured = {}
    for each in incidents:
        row = sums.get(each.id)
        units, orders = (int(row.units or 0), int(row.orders or 0)) if row else (0, 0)
        ours = listings.get(each.id, (0, 0))
        there = waiting.get(each.id, (0, 0))
        measured[each.id] = Impact(
            causes=int(row.untold) if row else 0,
            units=units + there[1],
            orders=orders,
            items=_worst(connection, each),
            listings=ours[0],
            shown=ours[1],
            waiting=there[0],
        )
    return measured


@statement
def _sums(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    untold = alert.c.told_at.is_(None)
    return (
        select(
            alert.c.incident_id,
            func.sum(case((untold, 1), else_=0)).label("untold"),
            func.sum(case((untold, alert.c.units), else_=0)).label("units"),
            func.sum(case((untold, alert.c.orders), else_=0)).label("orders"),
        )
        .join(wanted, wanted.c.id == alert.c.incident_id)
        .where(alert.c.closed_at.is_(None))
        .group_by(alert.c.incident_id)
    )


def _worst(connection: Connection, each: Incident) -> tuple[Item, ...]:
    """One statement an incident, of which a message has a handful: the order is by its own causes."""
    kind = kind_of(each.kind)
    most = MOST_SEVERE_ITEMS if kind.severity is Severity.CRITICAL else MOST_ITEMS
    found = _of_incident(connection, incident_id=each.id, most=most).all()
    names: dict[int, str] = {}
    if each.kind in _OF_LISTING:
        names = _listing_names(connection, [int(row.key.rpartition(":")[2]) for row in found])
    return tuple(
        Item(
            row.subject or names.get(_listing_id(row.key, each.kind), ""),
            row.units,
            row.detail,
        )
        for row in found
        if row.subject or row.detail or names
    )


def _listing_id(key: str, kind: str) -> int:
    return int(key.rpartition(":")[2]) if kind in _OF_LISTING else 0


@statement
def _of_incident(given: Given) -> Executable:
    return (
        select(alert.c.key, alert.c.subject, alert.c.units, alert.c.detail)
        .where(
            alert.c.incident_id == given.value("incident_id", int),
            alert.c.closed_at.is_(None),
            alert.c.told_at.is_(None),
        )
        .order_by(func.coalesce(alert.c.units, 0).desc(), alert.c.opened_at, alert.c.id)
        .limit(given.value("most", int))
    )


def _listing_names(connection: Connection, ids: Collection[int]) -> dict[int, str]:
    found = _listings(connection, wanted=[(each,) for each in sorted(set(ids))])
    return {row.id: row.code or row.channel_sku for row in found}


@statement
def _listings(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(listing.c.id, listing.c.code, listing.c.channel_sku).join(wanted, wanted.c.id == listing.c.id)


def _account_impacts(connection: Connection, incidents: Sequence[Incident]) -> dict[int, tuple[int, int]]:
    """(listings that wait, units that they show) by incident; counted no further than COUNTED_TO."""
    found = {}
    for each in incidents:
        if each.kind in _OF_ACCOUNT:
            row = _waiting_listings(connection, incident_id=each.id).one()
            found[each.id] = (int(row.listings), int(row.shown or 0))
    return found


@statement
def _waiting_listings(given: Given) -> Executable:
    some = (
        select(dirty_listing.c.listing_id)
        .join(incident, incident.c.account_id == dirty_listing.c.account_id)
        .where(incident.c.id == given.value("incident_id", int), dirty_listing.c.urgency.in_((0, 1)))
        .limit(COUNTED_TO)
        .subquery("waiting")
    )
    known = cell.c.anchor_value - cell.c.sold_lo
    shown = (
        select(cell.c.listing_id, func.max(case((known > 0, known), else_=0)).label("units"))
        .join(some, some.c.listing_id == cell.c.listing_id)
        .group_by(cell.c.listing_id)
        .subquery("shown")
    )
    return select(
        select(func.count()).select_from(some).scalar_subquery().label("listings"),
        select(func.sum(shown.c.units)).scalar_subquery().label("shown"),
    )


def _warehouse_impacts(connection: Connection, incidents: Sequence[Incident]) -> dict[int, tuple[int, int]]:
    """(orders that wait there, their pieces) by incident."""
    found = {}
    for each in incidents:
        if each.kind in _OF_WAREHOUSE:
            row = _waiting_orders(connection, incident_id=each.id).one()
            found[each.id] = (int(row.orders), int(row.pieces or 0))
    return found


@statement
def _waiting_orders(given: Given) -> Executable:
    some = (
        select(shipment_request.c.id)
        .join(incident, incident.c.warehouse_id == shipment_request.c.warehouse_id)
        .where(
            incident.c.id == given.value("incident_id", int),
            shipment_request.c.state.in_([constant(state) for state in ("planned", "submitted", "accepted")]),
        )
        .limit(COUNTED_TO)
        .subquery("waiting")
    )
    left = func.sum(shipment_request_line.c.pieces - shipment_request_line.c.shipped)
    return select(
        select(func.count()).select_from(some).scalar_subquery().label("orders"),
        select(left).join(some, some.c.id == shipment_request_line.c.request_id).scalar_subquery().label("pieces"),
    )

"""See which orders' goods an outside warehouse can be asked for now, and what people must be told of the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Executable, Select, and_, func, not_, or_, select, text

from syncd.alerts.store import Alert
from syncd.db.statements import Given, statement
from syncd.db.tables import (
    account,
    order_line,
    recipient,
    reservation,
    sales_order,
    shipment_request,
    shipment_request_line,
)
from syncd.fulfilment import alerts
from syncd.fulfilment.request import OPEN
from syncd.orders.book import AccountView

_INCOMPLETE_TOLD_AFTER: Final = timedelta(hours=1)
_WITHHELD_TOLD_AFTER: Final = timedelta(days=1)
"""Channels withhold the address of an order that is not paid yet, and say nothing else of that."""

_WAITING: Final = 500


@dataclass(frozen=True, slots=True)
class Outside:
    """A warehouse that ships for us, and who may act for it."""

    warehouse_id: int
    key: str
    views: Mapping[int, AccountView]


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is to plan for a warehouse, and to tell."""

    ready: tuple[int, ...]  # orders
    opening: tuple[Alert, ...]
    closing: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.ready or self.opening or self.closing)


def survey(connection: Connection, place: Outside, grace_s: float, limit: int, now: datetime) -> Survey:
    """Orders whose goods there can be sent now, oldest first, and what became of alerts. Only reads.

    Left out are orders younger than the grace period, ones in review, tests, those that still hold what the warehouse
    has refused, and those from before their account went live: what the seller used until then may have sent them.
    """
    ready: tuple[int, ...] = ()
    deserved: dict[str, Alert] = {}
    # Without a unit that it holds and was not asked for, a warehouse has nothing to send and nobody to wait for.
    if _any_held(connection, warehouse_id=place.warehouse_id).first() is not None:
        due = _at(place, now - timedelta(seconds=grace_s))
        ready = tuple(row.id for row in _ready(connection, **due, limit=limit))
        deserved = {
            **_waiting(connection, place, due, now),
            **_backlogs(connection, place, now),
            **_refusals(connection, place),
        }
    opened = alerts.open_of(connection, place.warehouse_id)
    told = alerts.of_kinds(opened, alerts.WAITS, alerts.BACKLOG, alerts.REFUSED)
    return Survey(
        ready,
        tuple(each for key, each in deserved.items() if key not in told),
        (*sorted(told - deserved.keys()), *alerts.outdated(connection, place.warehouse_id, opened, now)),
    )


def still_ready(
    connection: Connection, place: Outside, grace_s: float, order_ids: Collection[int], now: datetime
) -> set[int]:
    """Those of these orders that can be sent at this moment."""
    due = _at(place, now - timedelta(seconds=grace_s))
    return {row.id for row in _still_ready(connection, **due, wanted=[(i,) for i in sorted(order_ids)])}


def _waiting(connection: Connection, place: Outside, due: Mapping[str, Any], now: datetime) -> dict[str, Alert]:
    """Orders that wait for their address longer than such orders do."""
    found = _without_address(
        connection, **due, incomplete_since=now - _INCOMPLETE_TOLD_AFTER, withheld_since=now - _WITHHELD_TOLD_AFTER
    )
    waiting = [alerts.waits(place.warehouse_id, place.key, row.id, row.name, row.account_id) for row in found]
    return {each.key: each for each in waiting}


def _backlogs(connection: Connection, place: Outside, now: datetime) -> dict[str, Alert]:
    """How many orders of each account are left to whoever sent them before it went live."""
    left = [
        alerts.backlog(place.warehouse_id, place.key, row.account_id, place.views[row.account_id].key, row.orders)
        for row in _count_backlogs(connection, **_at(place, now))
    ]
    return {each.key: each for each in left}


def _refusals(connection: Connection, place: Outside) -> dict[str, Alert]:
    """Orders that still hold what the warehouse will not send; of several refusals the last."""
    refused = [
        alerts.refused(place.warehouse_id, place.key, row.id, row.name, row.account_id, row.reason or alerts.BY_ITSELF)
        for row in _refused(connection, warehouse_id=place.warehouse_id)
    ]
    return {each.key: each for each in refused}


@statement
def _any_held(given: Given) -> Executable:
    return select(reservation.c.order_line_id).where(_is_held(given)).limit(1)


@statement
def _ready(given: Given) -> Executable:
    ours = _due(given).where(_is_ours(), _has_address())
    return ours.order_by(sales_order.c.id).limit(given.value("limit", int))


@statement
def _still_ready(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return _due(given).where(_is_ours(), _has_address(), sales_order.c.id.in_(select(wanted.c.id)))


@statement
def _without_address(given: Given) -> Executable:
    since = sales_order.c.first_applied_at
    incomplete = and_(_says("name", "street", how=or_), since <= given.value("incomplete_since", datetime))
    waits = or_(incomplete, since <= given.value("withheld_since", datetime))
    return _due(given).where(_is_ours(), not_(_has_address()), waits).order_by(sales_order.c.id).limit(_WAITING)


@statement
def _count_backlogs(given: Given) -> Executable:
    due = _due(given).where(not_(_is_ours())).subquery("due")
    return select(due.c.account_id, func.count().label("orders")).group_by(due.c.account_id).order_by(due.c.account_id)


@statement
def _refused(given: Given) -> Executable:
    return (
        select(sales_order.c.id, sales_order.c.name, sales_order.c.account_id, shipment_request.c.reason)
        .join(shipment_request, shipment_request.c.order_id == sales_order.c.id)
        .where(
            sales_order.c.state == "open",
            sales_order.c.id.in_(_holding(given)),
            shipment_request.c.warehouse_id == given.value("warehouse_id", int),
            _is_refused(),
        )
        .order_by(shipment_request.c.id)
    )


def _is_refused() -> ColumnElement[bool]:
    """Whether a request was refused, and its order still holds units of its lines there that nobody is asked for."""
    held = (
        select(1)
        .select_from(shipment_request_line)
        .join(
            reservation,
            and_(
                reservation.c.order_line_id == shipment_request_line.c.order_line_id,
                reservation.c.sku_id == shipment_request_line.c.sku_id,
            ),
        )
        .where(
            shipment_request_line.c.request_id == shipment_request.c.id,
            reservation.c.warehouse_id == shipment_request.c.warehouse_id,
            reservation.c.stage == "held",
            reservation.c.quantity > 0,
        )
    )
    return and_(shipment_request.c.state == "refused", held.exists())


def _at(place: Outside, applied_before: datetime) -> dict[str, Any]:
    """What `_due` is given."""
    accounts = [(account_id,) for account_id in sorted(place.views)]
    return {"warehouse_id": place.warehouse_id, "accounts": accounts, "applied_before": applied_before}


def _is_held(given: Given) -> ColumnElement[bool]:
    as_indexed = text("reservation.stage = 'held' AND reservation.quantity > 0")  # as the partial index has it
    return and_(reservation.c.warehouse_id == given.value("warehouse_id", int), as_indexed)


def _holding(given: Given) -> Select[Any]:
    """Orders that hold units there which it was not asked for."""
    line = order_line.c.id == reservation.c.order_line_id
    return select(order_line.c.order_id).join(reservation, line).where(_is_held(given))


def _due(given: Given) -> Select[Any]:
    accounts = given.rows("accounts", id=int)
    asked = select(1).where(
        shipment_request.c.order_id == sales_order.c.id,
        shipment_request.c.warehouse_id == given.value("warehouse_id", int),
        or_(shipment_request.c.state.in_(OPEN), _is_refused()),
    )
    return (
        select(sales_order.c.id, sales_order.c.name, sales_order.c.account_id)
        .join(account, and_(account.c.id == sales_order.c.account_id, account.c.state == "live"))
        .outerjoin(recipient, recipient.c.order_id == sales_order.c.id)
        .where(
            sales_order.c.state == "open",
            sales_order.c.review.is_(None),
            sales_order.c.test == 0,
            sales_order.c.first_applied_at <= given.value("applied_before", datetime),
            sales_order.c.account_id.in_(select(accounts.c.id)),
            sales_order.c.id.in_(_holding(given)),
            ~asked.exists(),
        )
    )


def _is_ours() -> ColumnElement[bool]:
    """Whether an order was placed, and came, since its account is live."""
    since = account.c.live_since_at
    return or_(since.is_(None), and_(sales_order.c.placed_at >= since, sales_order.c.first_applied_at >= since))


def _has_address() -> ColumnElement[bool]:
    return _says("name", "street", "country", how=and_)


def _says(*parts: str, how: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = how(*(func.coalesce(recipient.c[part], "") != "" for part in parts))
    return found

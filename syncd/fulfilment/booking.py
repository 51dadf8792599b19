"""Change a shipment request and what its order holds, in one transaction."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from adapters.warehouse import ShipmentState
from allocation import Policy
from syncd.accounts.store import selling_accounts
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.tables import account
from syncd.fulfilment import alerts
from syncd.fulfilment.leaving import note_pieces, units_left, units_to_book
from syncd.fulfilment.parcels import record_parcels
from syncd.fulfilment.request import Request, save_request, save_shipped
from syncd.fulfilment.survey import Outside
from syncd.insight.store import add_tallies
from syncd.orders.book import AccountView, LineBook, OrderStanding, Stage
from syncd.orders.change import OrderChange
from syncd.orders.moves import release_surplus, ship_units
from syncd.orders.store.record import record_changes
from syncd.stock.ledger import Ledger
from syncd.stock.store import load_levels


class Booking:
    """A request whose news are being booked: levels and order are written by `record`."""

    def __init__(self, connection: Connection, place: Outside, request: Request, now: datetime) -> None:
        self._connection = connection
        self._place = place
        self._now = now
        self._opened: list[Alert] = []
        self._closed: set[str] = set()
        self._tallies: Counter[str] = Counter()
        self._values: dict[str, Any] = {}
        self._account = _view(connection, place, request.book.account_id)
        self.request = request
        request.book.applications += 1
        self._change = OrderChange(request.book, None, None, is_new=False)
        keys = {
            (sku_id, warehouse_id)
            for line in request.book.lines.values()
            for sku_id, _ in line.components
            for warehouse_id in (*line.held, request.warehouse_id)
        }
        self._ledger = Ledger(load_levels(connection, keys), f"warehouse:{place.key}", now)

    def accept(self, warehouse_shipment_id: str) -> None:
        """The warehouse has it: from now on its free stock is net of it."""
        for line in self.request.lines:
            line.accept(self.request.warehouse_id)
        if self.request.state != "accepted":
            self._tallies["shipments_accepted"] += 1
            self._set(state="accepted", accepted_at=self._now, warehouse_shipment_id=warehouse_shipment_id)

    def ship(self, told: ShipmentState) -> None:
        """Book what newly left, whole listing units at a time, and only what is still reserved there."""
        left_before = {line.channel_line_id: units_left(self.request, line) for line in self.request.lines}
        save_shipped(self._connection, self.request, note_pieces(self.request, told.shipped))
        record_parcels(self._connection, self.request.request_id, told.parcels)
        for line in self.request.lines:
            if self.request.is_open:
                self._book(line, units_to_book(self.request, line), Stage.ACCEPTED)
            else:  # it was over, and its units went back to the order
                newly = units_left(self.request, line) - left_before[line.channel_line_id]
                self._book(line, min(newly, line.untold(self.request.warehouse_id)), Stage.HELD)
        if self._change.shipped_units and self.request.cancel_wanted_at is not None:
            self.tell(alerts.too_late, told.reason or "it had left already")

    def _book(self, line: LineBook, units: int, stage: Stage) -> None:
        """Whenever they left: our level counts until now what a warehouse has accepted."""
        place = self.request.warehouse_id
        ship_units(line, self.request.book, self._ledger, place, units, stage=stage, left_at=None)
        line.shipped += units
        self._change.shipped_units += units
        self._tallies["units_shipped"] += units * sum(pieces for _, pieces in line.components)

    def free(self) -> None:
        """Nothing more of it will leave: what the order still wants is reserved as before, the rest is released.

        All of its lines have a say in what other warehouses are to cancel.
        """
        self._change.had_requests = True
        for line in self.request.lines:
            line.take_back(self.request.warehouse_id)
        for line in self.request.book.lines.values():
            release_surplus(line, 0, self._account, self._ledger, self._change)

    @property
    def holds_some(self) -> bool:
        """Whether the order still holds units there that the warehouse is not asked to ship."""
        return any(line.untold(self.request.warehouse_id) for line in self.request.lines)

    def end(self, state: str, reason: str | None = None) -> None:
        self._set(state=state, settled_at=self._now, reason=reason)
        self.untell(alerts.EXCEPTION)
        if state != "shipped":
            self._tallies[f"shipments_{state}"] += 1

    def note(self, **values: Any) -> None:
        """Change columns of the request."""
        self._set(**values)

    def count(self, name: str) -> None:
        self._tallies[name] += 1

    def tell(self, about: Any, reason: str) -> None:
        """Open one of the alerts of `alerts` about this request's order."""
        book, place = self.request.book, self._place
        self._opened.append(
            about(place.warehouse_id, place.key, self.request.order_id, self.request.name, book.account_id, reason)
        )

    def untell(self, kind: str) -> None:
        self._closed.add(alerts.alert_key(kind, self._place.warehouse_id, self.request.order_id))

    def record(self) -> None:
        """Write it all."""
        book, change = self.request.book, self._change
        if book.is_done and book.standing is OrderStanding.OPEN:
            change.standing = OrderStanding.FULFILLED
        save_request(self._connection, self.request, **self._values)
        record_changes(self._connection, [change], self._ledger, {book.account_id: self._account}, self._now)
        add_tallies(self._connection, {(f"warehouse:{self._place.key}", name): n for name, n in self._tallies.items()})
        open_alerts(self._connection, self._opened, self._now)
        close_alerts(self._connection, self._closed - {each.key for each in self._opened}, self._now)

    def _set(self, **values: Any) -> None:
        self._values |= values
        for name in values.keys() - {"reason"}:
            setattr(self.request, name, values[name])


def _view(connection: Connection, place: Outside, account_id: int) -> AccountView:
    """The account as it is at this moment; of one that the configuration no longer names, what is needed to book."""
    known = place.views.get(account_id)
    if known is not None:
        return replace(known, live=account_id in selling_accounts(connection))
    key = connection.execute(select(account.c.key).where(account.c.id == account_id)).scalar_one()
    return AccountView(account_id, key, False, Policy.PRIORITY, 0.0, 0.0, 0.0, ())

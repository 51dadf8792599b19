"""A warehouse in memory that ships for us: it tells its free stock, net of what it has accepted."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from adapters.contract import AdapterError, Forged, Identity, OutcomeUnknown
from adapters.warehouse import (
    Cancelled,
    Parcel,
    ShipmentOrder,
    ShipmentState,
    ShipmentStatus,
    StockPage,
    StockRow,
    WarehouseTraits,
)

TRAITS = WarehouseTraits(
    poll_every_s=60.0,
    shipments_poll_every_s=60.0,
    shipments_overlap_s=60.0,
    settle_s=30.0,
    request_timeout_real_s=1.0,
)


@dataclass
class HandClock:
    """A clock that a test moves."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class FakeWarehouse:
    """`free` is what it would promise, by code; `shipments` what it has accepted; `asked` every request ever sent.

    What is queued in `troubles` by the name of a method happens to its next calls: an error, or, as `lost`, the answer
    gets lost after the warehouse has done as it was asked.
    """

    clock: HandClock
    free: dict[str, int] = field(default_factory=dict)
    unavailable: dict[str, int] = field(default_factory=dict)
    shipments: dict[str, ShipmentState] = field(default_factory=dict)
    changed_at: dict[str, datetime] = field(default_factory=dict)
    orders: dict[str, ShipmentOrder] = field(default_factory=dict)
    asked: list[ShipmentOrder] = field(default_factory=list)
    troubles: dict[str, deque[AdapterError | str]] = field(default_factory=dict)
    too_late: bool = False
    deaf_to: set[str] = field(default_factory=set)  # references that never get through
    pages: list[StockPage] | None = None  # what a read of stock answers, instead of the truth
    traits: WarehouseTraits = TRAITS
    throttled: int = 0

    # --- what happens in the warehouse -------------------------------------------------------------------------------

    def next_time(self, method: str, *troubles: AdapterError | str) -> None:
        self.troubles.setdefault(method, deque()).extend(troubles)

    def take_in(self, order: ShipmentOrder) -> ShipmentState:
        """Accept a shipment: its goods are no longer free."""
        state = ShipmentState(order.reference, f"W-{len(self.orders) + 1}", ShipmentStatus.ACCEPTED, {})
        self.orders[order.reference] = order
        for line in order.lines:
            self.free[line.warehouse_sku] = self.free.get(line.warehouse_sku, 0) - line.quantity
        return self._set(state)

    def ships(self, reference: str, pieces: Mapping[str, int] | None = None, number: str = "T-1") -> None:
        """Let goods leave: all that are left of it, or these pieces."""
        state = self.shipments[reference]
        asked = self._pieces(reference)
        leaving = pieces if pieces is not None else {sku: n - state.shipped.get(sku, 0) for sku, n in asked.items()}
        shipped = {sku: state.shipped.get(sku, 0) + leaving.get(sku, 0) for sku in asked}
        parcel = Parcel("DHL", number, f"https://track.example/{number}", self.clock.now(), dict(leaving))
        status = ShipmentStatus.SHIPPED if shipped == asked else ShipmentStatus.PICKING
        self._set(replace(state, shipped=shipped, status=status, parcels=(*state.parcels, parcel)))

    def says(self, reference: str, status: ShipmentStatus, reason: str | None = None) -> None:
        self._set(replace(self.shipments[reference], status=status, reason=reason))

    def drops(self, reference: str, reason: str | None = None) -> None:
        """Cancel what has not left: it is free again."""
        state = self.shipments[reference]
        for sku, pieces in self._pieces(reference).items():
            self.free[sku] += pieces - state.shipped.get(sku, 0)
        self._set(replace(state, status=ShipmentStatus.CANCELLED, reason=reason))

    def _pieces(self, reference: str) -> dict[str, int]:
        return {line.warehouse_sku: line.quantity for line in self.orders[reference].lines}

    def _set(self, state: ShipmentState) -> ShipmentState:
        self.shipments[state.reference] = state
        self.changed_at[state.reference] = self.clock.now()
        return state

    def _trouble(self, method: str, *, done: bool = False) -> None:
        """Raise what is queued for a method: errors before it acts, a lost answer after."""
        waiting = self.troubles.get(method)
        if not waiting or (waiting[0] == "lost") != done:
            return
        trouble = waiting.popleft()
        if isinstance(trouble, str):
            raise OutcomeUnknown("the answer was lost")
        raise trouble

    # --- what we can ask of it ---------------------------------------------------------------------------------------

    async def identify(self) -> Identity:
        return Identity("fake", (), (), None)

    async def read_stock(self) -> AsyncIterator[StockPage]:
        self._trouble("read_stock")
        if self.pages is not None:
            for page in self.pages:
                yield page
        else:
            yield self.snapshot()
        self._trouble("read_stock", done=True)

    def snapshot(self) -> StockPage:
        codes = sorted(self.free.keys() | self.unavailable.keys())
        rows = tuple(StockRow(sku, self.free.get(sku, 0), self.unavailable.get(sku, 0)) for sku in codes)
        return StockPage(self.clock.now(), rows)

    async def submit(self, order: ShipmentOrder) -> ShipmentState:
        self.asked.append(order)
        self._trouble("submit")
        if order.reference in self.deaf_to:
            raise OutcomeUnknown("it hangs up")
        state = self.shipments.get(order.reference) or self.take_in(order)
        self._trouble("submit", done=True)
        return state

    async def find(self, reference: str) -> ShipmentState | None:
        self._trouble("find")
        return self.shipments.get(reference)

    async def poll_shipments(self, since: datetime) -> AsyncIterator[Sequence[ShipmentState]]:
        self._trouble("poll_shipments")
        for reference, state in list(self.shipments.items()):
            if self.changed_at[reference] >= since:
                yield [state]
        self._trouble("poll_shipments", done=True)

    async def cancel(self, warehouse_shipment_id: str) -> Cancelled:
        self._trouble("cancel")
        (state,) = [each for each in self.shipments.values() if each.warehouse_shipment_id == warehouse_shipment_id]
        if self.too_late or state.status is ShipmentStatus.SHIPPED:
            return Cancelled(False, "it is being picked")
        if state.status is not ShipmentStatus.CANCELLED:
            self.drops(state.reference)
        self._trouble("cancel", done=True)
        return Cancelled(True)

    async def ensure_webhooks(self, public_url: str) -> Sequence[object]:
        return ()

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> str:
        raise Forged("it sends none")

    async def close(self) -> None:
        return None

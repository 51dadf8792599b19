"""The warehouse floor: shipments are picked and leave, each in its own time, and sometimes something is wrong."""

from __future__ import annotations

from adapters.sandbox_kit.under_way import UnderWay
from adapters.shipbob.sandbox.depot import OUT_OF_STOCK, Depot
from adapters.shipbob.sandbox.outbox import Outbox
from adapters.shipbob.sandbox.records import Detail, Item, Order, Shipment, Status, Tracking

PICKING = Detail(99, "PickInProgress", "An associate is picking the items")
LABELED = Detail(102, "Labeled", "Label Generated")
HELD = {Status.EXCEPTION: 310, Status.ON_HOLD: 410}  # numbers for details that people make up
TOO_LATE = "Shipment is being picked and can no longer be cancelled"
GONE = "Shipment has already been completed"


class Floor:
    """Carries every shipment on a task of its own until it leaves, is stopped or lacks stock."""

    def __init__(self, depot: Depot, outbox: Outbox) -> None:
        self._depot = depot
        self._outbox = outbox
        self._under_way = UnderWay()

    def take_in(self, order: Order) -> None:
        """Start to work on a new order."""
        for shipment in order.shipments:
            if shipment.status is Status.PROCESSING:
                self._start(order, shipment)
            else:
                self._outbox.stopped(order, shipment)

    async def stop(self) -> None:
        await self._under_way.stop()

    # --- what people do -----------------------------------------------------------------------------------------

    def cancel(self, order: Order, shipment: Shipment) -> str | None:
        """Call a shipment back: None, or why it is too late."""
        if shipment.status is Status.COMPLETED:
            return GONE
        if shipment.picking:
            return TOO_LATE
        if shipment.open:
            self._depot.free(shipment)
            self._depot.change(shipment, Status.CANCELLED)
            self._outbox.cancelled(order, shipment)
        return None

    def ship(self, order: Order, shipment: Shipment) -> str | None:
        """Let a shipment leave now: None, or why it cannot."""
        if not shipment.open:
            return f"the shipment is {shipment.status}"
        if not shipment.committed and not self._depot.commit(shipment):
            return "there is no stock for it"
        if self._depot.lacks_pieces(shipment):
            return "its pieces are not on the shelf"
        shipment.picking = True
        self._leave(order, shipment)
        return None

    def hold(self, order: Order, shipment: Shipment, reason: str, status: Status) -> None:
        """Stop a shipment for a person to look at. Its pieces stay committed."""
        shipment.picking = False
        self._depot.change(shipment, status, Detail(HELD[status], reason, reason))
        self._outbox.stopped(order, shipment)

    def restock(self, item: Item) -> None:
        """Try what waits for an item again, oldest first."""
        for order in list(self._depot.orders.values()):
            for shipment in order.shipments:
                waits = shipment.status is Status.EXCEPTION and not shipment.committed
                if waits and any(line.item is item for line in shipment.lines) and self._depot.commit(shipment):
                    self._depot.change(shipment, Status.PROCESSING)
                    self._start(order, shipment)

    # --- what happens by itself ---------------------------------------------------------------------------------

    def _start(self, order: Order, shipment: Shipment) -> None:
        seed, rng = self._depot.seed, self._depot.rng
        pick_after_s, ship_after_s = rng.uniform(*seed.pick_after_s), rng.uniform(*seed.ship_after_s)
        self._under_way.begin(self._carry(order, shipment, pick_after_s, ship_after_s))

    async def _carry(self, order: Order, shipment: Shipment, pick_after_s: float, ship_after_s: float) -> None:
        sleep = self._depot.clock.sleep
        await sleep(pick_after_s)
        if not self._pick(order, shipment):
            return
        await sleep(ship_after_s / 2)
        if shipment.picking and shipment.open:
            self._depot.change(shipment, Status.LABELED, LABELED)
        await sleep(ship_after_s / 2)
        if shipment.picking and shipment.open:
            self._leave(order, shipment)

    def _pick(self, order: Order, shipment: Shipment) -> bool:
        """Go and fetch the pieces. False when nobody wants them any more, or they are not there."""
        if shipment.status is not Status.PROCESSING or shipment.picking:
            return False
        if self._depot.lacks_pieces(shipment):
            self._depot.free(shipment)
            self._depot.change(shipment, Status.EXCEPTION, OUT_OF_STOCK)
            self._outbox.stopped(order, shipment)
            return False
        shipment.picking = True
        self._depot.change(shipment, Status.PROCESSING, PICKING)
        return True

    def _leave(self, order: Order, shipment: Shipment) -> None:
        self._depot.leave(shipment)
        number = f"1Z{self._depot.rng.randrange(10**12):012d}"
        shipment.tracking = Tracking(
            "UPS", "UPS Ground", number, f"https://track.sandbox.example/{number}", self._depot.now()
        )
        self._depot.change(shipment, Status.COMPLETED, Detail(200, "Processing", "Waiting For Carrier Pickup"))
        self._outbox.shipped(order, shipment)

"""A seller with an outside warehouse that ships: the real book, and a warehouse in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from adapters.contract import OrderState
from syncd.db.database import Database
from syncd.db.lease import Lease, acquire
from syncd.fulfilment.outside import Fulfilment
from syncd.fulfilment.plan import installation_of, reference_of
from syncd.reconcile.audit import audit
from tests.support.builders import NOW, Parts, Seller, a_seller, an_order
from tests.support.fake_warehouse import FakeWarehouse, HandClock

PLACE = ("1", "RED-CLOCK", "3pl")
"""The first line of an order, its goods, and where they lie."""


@dataclass
class Shipping:
    """A seller, the warehouse `3pl` and what works with it."""

    seller: Seller
    warehouse: FakeWarehouse
    works: Fulfilment
    clock: HandClock

    @property
    def db(self) -> Database:
        return self.seller.db

    @property
    def reference(self) -> str:
        """That of the first order's first request."""
        return self.reference_of(1, 1)

    def reference_of(self, order_id: int, number: int) -> str:
        return reference_of(self.db.read_now(installation_of), order_id, number)

    def takes_in(self, *orders: OrderState, way: str = "webhook") -> None:
        self.seller.takes_in(*orders, way=way, now=self.clock.now())

    def later(self, seconds: float = 120.0) -> None:
        self.clock.at += timedelta(seconds=seconds)

    async def sends(self) -> None:
        """Let the grace period pass, and everything due be sent."""
        self.later()
        await self.works.submit_due()

    def request(self, reference: str | None = None) -> dict[str, object]:
        found = self.seller.rows(
            "SELECT * FROM shipment_request WHERE reference = :reference", reference=reference or self.reference
        )
        return dict(found[0])

    def states(self) -> list[str]:
        return [str(row["state"]) for row in self.seller.rows("SELECT state FROM shipment_request ORDER BY id")]

    def available(self, sku: str = "RED-CLOCK", warehouse: str = "3pl") -> int:
        return self.seller.level(sku, warehouse).available

    def alert(self, kind: str) -> str:
        (found,) = self.seller.rows("SELECT message FROM alert WHERE closed_at IS NULL AND kind = :kind", kind=kind)
        return str(found["message"])

    def proves(self) -> None:
        """The audit finds nothing."""
        assert audit(self.db).violations == ()


def shipping(
    db: Database,
    stock: Parts | None = None,
    *,
    own: Parts | None = None,
    listings: dict[str, Parts] | None = None,
    live: bool = True,
) -> Shipping:
    """`stock` lies in the outside warehouse alone, which comes first; `own` in hamburg."""
    pieces = dict(stock or {"RED-CLOCK": 10})
    shelves: dict[str, Parts] = {"3pl": pieces, "hamburg": own or {}}
    seller = a_seller(db, shelves, warehouses={"3pl": "3pl", "hamburg": "own"}, listings=listings, live=live)
    return working_with(seller, "3pl", FakeWarehouse(HandClock(NOW + timedelta(minutes=1)), dict(pieces)))


async def accepted(db: Database, quantity: int = 1, **more: object) -> Shipping:
    """An order whose goods the warehouse has accepted to ship."""
    it = shipping(db, **more)  # type: ignore[arg-type]
    it.takes_in(an_order(quantity=quantity))
    await it.sends()
    assert it.states() == ["accepted"]
    return it


def working_with(seller: Seller, key: str, warehouse: FakeWarehouse) -> Shipping:
    """What works with one warehouse of a seller."""
    lease = seller.db.transact_now(_acquire, key, warehouse.clock)
    place = seller.warehouses[key].warehouse_id
    works = Fulfilment(place, key, warehouse, seller.views(), seller.db, warehouse.clock, lambda: lease)
    return Shipping(seller, warehouse, works, warehouse.clock)


def _acquire(connection: Connection, key: str, clock: HandClock) -> Lease:
    lease = acquire(connection, f"warehouse:{key}", "this test", clock.now())
    assert isinstance(lease, Lease)
    return lease

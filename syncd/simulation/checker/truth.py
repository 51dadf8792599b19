"""What really happened, as the sandboxes tell it: orders, numbers and how they changed, and a 3PL's shelves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncd.simulation.scene import Scene
from syncd.simulation.shop_control import ShopCounter

Listing = tuple[str, str, str]
"""(account key, channel_sku, channel_location)"""


@dataclass(frozen=True, slots=True)
class SoldLine:
    line_id: str
    sku: str | None
    quantity: int  # as bought
    current: int  # of these, what the buyer is still to get or has got
    fulfilled: int
    by_channel: bool


@dataclass(frozen=True, slots=True)
class SoldOrder:
    """An order or a purchase. One that is not paid yet may be hidden from the seller."""

    account: str
    order_id: str
    name: str
    placed_at: datetime
    updated_at: datetime
    cancelled: bool
    paid: bool
    lines: tuple[SoldLine, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A listing's number changed. `sku` is the code that its channel shows for it, which is ours."""

    listing: Listing
    sku: str
    number: int
    at: datetime
    before: int
    after: int
    why: str
    ref: str
    accepted_at: datetime

    @property
    def place(self) -> tuple[datetime, str, int]:
        """Where it stands among all changes: lines of one order follow one another."""
        return self.at, self.listing[0], self.number

    @property
    def taken(self) -> int:
        """Units that left the number, negative for those that came back."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Shipment:
    """What a 3PL was asked to send: pieces by our SKU, and of these what has left. `status` in the sandbox's words."""

    warehouse: str
    reference: str
    status: str
    shipped: Mapping[str, int]
    asked: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything as it is `at` one instant; `changes` are in the order in which they happened."""

    at: datetime
    orders: Mapping[tuple[str, str], SoldOrder]
    shown: Mapping[Listing, int]
    skus: Mapping[Listing, str]
    changes: tuple[Change, ...]
    shelves: Mapping[tuple[str, str], int]  # pieces on hand at a 3PL by (warehouse, sku)
    shipments: tuple[Shipment, ...]
    docks: frozenset[str] = frozenset()  # the warehouses that were asked for shipments


async def gather(scene: Scene, *, history: bool) -> Truth:
    """Ask every counter and every dock. Without `history` the changes are left out."""
    told = {counter.key: await counter.truth() for counter in scene.counters}
    docks = {key: await dock.truth() for key, dock in scene.docks.items()}
    shown = {
        (key, level["channel_sku"], level["channel_location"]): level
        for key, each in told.items()
        for level in each["levels"]
    }
    skus = {listing: level["sku"] for listing, level in shown.items()}
    changes: list[Change] = []
    for counter in scene.counters if history else ():
        changes += _changes(counter.key, skus, await _shown_log(counter))
    return Truth(
        at=scene.clock.now(),
        orders={(key, order["id"]): _order(key, order) for key, each in told.items() for order in each["orders"]},
        shown={listing: level["available"] for listing, level in shown.items()},
        skus=skus,
        changes=tuple(sorted(changes, key=lambda change: change.place)),
        shelves={(key, level["sku"]): level["on_hand"] for key, each in docks.items() for level in each["levels"]},
        shipments=tuple(_shipment(key, one) for key, each in docks.items() for one in each["shipments"]),
        docks=frozenset(docks),
    )


async def _shown_log(counter: ShopCounter) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = []
    while True:
        page = await counter.shown(len(changes))
        changes += page["changes"]
        if not page["more"]:
            return changes


def _changes(account: str, skus: Mapping[Listing, str], told: Iterable[dict[str, Any]]) -> Iterable[Change]:
    for each in told:
        listing = (account, each["channel_sku"], each["channel_location"])
        at = datetime.fromisoformat(each["at"])
        accepted = each.get("accepted_at")
        yield Change(
            listing,
            skus[listing],
            each["number"],
            at,
            each["before"],
            each["after"],
            each["why"],
            each["ref"],
            datetime.fromisoformat(accepted) if accepted else at,
        )


def _order(account: str, told: Mapping[str, Any]) -> SoldOrder:
    return SoldOrder(
        account,
        told["id"],
        told["name"],
        datetime.fromisoformat(told["created_at"]),
        datetime.fromisoformat(told["updated_at"]),
        told["cancelled"],
        told["paid"],
        tuple(
            SoldLine(
                line["id"],
                line["sku"],
                line["quantity"],
                line["current_quantity"],
                line["fulfilled"],
                line["by_channel"],
            )
            for line in told["lines"]
        ),
    )


def _shipment(warehouse: str, told: Mapping[str, Any]) -> Shipment:
    shipped = {line["sku"]: line["shipped"] for line in told["lines"] if line["shipped"]}
    asked = {line["sku"]: line["quantity"] for line in told["lines"]}
    return Shipment(warehouse, told["reference"], told["status"], shipped, asked)

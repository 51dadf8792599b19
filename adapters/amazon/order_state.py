"""What an Amazon order means for stock: one set of rules for both ways it comes.

`order_wire` (the Orders API) and `notification` copy what they find into `OrderFacts`, unjudged; the rules here turn
the facts into an `OrderState`. So both ways give the same numbers for the same order.

What is wrong with an order never frees its units: a bad field becomes a `Problem` and the units stand. Only a line
without a usable quantity, or with nothing to name its listing by, is parked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.contract import Address, OrderLine, OrderState, Problem
from adapters.iso import COUNTRIES, money
from adapters.reading import MOST_PIECES, Unreadable, instant, pieces, text

_EARLIEST_PARCEL = timedelta(days=1)  # before the order; what claims to have left earlier is not believed


class Status(StrEnum):
    PENDING = "pending"  # not paid yet; the listing has already been lowered
    UNSHIPPED = "unshipped"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    UNFULFILLABLE = "unfulfillable"


_STATUSES = {
    "PENDING": Status.PENDING,
    "PENDINGAVAILABILITY": Status.PENDING,
    "UNSHIPPED": Status.UNSHIPPED,
    "PARTIALLYSHIPPED": Status.PARTIALLY_SHIPPED,
    "SHIPPED": Status.SHIPPED,
    "INVOICEUNCONFIRMED": Status.SHIPPED,  # everything has left; only a tax document is missing
    "CANCELLED": Status.CANCELLED,
    "CANCELED": Status.CANCELLED,
    "UNFULFILLABLE": Status.UNFULFILLABLE,
}
_BY_CHANNEL = {"AMAZON": True, "AFN": True, "MERCHANT": False, "MFN": False}


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """`ordered`: as the buyer ordered; `cancelled`: Amazon says that this item was cancelled, wholly or in part."""

    item_id: object
    sku: object
    ordered: object
    fulfilled: object = None
    unfulfilled: object = None
    cancelled: bool = False
    amount: object = None
    currency: object = None


@dataclass(frozen=True, slots=True)
class OrderFacts:
    order_id: str
    version_at: datetime | None
    created_at: object
    status: object
    fulfilled_by: object
    ship_to: Address | None
    items: Sequence[ItemFacts]
    parcels: Sequence[object] = ()  # when each parcel that left did so
    problems: Sequence[Problem] = ()  # found while reading


def status_of(value: object) -> Status | None:
    """A status in either spelling: PARTIALLY_SHIPPED or PartiallyShipped, CANCELLED or Canceled."""
    return _STATUSES.get(value.replace("_", "").upper()) if isinstance(value, str) else None


def by_channel_of(value: object) -> bool | None:
    """Whether Amazon ships it from FBA stock; None when that is not said."""
    return _BY_CHANNEL.get(value.upper()) if isinstance(value, str) else None


def order_state(facts: OrderFacts) -> OrderState:
    """Judge the facts. Raises Unreadable when the version cannot be read: the order could not be put in sequence."""
    if facts.version_at is None:
        raise Unreadable("lastUpdatedTime", "not an instant with an offset")
    problems = list(facts.problems)
    status, by_channel = _standing(facts, problems)
    placed_at = instant(facts.created_at)
    if placed_at is None:
        problems.append(Problem("createdTime", "not an instant with an offset"))
    if facts.ship_to is not None and facts.ship_to.country not in COUNTRIES and not by_channel:
        problems.append(Problem("ship_to.country", "not an ISO 3166-1 code"))
    if not facts.items:
        problems.append(Problem("orderItems", "none"))
    lines = [
        _line(item, line_id, status, by_channel, problems)
        for item, line_id in zip(facts.items, _line_ids(facts, problems), strict=True)
    ]
    fulfilled_at = None if by_channel else _left_at(facts.parcels, placed_at, problems)
    currencies = {line.unit_price.currency for line in lines if line.unit_price is not None}
    return OrderState(
        channel_order_id=facts.order_id,
        name=facts.order_id,
        version_at=facts.version_at,
        placed_at=placed_at or facts.version_at,
        cancelled=status is Status.CANCELLED,
        test=False,
        lines=tuple(sorted(lines, key=lambda line: line.channel_line_id)),
        ship_to=facts.ship_to,
        currency=currencies.pop() if len(currencies) == 1 else None,
        problems=tuple(sorted(problems, key=lambda problem: (problem.field, problem.reason))),
        fulfilled_at=fulfilled_at,
    )


def _standing(facts: OrderFacts, problems: list[Problem]) -> tuple[Status | None, bool]:
    """The order's status and whether Amazon ships it; what is not said is taken as still ours to ship."""
    status, by_channel = status_of(facts.status), by_channel_of(facts.fulfilled_by)
    if status is None:
        problems.append(Problem("fulfillmentStatus", "unknown: its units stand"))
    if by_channel is None:
        problems.append(Problem("fulfilledBy", "unknown: taken as the merchant"))
    return status, bool(by_channel)


def _line_ids(facts: OrderFacts, problems: list[Problem]) -> list[str]:
    """One id a line: a SKU may come in several items, and an item without a usable id still holds its units."""
    ids: list[str] = []
    for index, item in enumerate(facts.items):
        line_id = text(item.item_id)
        if line_id is None or line_id in ids:
            problems.append(Problem(f"lines.{index}.orderItemId", "missing" if line_id is None else "comes twice"))
            line_id = f"{facts.order_id}/items/{index}"
        ids.append(line_id)
    return ids


def _line(item: ItemFacts, line_id: str, status: Status | None, by_channel: bool, problems: list[Problem]) -> OrderLine:
    sku, ordered = text(item.sku), pieces(item.ordered)
    if ordered is None:
        reason = Problem("quantityOrdered", f"not a whole number from 0 to {MOST_PIECES}")
        return OrderLine(line_id, sku, sku, 0, 0, 0, 0, by_channel=by_channel, parked=reason)
    if sku is None and not by_channel:
        reason = Problem("sellerSku", "missing: nothing else names the listing")
        return OrderLine(line_id, None, None, 0, 0, 0, 0, parked=reason)

    def wrong(field: str, reason: str) -> None:
        problems.append(Problem(f"lines.{line_id}.{field}", reason))

    fulfilled = _fulfilled(item, ordered, status)
    if fulfilled > ordered:
        wrong("quantityFulfilled", "more than were ordered")
        fulfilled = ordered
    quantity = ordered
    if status is Status.CANCELLED:
        quantity = fulfilled
    elif item.cancelled:
        unfulfilled = pieces(item.unfulfilled)
        if unfulfilled is None:
            wrong("quantityUnfulfilled", "missing: how much was cancelled is not said, so the units stand")
        else:
            quantity = min(ordered, fulfilled + unfulfilled)
    if status is Status.SHIPPED and fulfilled < quantity:
        wrong("quantityFulfilled", "the order has shipped and these units have not; they stay reserved")
    price = money(item.amount, text(item.currency))
    if price is None and item.amount is not None:
        wrong("unitPrice", "not an amount of a known currency")
    # The listing falls when the order is placed, pending or not; whether a cancelled unit is put back is not said.
    taken_min, taken_max = (0, 0) if by_channel else (quantity, ordered)
    return OrderLine(
        channel_line_id=line_id,
        line_key=sku,
        code=sku,
        quantity=quantity,
        fulfilled=fulfilled,
        taken_min=taken_min,
        taken_max=taken_max,
        unit_price=price,
        by_channel=by_channel,
    )


def _fulfilled(item: ItemFacts, ordered: int, status: Status | None) -> int:
    """Units that have left, as the item says; where it says nothing, as the order's status does."""
    if status is Status.PENDING or status is Status.UNSHIPPED:
        return 0
    told = pieces(item.fulfilled)
    if told is not None:
        return told
    return ordered if status is Status.SHIPPED else 0


def _left_at(parcels: Sequence[object], placed_at: datetime | None, problems: list[Problem]) -> datetime | None:
    """When the last parcel left. None when none has, or when one does not say: it may well have been the last.

    A parcel from before its order is an error of Amazon's books (1995 has been seen), and is told.
    """
    known = [at for at in map(instant, parcels) if at is not None]
    if placed_at is not None and any(placed_at - at > _EARLIEST_PARCEL for at in known):
        problems.append(Problem("packages.shipTime", "earlier than the order"))
        return None
    return max(known) if known and len(known) == len(parcels) else None

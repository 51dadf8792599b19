"""What a Shopify order means for stock: one set of rules for both shapes it comes in.

`mapping` (GraphQL nodes) and `webhook` (REST payloads) copy what they find into `OrderFacts`, unjudged; the rules
here turn the facts into an `OrderState`. So both ways give the same state for the same order.

What is wrong with an order never frees its units: a bad field becomes a `Problem` and the units stand. Only a line
without a usable quantity, or with nothing to name its listing by, is parked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.contract import Address, OrderLine, OrderState, Problem
from adapters.iso import COUNTRIES, EXPONENTS, money
from adapters.reading import MOST_PIECES, Unreadable, instant, pieces, text

_FINANCIAL = frozenset(
    ("AUTHORIZED", "EXPIRED", "PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "PENDING", "REFUNDED", "VOIDED")
)  # OrderDisplayFinancialStatus, 2026-10
_NEVER_LEFT = frozenset(("CANCELLED", "ERROR", "FAILURE"))  # of FulfillmentStatus, 2026-10
_GIVEN_BACK = frozenset(("CANCEL", "RETURN"))
_KEPT = "NO_RESTOCK"


@dataclass(frozen=True, slots=True)
class LineFacts:
    """`ordered`: units ever ordered; `current`: less removed and refunded ones; `unsent`: of these not yet sent."""

    line_id: str | None
    variant: str | None
    sku: object
    ordered: object
    current: object
    unsent: object
    requires_shipping: object
    price: object
    most_sent: int | None = None  # a second witness: no more than this has left


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """Units of one line that one refund took off it, and whether they went back on sale."""

    line_id: str | None
    quantity: object
    restock_type: object
    location: str | None


@dataclass(frozen=True, slots=True)
class ParcelFacts:
    """One fulfilment. `status` in GraphQL's spelling."""

    created_at: object
    status: object


@dataclass(frozen=True, slots=True)
class OrderFacts:
    order_id: str
    name: object
    updated_at: object
    created_at: object
    cancelled_at: object
    test: object
    currency: object
    financial_status: object
    ship_to: Address | None
    lines: Sequence[LineFacts]
    refunds: Sequence[RefundFacts]
    parcels: Sequence[ParcelFacts] | None  # None: not told, or unreadable
    problems: Sequence[Problem] = ()  # found while reading


def order_state(facts: OrderFacts, location: str) -> OrderState:
    """Judge the facts. Raises Unreadable when the version cannot be read: the order could not be put in sequence."""
    version_at = instant(facts.updated_at)
    if version_at is None:
        raise Unreadable("updated_at", "not an instant with an offset")
    placed_at = instant(facts.created_at)
    cancelled = instant(facts.cancelled_at) is not None
    currency = text(facts.currency)
    problems = [*facts.problems, *_order_problems(facts, placed_at, cancelled)]
    lines: list[OrderLine] = []
    for index, line in enumerate(facts.lines):
        line_id = line.line_id or f"{facts.order_id}/lines/{index}"
        refunds = [refund for refund in facts.refunds if refund.line_id is not None and refund.line_id == line.line_id]
        lines.append(_line_state(line, line_id, refunds, cancelled, location, currency, problems))
    return OrderState(
        channel_order_id=facts.order_id,
        name=text(facts.name) or facts.order_id,
        version_at=version_at,
        placed_at=placed_at or version_at,
        cancelled=cancelled,
        test=facts.test is True,
        lines=tuple(sorted(lines, key=lambda line: line.channel_line_id)),
        ship_to=facts.ship_to,
        currency=currency if currency in EXPONENTS else None,
        problems=tuple(sorted(problems, key=lambda problem: (problem.field, problem.reason))),
        fulfilled_at=_left_at(facts.parcels),
    )


def _order_problems(facts: OrderFacts, placed_at: datetime | None, cancelled: bool) -> list[Problem]:
    problems = []
    if placed_at is None:
        problems.append(Problem("placed_at", "not an instant with an offset"))
    if facts.cancelled_at is not None and not cancelled:
        problems.append(Problem("cancelled_at", "unreadable: taken as not cancelled"))
    if not isinstance(facts.test, bool):
        problems.append(Problem("test", "not true or false: taken as false"))
    if text(facts.currency) not in EXPONENTS:
        problems.append(Problem("currency", "not an ISO 4217 code"))
    if facts.financial_status is not None and text(facts.financial_status) not in _FINANCIAL:
        problems.append(Problem("financial_status", "unknown"))
    if facts.ship_to is not None and facts.ship_to.country not in COUNTRIES:
        problems.append(Problem("ship_to.country", "not an ISO 3166-1 code"))
    if any(refund.line_id is None for refund in facts.refunds):
        problems.append(Problem("refunds", "a refunded line without an id"))
    return problems


def _line_state(
    line: LineFacts,
    line_id: str,
    refunds: Sequence[RefundFacts],
    cancelled: bool,
    location: str,
    currency: str | None,
    problems: list[Problem],
) -> OrderLine:
    code = text(line.sku)
    ordered, current, unsent = pieces(line.ordered), pieces(line.current), pieces(line.unsent)
    held = ordered if current is None else current
    if held is None:
        reason = Problem("quantity", f"not a whole number from 0 to {MOST_PIECES}")
        return OrderLine(line_id, line.variant, code, 0, 0, 0, 0, parked=reason)
    if line.variant is None and code is None:
        reason = Problem("sku", "neither a variant nor a SKU")
        return OrderLine(line_id, None, None, 0, 0, 0, 0, parked=reason)

    def wrong(field: str, reason: str) -> None:
        problems.append(Problem(f"lines.{line_id}.{field}", reason))

    if line.line_id is None:
        wrong("id", "unreadable")
    if current is None or ordered is None:
        wrong("quantity", "one of two quantities is unusable: the other stands for both")
        ordered = held if ordered is not None else held + sum(pieces(refund.quantity) or 0 for refund in refunds)
    elif held > ordered:
        wrong("quantity", "more units than were ordered")
        ordered = held
    if unsent is None:
        wrong("unsent", "unusable: taken as nothing sent")
    sent = 0 if unsent is None else max(0, held - unsent)
    if line.most_sent is not None:
        sent = min(sent, line.most_sent)
    quantity = sent if cancelled else held
    taken_min, taken_max = _taken(ordered, quantity, refunds, location)
    price = money(line.price, currency)
    if price is None and currency in EXPONENTS:
        wrong("unit_price", "not an amount")
    return OrderLine(
        channel_line_id=line_id,
        line_key=line.variant,
        code=code,
        quantity=quantity,
        fulfilled=sent,
        taken_min=taken_min,
        taken_max=taken_max,
        unit_price=price,
        requires_shipping=line.requires_shipping is not False,
    )


def _taken(ordered: int, quantity: int, refunds: Sequence[RefundFacts], location: str) -> tuple[int, int]:
    """Bounds of how far the line has lowered the listing: ordered units less those that went back on sale.

    Surely back: refunded as CANCEL or RETURN at our location (or at one not named). Surely not: NO_RESTOCK.
    Anything else is uncertain: LEGACY_RESTOCK, another location, and removed units that no refund explains.
    """
    back = perhaps = explained = 0
    for refund in refunds:
        units = pieces(refund.quantity) or 0
        explained += units
        restock_type = text(refund.restock_type)
        if restock_type == _KEPT:
            continue
        if restock_type in _GIVEN_BACK and refund.location in (None, location):
            back += units
        else:
            perhaps += units
    perhaps += max(0, ordered - quantity - explained)
    most = max(0, ordered - back)
    return max(0, most - perhaps), most


def _left_at(parcels: Sequence[ParcelFacts] | None) -> datetime | None:
    """When the last parcel left. None when none has, or when one does not say: it may well have been the last."""
    left = [instant(parcel.created_at) for parcel in parcels or () if text(parcel.status) not in _NEVER_LEFT]
    known = [at for at in left if at is not None]
    return max(known) if known and len(known) == len(left) else None

"""What an order of getOrders means for stock. Pure.

Every field is taken as it comes and judged on its own, so that one bad field cannot hide an order's units: it becomes
a `Problem` and the units stand. Only a line without a usable quantity, or with nothing to name its listing by, is
parked.

- eBay marks a line FULFILLED as soon as any unit of it is in a parcel, and tells no number. Such a line counts as gone
  whole: its listing may then be too low, never too high. IN_PROGRESS and anything unknown count as nothing gone.
- A cancelled order keeps only what has left. FAILED payment and FULLY_REFUNDED release it too, but only while nothing
  at all has left: later they may be a claim for goods that are on their way.
- A sale lowers the listing's number when the buyer commits; whether a cancellation raises it again, eBay does not say.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adapters.contract import Address, Money, OrderLine, OrderState, Problem
from adapters.ebay.wire import Wire
from adapters.iso import COUNTRIES, money
from adapters.reading import MOST_PIECES, Unreadable, entries, instant, pieces, shaped, text

_PAYMENT = frozenset(("PENDING", "PAID", "FAILED", "PARTIALLY_REFUNDED", "FULLY_REFUNDED"))
_RELEASING = frozenset(("FAILED", "FULLY_REFUNDED"))
_CANCEL = frozenset(("NONE_REQUESTED", "IN_PROGRESS", "CANCELED"))
_FULFILMENT = frozenset(("NOT_STARTED", "IN_PROGRESS", "FULFILLED"))


class OrderNode(Wire, frozen=True):
    order_id: object
    line_items: list[object]
    creation_date: object = None
    last_modified_date: object = None
    order_payment_status: object = None
    order_fulfillment_status: object = None
    cancel_status: object = None
    fulfillment_start_instructions: object = None


class CancelNode(Wire, frozen=True):
    cancel_state: object = None


class LineNode(Wire, frozen=True):
    line_item_id: object = None
    legacy_item_id: object = None
    sku: object = None
    quantity: object = None
    line_item_cost: object = None
    line_item_fulfillment_status: object = None


class AmountNode(Wire, frozen=True):
    value: object = None
    currency: object = None


class Instruction(Wire, frozen=True):
    fulfillment_instructions_type: object = None
    shipping_step: object = None


class ShippingStep(Wire, frozen=True):
    ship_to: object = None


class Contact(Wire, frozen=True):
    full_name: object = None
    company_name: object = None
    contact_address: object = None


class AddressNode(Wire, frozen=True):
    address_line1: object = msgspec.field(default=None, name="addressLine1")
    address_line2: object = msgspec.field(default=None, name="addressLine2")
    city: object = None
    state_or_province: object = None
    postal_code: object = None
    country_code: object = None


def order_state(body: bytes) -> OrderState:
    """Read an order's JSON. Raises Unreadable when it could not be put in sequence, ValueError when it is no order."""
    node = msgspec.json.decode(body, type=OrderNode)
    order_id = text(node.order_id)
    if order_id is None:
        raise Unreadable("orderId", "missing")
    version_at = instant(node.last_modified_date)
    if version_at is None:
        raise Unreadable("lastModifiedDate", "not an instant with an offset")
    lines = [shaped(raw, LineNode) or LineNode() for raw in node.line_items]
    cancelled = _cancelled(node, lines)
    problems = _order_problems(node, cancelled)
    instructions = _instructions(node)
    states = [_line(line, f"{order_id}/lines/{i}", cancelled, instructions, problems) for i, line in enumerate(lines)]
    currencies = [state.unit_price.currency for state in states if state.unit_price is not None]
    return OrderState(
        channel_order_id=order_id,
        name=order_id,
        version_at=version_at,
        placed_at=instant(node.creation_date) or version_at,
        cancelled=cancelled,
        test=False,
        lines=tuple(sorted(states, key=lambda state: state.channel_line_id)),
        ship_to=_ship_to(instructions, problems),
        currency=currencies[0] if currencies else None,
        problems=tuple(sorted(problems, key=lambda problem: (problem.field, problem.reason))),
    )


def _cancelled(node: OrderNode, lines: Sequence[LineNode]) -> bool:
    """Whether the buyer gets nothing more."""
    if _cancel_state(node) == "CANCELED":
        return True
    untouched = node.order_fulfillment_status == "NOT_STARTED" and not any(map(_gone, lines))
    return untouched and text(node.order_payment_status) in _RELEASING


def _cancel_state(node: OrderNode) -> str | None:
    status = shaped(node.cancel_status, CancelNode)
    return text(status.cancel_state) if status is not None else None


def _gone(line: LineNode) -> bool:
    return line.line_item_fulfillment_status == "FULFILLED"


def _order_problems(node: OrderNode, cancelled: bool) -> list[Problem]:
    problems = []
    if instant(node.creation_date) is None:
        problems.append(Problem("creationDate", "not an instant with an offset"))
    payment, cancel, sent = text(node.order_payment_status), _cancel_state(node), text(node.order_fulfillment_status)
    if payment not in _PAYMENT:
        problems.append(Problem("orderPaymentStatus", "unknown"))
    if payment == "PENDING" and not cancelled:
        problems.append(Problem("orderPaymentStatus", "the payment is pending: do not ship before it has come"))
    if payment in _RELEASING and not cancelled and sent != "FULFILLED":
        problems.append(Problem("orderPaymentStatus", "not paid, and a part may have left: cancel the rest at eBay"))
    if cancel not in _CANCEL:
        problems.append(Problem("cancelStatus.cancelState", "unknown: taken as not cancelled"))
    if sent not in _FULFILMENT:
        problems.append(Problem("orderFulfillmentStatus", "unknown"))
    return problems


def _line(
    line: LineNode, stand_in: str, cancelled: bool, instructions: Sequence[Instruction], problems: list[Problem]
) -> OrderLine:
    line_id = text(line.line_item_id) or stand_in
    code, listing_id = text(line.sku), text(line.legacy_item_id)
    line_key = f"{listing_id}/{code or ''}" if listing_id is not None else None
    ordered = pieces(line.quantity)
    if ordered is None:
        reason = Problem("quantity", f"not a whole number from 0 to {MOST_PIECES}")
        return OrderLine(line_id, line_key, code, 0, 0, 0, 0, parked=reason)
    if line_key is None and code is None:
        reason = Problem("sku", "neither a listing nor a SKU")
        return OrderLine(line_id, None, None, 0, 0, 0, 0, parked=reason)

    def wrong(field: str, reason: str) -> None:
        problems.append(Problem(f"lineItems.{line_id}.{field}", reason))

    if text(line.line_item_id) is None:
        wrong("lineItemId", "missing")
    if text(line.line_item_fulfillment_status) not in _FULFILMENT:
        wrong("lineItemFulfillmentStatus", "unknown: taken as nothing sent")
    fulfilled = ordered if _gone(line) else 0
    price = _unit_price(line.line_item_cost, ordered)
    if price is None and ordered:
        wrong("lineItemCost", "not an amount")
    types = {text(each.fulfillment_instructions_type) for each in instructions}
    return OrderLine(
        channel_line_id=line_id,
        line_key=line_key,
        code=code,
        quantity=fulfilled if cancelled else ordered,
        fulfilled=fulfilled,
        taken_min=fulfilled if cancelled else ordered,
        taken_max=ordered,
        unit_price=price,
        requires_shipping=types != {"DIGITAL"},
        by_channel=types == {"FULFILLED_BY_EBAY"},
    )


def _unit_price(raw: object, quantity: int) -> Money | None:
    """`lineItemCost` is the line's: unit price times quantity."""
    amount = shaped(raw, AmountNode) or AmountNode()
    cost = money(amount.value, text(amount.currency))
    if cost is None or quantity == 0:
        return None
    return Money((2 * cost.minor + quantity) // (2 * quantity), cost.currency)


def _instructions(node: OrderNode) -> list[Instruction]:
    found = (shaped(raw, Instruction) for raw in entries(node.fulfillment_start_instructions))
    return [instruction for instruction in found if instruction is not None]


def _ship_to(instructions: Sequence[Instruction], problems: list[Problem]) -> Address | None:
    """Where the seller's parcel goes: with eBay's international shipping that is eBay's hub, not the buyer."""
    found: list[Address] = []
    for instruction in instructions:
        step = shaped(instruction.shipping_step, ShippingStep)
        contact = shaped(step.ship_to, Contact) if step is not None else None
        node = shaped(contact.contact_address, AddressNode) if contact is not None else None
        if contact is None or node is None:
            continue
        lines = (contact.company_name, node.address_line1, node.address_line2)
        address = Address(
            name=text(contact.full_name),
            lines=tuple(line for line in map(text, lines) if line is not None),
            city=text(node.city),
            province=text(node.state_or_province),
            postcode=text(node.postal_code),
            country=text(node.country_code),
        )
        if address not in found:
            found.append(address)
    if len(found) > 1:
        problems.append(Problem("fulfillmentStartInstructions", "several addresses: the first stands for all lines"))
    if found and found[0].country not in COUNTRIES:
        problems.append(Problem("ship_to.country", "not an ISO 3166-1 code"))
    return found[0] if found else None

"""The body of a batched write, and what each row's fate was. Pure.

The stored body names SKUs and numbers alone: offer ids are added when it is sent. Item and offer are always written to
the same number: raising one alone would leave the listing low.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import IntEnum

import msgspec

from adapters.contract import ListingRef, QuantityWrite, Rejected, RowOutcome, RowResult
from adapters.ebay.refusals import (
    CONCURRENT_ACCESS,
    OFFER_UNAVAILABLE,
    SYSTEM_ERROR,
    Refused,
    VendorError,
    vendor_errors,
)
from adapters.ebay.traits import BATCH
from adapters.ebay.wire import Wire
from adapters.reading import shaped, text


class Row(msgspec.Struct, frozen=True):
    sku: str
    marketplace: str
    quantity: int

    @property
    def ref(self) -> ListingRef:
        return ListingRef(self.sku, self.marketplace)


class Write(msgspec.Struct, frozen=True):
    rows: list[Row]


class UpdateReply(msgspec.Struct, frozen=True):
    responses: list[object]


class AnswerNode(Wire, frozen=True):
    sku: object = None
    offer_id: object = None
    status_code: object = None
    errors: object = None


def compose(rows: Sequence[QuantityWrite]) -> str:
    """The canonical JSON of the rows: the same rows always give the same bytes."""
    if not 1 <= len(rows) <= BATCH:
        raise ValueError(f"a write has 1 to {BATCH} rows")
    composed = Write([Row(row.ref.channel_sku, row.ref.channel_location, row.quantity) for row in rows])
    return msgspec.json.encode(composed, order="sorted").decode()


def rows_of(body: str) -> list[Row]:
    """The rows of a composed body."""
    try:
        return msgspec.json.decode(body, type=Write).rows
    except ValueError as err:
        raise Rejected("body", "not a composed write") from err


def request_body(rows: Sequence[Row], offer_ids: Mapping[str, str]) -> dict[str, object]:
    """What bulkUpdatePriceQuantity takes."""
    return {
        "requests": [
            {
                "sku": row.sku,
                "shipToLocationAvailability": {"quantity": row.quantity},
                "offers": [{"offerId": offer_ids[row.sku], "availableQuantity": row.quantity}],
            }
            for row in rows
        ]
    }


# --- what was answered -------------------------------------------------------------------------------------------


class Fate(IntEnum):
    """Of one answered part; the highest of its parts is a row's."""

    WRITTEN = 0
    UNTOUCHED = 1  # surely not written, and worth trying again
    REFUSED = 2
    UNCERTAIN = 3


class _Part(msgspec.Struct, frozen=True):
    offer: bool  # names the offer; else it is the item's own
    fate: Fate
    error: VendorError | None


def results(
    rows: Sequence[Row], offer_ids: Mapping[str, str], responses: Sequence[object], doubted: AbstractSet[str]
) -> tuple[RowResult, ...]:
    """One result a row. eBay answers for item and offer in one row or in two; neither HTTP 200 nor 207 says any more.

    `doubted`: offers that a fresh read still named after eBay did not know them: not knowing them again is final.
    """
    parts: dict[str, list[_Part]] = defaultdict(list)
    for node, sku in _answers(offer_ids, responses):
        fate, error = _fate(node, offer_ids[sku] in doubted)
        parts[sku].append(_Part(node.offer_id is not None, fate, error))
    return tuple(_result(row, parts[row.sku]) for row in rows)


def unknown_offers(offer_ids: Mapping[str, str], responses: Sequence[object]) -> set[str]:
    """The offers that eBay does not know (any more)."""
    answered = _answers(offer_ids, responses)
    return {
        offer_ids[sku]
        for node, sku in answered
        if any(error.error_id == OFFER_UNAVAILABLE for error in vendor_errors(node.errors))
    }


def _answers(offer_ids: Mapping[str, str], responses: Sequence[object]) -> list[tuple[AnswerNode, str]]:
    """Each readable answer with the SKU it is for, by its offer where it names one."""
    skus = {offer_id: sku for sku, offer_id in offer_ids.items()}
    found = []
    for raw in responses:
        node = shaped(raw, AnswerNode) or AnswerNode()
        offer_id = text(node.offer_id)
        sku = skus.get(offer_id) if offer_id is not None else text(node.sku)
        if sku is not None and sku in offer_ids:
            found.append((node, sku))
    return found


def _fate(node: AnswerNode, doubted: bool) -> tuple[Fate, VendorError | None]:
    errors, status = vendor_errors(node.errors), node.status_code
    error = errors[0] if errors else None
    ids = {each.error_id for each in errors}
    if isinstance(status, bool) or not isinstance(status, int):
        return Fate.UNCERTAIN, error
    if 200 <= status < 300:  # with errors it contradicts itself
        return (Fate.UNCERTAIN if node.errors else Fate.WRITTEN), error
    if SYSTEM_ERROR in ids:  # it says nothing of how far eBay came
        return Fate.UNCERTAIN, error
    if CONCURRENT_ACCESS in ids or status == 429:
        return Fate.UNTOUCHED, error
    if status >= 500 or (OFFER_UNAVAILABLE in ids and not doubted):
        return Fate.UNCERTAIN, error
    return Fate.REFUSED, error


def _result(row: Row, parts: Sequence[_Part]) -> RowResult:
    """Without an answer for the offer nothing is known: the item's own row says nothing of it."""
    if not any(part.offer for part in parts) and not any(part.fate is Fate.REFUSED for part in parts):
        return RowResult(row.ref, RowOutcome.UNKNOWN, reason="eBay did not answer for the offer")
    worst = max(parts, key=lambda part: part.fate)
    reason = worst.error.told if worst.error is not None else "no reason given"
    match worst.fate:
        case Fate.WRITTEN:
            return RowResult(row.ref, RowOutcome.APPLIED)
        case Fate.REFUSED:
            field = worst.error.field if worst.error is not None else None
            return RowResult(row.ref, RowOutcome.REJECTED, field or ("offer" if worst.offer else "sku"), reason)
        case Fate.UNTOUCHED if all(part.fate is Fate.UNTOUCHED for part in parts):
            return RowResult(row.ref, RowOutcome.NOT_WRITTEN, reason=reason)
        case _:
            return RowResult(row.ref, RowOutcome.UNKNOWN, reason=reason)


def refused(rows: Sequence[Row], err: Refused) -> tuple[RowResult, ...]:
    """Nothing was written. A single row is to blame itself; of several, the ones that eBay names by their SKU."""
    values = {about.value for error in err.errors for about in error.about}
    named = [row for row in rows if row.sku in values]
    blamed = rows if len(rows) == 1 else named
    return tuple(
        RowResult(row.ref, RowOutcome.REJECTED, err.field, err.reason)
        if row in blamed
        else RowResult(row.ref, RowOutcome.NOT_WRITTEN, err.field, err.reason)
        for row in rows
    )

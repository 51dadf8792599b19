"""Sending one batched write: offer ids, one request that is never repeated, and a time-out over both."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from adapters.contract import ListingRef, OutcomeUnknown, Rejected, RowOutcome, RowResult, Transient
from adapters.ebay.offers import OfferBook
from adapters.ebay.refusals import Refused
from adapters.ebay.rest import Call, EbayRest
from adapters.ebay.writes import Row, UpdateReply, refused, request_body, results, unknown_offers

log = structlog.get_logger(__name__)

UPDATE = "/sell/inventory/v1/bulk_update_price_quantity"


class QuantityWriter:
    def __init__(self, rest: EbayRest, offers: OfferBook, marketplace_id: str, timeout_real_s: float) -> None:
        self._rest = rest
        self._offers = offers
        self._marketplace_id = marketplace_id
        self._timeout_real_s = timeout_real_s
        self._doubted: set[str] = set()  # offers once answered as unknown: the next time that is final

    async def write(self, rows: Sequence[Row]) -> tuple[RowResult, ...]:
        """One result a row. Raises an AdapterError only for what is true of every row."""
        ready: list[Row] = []
        told: dict[ListingRef, RowResult] = {}
        try:
            async with asyncio.timeout(self._timeout_real_s):
                offer_ids, told = await self._prepare(rows)
                ready = [row for row in rows if row.ref not in told]
                sent = await self._send(ready, offer_ids) if ready else ()
        except (TimeoutError, OutcomeUnknown) as err:
            message = str(err) or f"POST {UPDATE}: no end within {self._timeout_real_s:g} s"
            if not ready:
                raise Transient(message) from err
            if not told:
                raise OutcomeUnknown(message) from err
            sent = tuple(RowResult(row.ref, RowOutcome.UNKNOWN, reason=message) for row in ready)
        told |= {result.ref: result for result in sent}
        return tuple(told[row.ref] for row in rows)

    async def _prepare(self, rows: Sequence[Row]) -> tuple[dict[str, str], dict[ListingRef, RowResult]]:
        """The offer id of each row that can be sent, and the results of those that cannot."""
        here = [row for row in rows if row.marketplace == self._marketplace_id]
        found = await self._offers.ids([row.sku for row in here])
        offer_ids = {sku: each for sku, each in found.items() if isinstance(each, str)}
        told: dict[ListingRef, RowResult] = {}
        for row in rows:
            each = found.get(row.sku)
            if row not in here:
                reason = f"not a listing on {self._marketplace_id}"
                told[row.ref] = RowResult(row.ref, RowOutcome.REJECTED, "channel_location", reason)
            elif isinstance(each, Rejected):
                told[row.ref] = RowResult(row.ref, RowOutcome.REJECTED, each.field, each.reason)
        return offer_ids, told

    async def _send(self, rows: Sequence[Row], offer_ids: dict[str, str]) -> tuple[RowResult, ...]:
        call = Call("POST", UPDATE, body=request_body(rows, offer_ids), effect=True)
        try:
            responses = (await self._rest.once(call)).decode(UpdateReply).responses
        except Refused as err:
            return refused(rows, err)
        told = results(rows, offer_ids, responses, self._doubted)
        self._doubted |= unknown_offers(offer_ids, responses)
        for row, result in zip(rows, told, strict=True):
            self._note(row, offer_ids[row.sku], result)
        return told

    def _note(self, row: Row, offer_id: str, result: RowResult) -> None:
        """After anything but success the offer may no longer be the one that is live."""
        if result.outcome is RowOutcome.APPLIED:
            self._doubted.discard(offer_id)
            return
        self._offers.forget(row.sku)
        log.info("ebay.row_failed", sku=row.sku, outcome=result.outcome.value, reason=result.reason)

"""Writing quantities: the stored body of a batch, and one PATCH a row with each row's fate.

`merge` changes the quantity alone; `replace` would drop the handling time. A 200 says only that the submission was
accepted: the number changes later, and what is shown then is what a read must tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from adapters.amazon.listings import ListingReader
from adapters.amazon.mapping import MERCHANT
from adapters.amazon.quota import PATCH_LISTING
from adapters.amazon.settings import AmazonSettings
from adapters.amazon.sp_api import Flight, SpApi
from adapters.amazon.traits import WRITE_BATCH
from adapters.contract import (
    AuthExpired,
    ListingRef,
    OutcomeUnknown,
    QuantityWrite,
    RateLimited,
    Rejected,
    RowOutcome,
    RowResult,
    Transient,
)

log = structlog.get_logger(__name__)
_PRODUCT_TYPE = "PRODUCT"  # the generic one, which every listing takes for an offer's attributes
_MOST_TOLD = 200  # characters of an issue's text
_MOST_UNKNOWN = 3  # in a row: then Amazon is out of order, and every row more would only have to be read back


class Row(msgspec.Struct, frozen=True):
    sku: str
    quantity: int

    @property
    def ref(self) -> ListingRef:
        return ListingRef(self.sku, MERCHANT)


class Batch(msgspec.Struct, frozen=True):
    push_id: str
    rows: list[Row]


class Issue(msgspec.Struct, frozen=True, rename="camel"):
    code: str = ""
    message: str = ""
    severity: str = ""
    attribute_names: list[str] = []


class Submission(msgspec.Struct, frozen=True):
    sku: str
    status: str
    issues: list[Issue] = []


def compose(push_id: str, rows: Sequence[QuantityWrite]) -> str:
    """The canonical JSON of all rows: the same rows always give the same bytes."""
    if not 1 <= len(rows) <= WRITE_BATCH:
        raise ValueError(f"a write has 1 to {WRITE_BATCH} rows")
    if any(row.ref.channel_location != MERCHANT for row in rows):
        raise ValueError(f"only {MERCHANT} quantities are the merchant's to write")
    return msgspec.json.encode(Batch(push_id, [Row(row.ref.channel_sku, row.quantity) for row in rows])).decode()


class QuantityWriter:
    def __init__(self, api: SpApi, settings: AmazonSettings, listings: ListingReader) -> None:
        self._api = api
        self._settings = settings
        self._listings = listings

    async def send(self, body: str) -> tuple[RowResult, ...]:
        """One PATCH a row, in order, all within `request_timeout_real_s`. Never repeat it.

        What stops the batch (no answer, an outage, a refused token, a quota that does not refill, the time) leaves the
        rows after it NOT_WRITTEN. AuthExpired, RateLimited and Transient are raised when it was the first row that met
        them: nothing was written.
        """
        rows = _rows_of(body)
        results: list[RowResult] = []
        flight = Flight()
        try:
            async with asyncio.timeout(self._settings.request_timeout_real_s):
                for row in rows:
                    flight = Flight()
                    results.append(await self._row(row, flight))
                    if flight.lost or _out_of_order(results):
                        break
        except TimeoutError:
            outcome = RowOutcome.UNKNOWN if flight.away else RowOutcome.NOT_WRITTEN
            results.append(RowResult(rows[len(results)].ref, outcome, reason="no time was left"))
        except (AuthExpired, RateLimited, Transient) as err:
            if not results:
                raise
            log.warning("amazon.write_stopped", error=type(err).__name__, written=len(results), rows=len(rows))
            results.append(RowResult(rows[len(results)].ref, RowOutcome.NOT_WRITTEN, reason=str(err)))
        rest = [RowResult(row.ref, RowOutcome.NOT_WRITTEN, reason="not sent") for row in rows[len(results) :]]
        return (*results, *rest)

    async def _row(self, row: Row, flight: Flight) -> RowResult:
        problem = self._listings.unwritable(row.sku)
        if problem is not None:
            return RowResult(row.ref, RowOutcome.REJECTED, "fulfillmentAvailability", problem)
        path = self._listings.path_of(row.sku)
        params = {"marketplaceIds": self._settings.home, "includedData": "issues"}
        try:
            submission = await self._api.patch(PATCH_LISTING, path, params, _patch(row), Submission, flight)
        except Rejected as err:
            return RowResult(row.ref, RowOutcome.REJECTED, err.field, err.reason)
        except OutcomeUnknown as err:
            return RowResult(row.ref, RowOutcome.UNKNOWN, reason=str(err))
        return _judged(row, submission)


def _out_of_order(results: Sequence[RowResult]) -> bool:
    latest = [result.outcome for result in results[-_MOST_UNKNOWN:]]
    return latest == [RowOutcome.UNKNOWN] * _MOST_UNKNOWN


def _rows_of(body: str) -> list[Row]:
    try:
        return msgspec.json.decode(body, type=Batch).rows
    except ValueError as err:
        raise Rejected("body", "not a composed write") from err


def _patch(row: Row) -> bytes:
    value = [{"fulfillment_channel_code": MERCHANT, "quantity": row.quantity}]
    patch = {"op": "merge", "path": "/attributes/fulfillment_availability", "value": value}
    return msgspec.json.encode({"productType": _PRODUCT_TYPE, "patches": [patch]})


def _judged(row: Row, submission: Submission) -> RowResult:
    """ACCEPTED is queued; INVALID comes with HTTP 200 too; VALID is the answer to a preview, which this was not."""
    if submission.sku != row.sku:
        return RowResult(row.ref, RowOutcome.UNKNOWN, "sku", "the answer names another listing")
    if submission.status == "ACCEPTED":
        return RowResult(row.ref, RowOutcome.ACCEPTED)
    if submission.status != "INVALID":
        return RowResult(row.ref, RowOutcome.UNKNOWN, "status", f"unexpected: {submission.status[:40]}")
    issue = next((issue for issue in submission.issues if issue.severity == "ERROR"), Issue())
    field = issue.attribute_names[0] if issue.attribute_names else issue.code
    return RowResult(row.ref, RowOutcome.REJECTED, field or "status", (issue.message or "INVALID")[:_MOST_TOLD])

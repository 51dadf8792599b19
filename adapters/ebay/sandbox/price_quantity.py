"""bulkUpdatePriceQuantity: plain absolute numbers, answered row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapters.ebay.sandbox.bulk_entries import Bulk, Entry, EntryCheck, OfferPart, invalid
from adapters.ebay.sandbox.calls import Answer, Call
from adapters.ebay.sandbox.errors import ApiError, Json, inventory_error
from adapters.ebay.sandbox.records import Offer
from adapters.ebay.sandbox.revisions import Revisions
from adapters.ebay.sandbox.seller import Seller
from adapters.ebay.sandbox.stats import Stats
from adapters.sandbox_kit.shown_log import Why

MAX_ENTRIES = 25


class PriceQuantity:
    """Each entry is one SKU: its item's total, its offer's number, or both.

    Not published, so ours: one failed row makes the call a 207, also when it is the only one; the item's part is
    written if at least one of the entry's rows succeeds; a used-up listing answers 25019.
    """

    def __init__(self, seller: Seller, revisions: Revisions, stats: Stats) -> None:
        self._seller = seller
        self._revisions = revisions
        self._stats = stats
        self._check = EntryCheck(seller)
        self._in_flight: set[str] = set()

    async def write(self, call: Call) -> Answer:
        """Take the entries one after the other, once the request has been in flight for a while."""
        entries = call.decode(Bulk).requests
        if not 1 <= len(entries) <= MAX_ENTRIES:
            raise invalid(f"requests: 1 to {MAX_ENTRIES} can be updated in one call")
        spoilt = self._seller.rng.randrange(len(entries)) if call.fail_a_row else None
        locks = [self._lock_of(entry) for entry in entries]
        taken = {lock for lock in locks if lock not in self._in_flight}
        self._in_flight |= taken
        try:
            await self._seller.clock.sleep(self._seller.seed.write_latency_s)
            rows: list[Json] = []
            for at, (entry, lock) in enumerate(zip(entries, locks, strict=True)):
                failure = _system_error() if at == spoilt else None if lock in taken else concurrent_access()
                rows += self._rows(entry, failure)
        finally:
            self._in_flight -= taken
        return Answer(200 if all(row["statusCode"] == 200 for row in rows) else 207, {"responses": rows})

    def _lock_of(self, entry: Entry) -> str:
        """What two writes at once must not share: the item, or the group that it is a variation of."""
        offer = self._seller.inventory_offer(entry.sku or "")
        if offer is None and entry.offers:
            offer = self._seller.offers.get(entry.offers[0].offer_id)
        if offer is None:
            return f"sku {entry.sku}"
        return f"group {offer.item.group}" if offer.item.group else f"sku {offer.item.sku}"

    def _rows(self, entry: Entry, failure: ApiError | None) -> list[Json]:
        item_error = failure or self._check.item_error(entry)
        offer_errors = [failure or self._check.offer_error(entry, part) for part in entry.offers]
        if not self._seller.seed.item_row_apart and entry.offers:
            offer_errors = [item_error or error for error in offer_errors]
        item_written = item_error is None and entry.ship_to_location_availability is not None
        if entry.offers and not self._seller.seed.item_row_apart:
            item_written = item_written and None in offer_errors
        good = [part for part, error in zip(entry.offers, offer_errors, strict=True) if error is None]
        used_up = self._spend(entry, good, item_written=item_written)
        if used_up is None:
            self._apply(entry, good, item_written=item_written)
        return list(self._told(entry, item_error or used_up, [error or used_up for error in offer_errors]))

    def _told(
        self, entry: Entry, item_error: ApiError | None, offer_errors: Sequence[ApiError | None]
    ) -> Iterator[Json]:
        sku = entry.sku or self._sku_of(entry)
        with_item = entry.ship_to_location_availability is not None or not entry.offers
        if with_item and (self._seller.seed.item_row_apart or not entry.offers):
            yield _row(sku, None, item_error)
        for part, error in zip(entry.offers, offer_errors, strict=True):
            yield _row(sku, part.offer_id, error)

    def _spend(self, entry: Entry, good: Sequence[OfferPart], *, item_written: bool) -> ApiError | None:
        """Count a revision of each listing that the entry touches, unless one of them has none left."""
        touched = {self._seller.offers[part.offer_id].listing_id for part in good}
        of_item = self._seller.inventory_offer(entry.sku or "")
        if item_written and of_item is not None:
            touched.add(of_item.listing_id)
        if any(self._revisions.left(listing) <= 0 for listing in touched):
            long = "The listing was revised too often today. It can be revised again on the next calendar day."
            return inventory_error(400, 25019, f"Cannot revise listing. {long}")
        for listing in touched:
            self._revisions.count(listing)
        return None

    def _apply(self, entry: Entry, good: Sequence[OfferPart], *, item_written: bool) -> None:
        now, before = self._seller.now(), self._live_of(entry, good, item_written=item_written)
        of_item, part = self._seller.inventory_offer(entry.sku or ""), entry.ship_to_location_availability
        if item_written and of_item is not None and part is not None and part.quantity is not None:
            of_item.item.quantity.become(now, part.quantity)
        for one in good:
            self._revise(self._seller.offers[one.offer_id], one)
        self._stats.writes_applied += len(good) or int(item_written)
        for offer_id, shown in before.items():
            self._seller.note_shown(self._seller.offers[offer_id], shown, Why.WRITE)

    def _live_of(self, entry: Entry, good: Sequence[OfferPart], *, item_written: bool) -> dict[str, int]:
        """What is shown of all that is about to be written, by offer."""
        of_item = self._seller.inventory_offer(entry.sku or "") if item_written else None
        ids = dict.fromkeys([*([of_item.id] if of_item is not None else []), *(part.offer_id for part in good)])
        return {offer_id: self._seller.offers[offer_id].live() for offer_id in ids}

    def _revise(self, offer: Offer, part: OfferPart) -> None:
        if part.price is not None:
            offer.price = part.price.value
        if part.available_quantity is not None:
            offer.cap_at(self._seller.now(), part.available_quantity)

    def _sku_of(self, entry: Entry) -> str:
        """The SKU that a row names when the entry gave only offers."""
        offer = self._seller.offers.get(entry.offers[0].offer_id) if entry.offers else None
        return offer.item.sku if offer is not None and offer.item.in_inventory else ""


def concurrent_access() -> ApiError:
    message = "Concurrent access of Inventory or InventoryItemGroup. Please try again later"
    return inventory_error(500, 25025, message)


def _system_error() -> ApiError:
    return inventory_error(500, 25001, "A system error has occurred.")


def _row(sku: str, offer_id: str | None, error: ApiError | None) -> Json:
    row: Json = {"statusCode": error.status if error else 200, "sku": sku}
    if offer_id is not None:
        row["offerId"] = offer_id
    return {**row, "errors": [error.error] if error else [], "warnings": []}

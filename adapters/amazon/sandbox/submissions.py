"""patchListingsItem: what is accepted now and takes effect later."""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.amazon.sandbox.errors import Json, bad_request
from adapters.amazon.sandbox.marketplaces import MFN_CHANNEL
from adapters.amazon.sandbox.patches import (
    GENERIC_PRODUCT_TYPE,
    issue,
    issues_of,
    offered_after,
    patched,
    read_patches,
    touches_offer,
)
from adapters.amazon.sandbox.query import choices
from adapters.amazon.sandbox.records import Item
from adapters.amazon.sandbox.seed import spread
from adapters.amazon.sandbox.seller import Seller
from adapters.amazon.sandbox.stats import Stats
from adapters.sandbox_kit.shown_log import Why

PREVIEW = "VALIDATION_PREVIEW"


@dataclass(order=True, slots=True)
class _Waiting:
    applies_at: datetime
    number: int
    item: Item = field(compare=False)
    quantity: int = field(compare=False)
    submission: str = field(compare=False)
    accepted_at: datetime = field(compare=False)


class Submissions:
    """Accepted patches in the order they take effect. Of one SKU an earlier patch never overtakes a later one."""

    def __init__(self, seller: Seller, stats: Stats) -> None:
        self._seller = seller
        self._stats = stats
        self._waiting: list[_Waiting] = []
        self._last_at: dict[str, datetime] = {}
        self._numbered = 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def settle(self) -> None:
        """Let what is due take effect, each at its own instant. Call it before anything looks at a number."""
        now = self._seller.now()
        while self._waiting and self._waiting[0].applies_at <= now:
            due = heapq.heappop(self._waiting)
            changed = due.item.offered is None or due.item.offered.now != due.quantity
            self._seller.offer(due.item, due.applies_at, due.quantity, Why.WRITE, due.submission, due.accepted_at)
            self._stats.writes_applied += changed

    def patch(self, sku: str, query: Mapping[str, str], body: bytes) -> Json:
        """Answer a patch: ACCEPTED, or INVALID with the issues, both with status 200."""
        shown = choices(query, "includedData", ("issues", "identifiers")) or ["issues"]
        preview = query.get("mode") == PREVIEW
        if "mode" in query and not preview:
            raise bad_request(f"mode can only be {PREVIEW}.")
        product_type, patches = read_patches(_json(body))
        item = self._seller.items.get(sku)
        issues = self._issues(item, product_type, patches)
        submission = self._seller.ids.submission()
        if item is not None and not issues and not preview:
            self._accept(item, patches, submission)
        status = "INVALID" if issues else "VALID" if preview else "ACCEPTED"
        answer: Json = {"sku": sku, "status": status, "submissionId": submission}
        if "issues" in shown:
            answer["issues"] = issues
        if "identifiers" in shown:
            known = item is not None and not issues
            asin = {"marketplaceId": self._seller.marketplace.id, "asin": item.asin} if item and known else None
            answer["identifiers"] = [asin] if asin else []
        return answer

    def _issues(self, item: Item | None, product_type: str, patches: list[Json]) -> list[Json]:
        if item is None:
            return [issue("13013", "This SKU does not exist in the Amazon catalog.", "sku", "INVALID_ATTRIBUTE")]
        if product_type not in (item.product_type, GENERIC_PRODUCT_TYPE):
            message = f"'{product_type}' is not the product type of this SKU."
            return [issue("90000900", message, "product_type", "INVALID_ATTRIBUTE")]
        fba = self._seller.marketplace.fba_channel
        return [found for patch in patches for found in issues_of(patch, fba)]

    def _accept(self, item: Item, patches: list[Json], submission: str) -> None:
        sold_by_merchant = MFN_CHANNEL in item.submitted or item.offered is not None
        for patch in patches:
            item.submitted = patched(item.submitted, patch)
        self._stats.writes_accepted += 1
        if not any(touches_offer(patch) for patch in patches):
            return
        self._stats.fba_skus_offered += not sold_by_merchant
        now = self._seller.now()
        delay = timedelta(seconds=self._seller.rng.uniform(*spread(self._seller.seed.apply_delay_s)))
        applies_at = max(now + delay, self._last_at.get(item.sku, now))
        self._last_at[item.sku] = applies_at
        self._numbered += 1
        quantity = offered_after(item.submitted)
        heapq.heappush(self._waiting, _Waiting(applies_at, self._numbered, item, quantity, submission, now))


def _json(body: bytes) -> object:
    try:
        found: object = json.loads(body)
    except ValueError:
        raise bad_request("The body is not JSON.") from None
    return found

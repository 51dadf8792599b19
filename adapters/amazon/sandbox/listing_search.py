"""searchListingsItems: filters, orders of sorting, pages."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.amazon.sandbox.errors import Json, bad_request
from adapters.amazon.sandbox.listing_views import Dataset, listing_view, statuses
from adapters.amazon.sandbox.query import choice, choices, listed, optional_instant, whole
from adapters.amazon.sandbox.records import Item
from adapters.amazon.sandbox.seller import Seller

PAGE_LIMIT = 20
PAGE_DEFAULT = 10
PAGEABLE = 1000
IDENTIFIERS_LIMIT = 20
_STATUSES = ("BUYABLE", "DISCOVERABLE")
_IDENTIFIED_BY: dict[str, Callable[[Item], str | None]] = {
    "SKU": lambda item: item.sku,
    "ASIN": lambda item: item.asin,
    "FNSKU": lambda item: item.fba.fnsku if item.fba is not None else None,
    **dict.fromkeys(("GTIN", "EAN", "UPC", "JAN", "ISBN", "MINSAN"), lambda item: item.gtin),
}
_SORTED_BY: dict[str, Callable[[Item], tuple[str, str]]] = {
    "sku": lambda item: (item.sku, ""),
    "createdDate": lambda item: (item.created_at.isoformat(), item.sku),
    "lastUpdatedDate": lambda item: (item.updated_at.isoformat(), item.sku),
}


def search_listings(seller: Seller, query: Mapping[str, str], read_at: datetime | None) -> Json:
    """A page of listings. A page begins where the one before ended in the order of its time, so what is updated
    meanwhile is met twice or not at all unless the order is by SKU."""
    asked = asked_data(query)
    size = whole(query, "pageSize", PAGE_DEFAULT, PAGE_LIMIT)
    found = _found(seller, query)
    found.sort(
        key=_SORTED_BY[choice(query, "sortBy", tuple(_SORTED_BY), "lastUpdatedDate")],
        reverse=choice(query, "sortOrder", ("ASC", "DESC"), "DESC") == "DESC",
    )
    start = _start(query)
    end = min(start + size, PAGEABLE)
    answer: Json = {
        "numberOfResults": len(found),
        "items": [listing_view(seller, item, asked, read_at) for item in found[start:end]],
    }
    pagination = {}
    if end < min(len(found), PAGEABLE):
        pagination["nextToken"] = _token(query, end)
    if start > 0:
        pagination["previousToken"] = _token(query, max(0, start - size))
    return {**answer, "pagination": pagination} if pagination else answer


def asked_data(query: Mapping[str, str]) -> list[Dataset]:
    names = choices(query, "includedData", [one.value for one in Dataset])
    return [Dataset(name) for name in names] or [Dataset.SUMMARIES]


def _found(seller: Seller, query: Mapping[str, str]) -> list[Item]:
    """The listings that every filter lets through."""
    wanted = _identifiers(query)
    created = optional_instant(query, "createdAfter"), optional_instant(query, "createdBefore")
    updated = optional_instant(query, "lastUpdatedAfter"), optional_instant(query, "lastUpdatedBefore")
    having = choices(query, "withStatus", _STATUSES)
    lacking = choices(query, "withoutStatus", _STATUSES)
    by = _IDENTIFIED_BY[query["identifiersType"]] if wanted else None
    return [
        item
        for item in seller.items.values()
        if (by is None or by(item) in wanted)
        and _within(item.created_at, *created)
        and _within(item.updated_at, *updated)
        and all(status in statuses(item) for status in having)
        and not any(status in statuses(item) for status in lacking)
    ]


def _identifiers(query: Mapping[str, str]) -> Sequence[str]:
    wanted = listed(query, "identifiers", IDENTIFIERS_LIMIT)
    if bool(wanted) != ("identifiersType" in query):
        raise bad_request("identifiers and identifiersType go together.")
    if wanted and query["identifiersType"] not in _IDENTIFIED_BY:
        raise bad_request("identifiersType is not known.")
    if "variationParentSku" in query or "packageHierarchySku" in query:
        raise bad_request("This seller has no variations and no packages.")
    return wanted


def _within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at <= until)


def _token(query: Mapping[str, str], start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"start": start, "of": _fingerprint(query)}).encode()).decode()


def _start(query: Mapping[str, str]) -> int:
    token = query.get("pageToken")
    if token is None:
        return 0
    try:
        plain: Any = json.loads(base64.urlsafe_b64decode(token))
        if plain["of"] == _fingerprint(query):
            return int(plain["start"])
    except (ValueError, KeyError, TypeError):
        pass
    raise bad_request("The pageToken is not valid for this search.")


def _fingerprint(query: Mapping[str, str]) -> str:
    same = {name: value for name, value in query.items() if name not in ("pageToken", "pageSize", "includedData")}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]

"""searchOrders: its parameters, its pages, and what it refuses."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from adapters.amazon.sandbox.errors import Json, Refusal, invalid_input
from adapters.amazon.sandbox.instants import printed, read_instant
from adapters.amazon.sandbox.order_index import Entry, OrderIndex, Version
from adapters.amazon.sandbox.order_views import Dataset, gated
from adapters.amazon.sandbox.query import choices, instant, listed, whole

BEFORE_IS_OLDER_THAN = timedelta(minutes=2)
TOKEN_LIFE = timedelta(hours=24)
PAGE_LIMIT = 100
MARKETPLACES_LIMIT = 50
WRONG_TOKEN = (
    "The paginationToken you have submitted is not valid. "  # noqa: S105
    "All parameters must match the original request except maxResultsPerPage."
)
STATUSES = (
    "PENDING_AVAILABILITY",
    "PENDING",
    "UNSHIPPED",
    "PARTIALLY_SHIPPED",
    "SHIPPED",
    "CANCELLED",
    "UNFULFILLABLE",
)
_FAMILIES = (("createdAfter", "createdBefore"), ("lastUpdatedAfter", "lastUpdatedBefore"))


@dataclass(frozen=True, slots=True)
class _Search:
    """A request as it was understood. `until` is the effective upper bound, fixed by the first page."""

    by_update: bool
    since: datetime
    until: datetime
    after: Entry | None
    fingerprint: str

    def place_of(self, version: Version) -> Entry:
        return (version.updated_at if self.by_update else version.created_at, version.order_id)


def search_orders(index: OrderIndex, query: Mapping[str, str], now: datetime) -> Json:
    """A page of orders as far as the index knows them."""
    index.catch_up(now)
    statuses = choices(query, "fulfillmentStatuses", STATUSES)
    fulfilled_by = choices(query, "fulfilledBy", ("MERCHANT", "AMAZON"))
    marketplaces = listed(query, "marketplaceIds", MARKETPLACES_LIMIT)
    asked = [Dataset(name) for name in choices(query, "includedData", [one.value for one in Dataset])]
    size = whole(query, "maxResultsPerPage", PAGE_LIMIT, PAGE_LIMIT)
    search = _read(query, now)
    walk = index.by_update if search.by_update else index.by_age
    found = _matching(walk(search.since, search.until, search.after), statuses, fulfilled_by, marketplaces)
    drawn = list(islice(found, size + 1))
    page = drawn[:size]
    answer: Json = {
        "orders": [gated(version.view, asked) for version in page],
        "lastUpdatedBefore" if search.by_update else "createdBefore": printed(search.until),
    }
    if len(drawn) > size:
        answer["pagination"] = {"nextToken": _token(search, search.place_of(page[-1]), now)}
    return answer


def _matching(
    versions: Iterator[Version], statuses: list[str], fulfilled_by: list[str], marketplaces: list[str]
) -> Iterator[Version]:
    for version in versions:
        fulfillment = version.view["fulfillment"]
        if statuses and fulfillment["fulfillmentStatus"] not in statuses:
            continue
        if fulfilled_by and fulfillment["fulfilledBy"] not in fulfilled_by:
            continue
        if marketplaces and version.view["salesChannel"]["marketplaceId"] not in marketplaces:
            continue
        yield version


def _read(query: Mapping[str, str], now: datetime) -> _Search:
    given = [family for family in _FAMILIES if any(name in query for name in family)]
    if len(given) != 1 or given[0][0] not in query:
        raise invalid_input("Exactly one of createdAfter and lastUpdatedAfter must be provided.")
    after_name, before_name = given[0]
    since = instant(query, after_name)
    latest = now - BEFORE_IS_OLDER_THAN
    until = instant(query, before_name) if before_name in query else latest
    fingerprint = _fingerprint(query)
    by_update = after_name == "lastUpdatedAfter"
    if "paginationToken" in query:
        until, place = _resume(query["paginationToken"], fingerprint, now)
        return _Search(by_update, since, until, place, fingerprint)
    if before_name in query and not since <= until <= latest:
        raise invalid_input(f"{before_name} must not be before {after_name} and must be at least two minutes ago.")
    return _Search(by_update, since, until, None, fingerprint)


def _fingerprint(query: Mapping[str, str]) -> str:
    """What must stay the same from page to page. The model lets includedData change as well; this refuses it."""
    same = {name: value for name, value in query.items() if name not in ("maxResultsPerPage", "paginationToken")}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]


def _token(search: _Search, place: Entry, now: datetime) -> str:
    plain = {
        "search": search.fingerprint,
        "until": search.until.isoformat(),
        "at": place[0].isoformat(),
        "id": place[1],
        "made": now.isoformat(),
    }
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()


def _resume(token: str, fingerprint: str, now: datetime) -> tuple[datetime, Entry]:
    """(upper bound, last place) of the page before. Raises for a token of another search, a stale or a made up one."""
    try:
        plain: Any = json.loads(base64.urlsafe_b64decode(token))
        until, at, made = (read_instant(str(plain[name])) for name in ("until", "at", "made"))
        search, order_id = plain["search"], str(plain["id"])
    except (ValueError, KeyError, TypeError):
        raise _wrong_token() from None
    if until is None or at is None or made is None or search != fingerprint or now - made >= TOKEN_LIFE:
        raise _wrong_token()
    return until, (at, order_id)


def _wrong_token() -> Refusal:
    return Refusal(400, "InvalidInput", WRONG_TOKEN)

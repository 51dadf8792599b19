"""getInventorySummaries: what lies at FBA."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from adapters.amazon.sandbox.errors import Json, invalid_input
from adapters.amazon.sandbox.instants import printed, read_instant
from adapters.amazon.sandbox.query import choice, flag, instant, listed
from adapters.amazon.sandbox.records import FbaStock, Item
from adapters.amazon.sandbox.seller import Seller

PAGE = 50
SKUS_LIMIT = 50
TOKEN_LIFE = timedelta(seconds=30)
OLDEST_START = timedelta(days=548)  # 18 months


def inventory_summaries(seller: Seller, query: Mapping[str, str]) -> Json:
    """A page of SKUs that FBA stocks, in order of SKU. `pagination` stands beside `payload`, not in it."""
    place = seller.marketplace.id
    if choice(query, "granularityType", ("Marketplace",), "") != "Marketplace" or query.get("granularityId") != place:
        raise invalid_input("granularityId is not a marketplace of this seller.")
    if listed(query, "marketplaceIds", 1) != [place]:
        raise invalid_input("marketplaceIds must hold one marketplace of this seller.")
    now = seller.now()
    details = flag(query, "details")
    wanted = _wanted(seller, query, now)
    after = _resume(query, now)
    rest = [(item, fba) for item, fba in wanted if after is None or item.sku > after]
    page = rest[:PAGE]
    answer: Json = {
        "payload": {
            "granularity": {"granularityType": "Marketplace", "granularityId": place},
            "inventorySummaries": [_summary(item, fba, details=details) for item, fba in page],
        }
    }
    if len(rest) > PAGE:
        answer["pagination"] = {"nextToken": _token(query, page[-1][0].sku, now)}
    return answer


def _wanted(seller: Seller, query: Mapping[str, str], now: datetime) -> list[tuple[Item, FbaStock]]:
    """What startDateTime selects, else sellerSkus, else sellerSku, else everything. Unknown SKUs are just absent."""
    stocked = [(item, item.fba) for _, item in sorted(seller.items.items()) if item.fba is not None]
    if not stocked:
        raise invalid_input("This account has no FBA inventory.")
    if "startDateTime" in query:
        since = instant(query, "startDateTime")
        if since < now - OLDEST_START:
            raise invalid_input("startDateTime must not be older than 18 months.")
        return [(item, fba) for item, fba in stocked if fba.updated_at >= since]
    skus = listed(query, "sellerSkus", SKUS_LIMIT) or ([query["sellerSku"]] if "sellerSku" in query else None)
    return stocked if skus is None else [(item, fba) for item, fba in stocked if item.sku in skus]


def _summary(item: Item, fba: FbaStock, *, details: bool) -> Json:
    summary: Json = {
        "asin": item.asin,
        "fnSku": fba.fnsku,
        "sellerSku": item.sku,
        "condition": "NewItem",
        "lastUpdatedTime": printed(fba.updated_at),
        "productName": item.title,
        "totalQuantity": fba.fulfillable + fba.reserved + fba.unfulfillable,
        "stores": [],
    }
    return {**summary, "inventoryDetails": _details(fba)} if details else summary


def _details(fba: FbaStock) -> Json:
    return {
        "fulfillableQuantity": fba.fulfillable,
        "inboundWorkingQuantity": 0,
        "inboundShippedQuantity": 0,
        "inboundReceivingQuantity": 0,
        "reservedQuantity": {
            "totalReservedQuantity": fba.reserved,
            "pendingCustomerOrderQuantity": fba.reserved,
            "pendingTransshipmentQuantity": 0,
            "fcProcessingQuantity": 0,
        },
        "researchingQuantity": {"totalResearchingQuantity": 0, "researchingQuantityBreakdown": []},
        "unfulfillableQuantity": {
            "totalUnfulfillableQuantity": fba.unfulfillable,
            "customerDamagedQuantity": 0,
            "warehouseDamagedQuantity": fba.unfulfillable,
            "distributorDamagedQuantity": 0,
            "carrierDamagedQuantity": 0,
            "defectiveQuantity": 0,
            "expiredQuantity": 0,
        },
    }


def _token(query: Mapping[str, str], last_sku: str, now: datetime) -> str:
    plain = {"last": last_sku, "made": now.isoformat(), "of": _fingerprint(query)}
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()


def _resume(query: Mapping[str, str], now: datetime) -> str | None:
    """The last SKU of the page before, or None on the first page."""
    token = query.get("nextToken")
    if token is None:
        return None
    try:
        plain: Any = json.loads(base64.urlsafe_b64decode(token))
        made, last, of = read_instant(str(plain["made"])), str(plain["last"]), plain["of"]
    except (ValueError, KeyError, TypeError):
        raise invalid_input("nextToken is not valid.") from None
    if made is None or of != _fingerprint(query):
        raise invalid_input("nextToken is not valid.")
    if now - made > TOKEN_LIFE:
        raise invalid_input("nextToken has expired.")
    return last


def _fingerprint(query: Mapping[str, str]) -> str:
    same = {name: value for name, value in query.items() if name not in ("nextToken", "details")}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]

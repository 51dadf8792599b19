"""An eBay that answers what it is told to, and builders of what it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import msgspec

BASE_URL = "https://api.ebay.example"
TOKEN = "/identity/v1/oauth2/token"
ORDERS = "/sell/fulfillment/v1/order"
ITEMS = "/sell/inventory/v1/inventory_item"
BULK_ITEMS = "/sell/inventory/v1/bulk_get_inventory_item"
OFFERS = "/sell/inventory/v1/offer"
UPDATE = "/sell/inventory/v1/bulk_update_price_quantity"
PREFERENCES = "/sell/account/v2/user_preferences"
NOTIFICATION = "/commerce/notification/v1"
Json = dict[str, Any]
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class ScriptedEbay:
    """Answers each method and path with the next scripted answer, the last one for ever. Remembers every request."""

    def __init__(self) -> None:
        self.scripts: dict[tuple[str, str], list[Answer]] = {}
        self.requests: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self._answer)
        self.script("POST", TOKEN, lambda request: granted(f"token-{len(self.to('POST', TOKEN))}"))

    def script(self, method: str, path: str, *answers: Answer) -> None:
        self.scripts[(method, path)] = list(answers)

    def to(self, method: str, path: str) -> list[httpx.Request]:
        return [request for request in self.requests if (request.method, request.url.path) == (method, path)]

    def bodies(self, path: str) -> list[Json]:
        return [msgspec.json.decode(request.content) for request in self.to("POST", path)]

    def forms(self) -> list[dict[str, str]]:
        return [dict(httpx.QueryParams(request.content.decode())) for request in self.to("POST", TOKEN)]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answers = self.scripts.get((request.method, request.url.path))
        if answers is None:
            raise AssertionError(f"nothing scripted for {request.method} {request.url.path}")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)


def granted(token: str, life_s: int = 7200) -> httpx.Response:
    body = {"access_token": token, "expires_in": life_s, "token_type": "User Access Token"}
    return httpx.Response(200, json=body)


def ok(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body)


def error(error_id: int, message: str = "told", domain: str = "API_INVENTORY", **parameters: str) -> Json:
    return {
        "errorId": error_id,
        "domain": domain,
        "category": "REQUEST",
        "message": message,
        "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
    }


def refused(status: int, *errors: Json, **headers: str) -> httpx.Response:
    return httpx.Response(
        status, json={"errors": list(errors)}, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def akamai(status: int) -> httpx.Response:
    page = f"<HTML><TITLE>Access Denied</TITLE>Reference #{status}</HTML>"
    return httpx.Response(status, content=page, headers={"Content-Type": "text/html"})


EXPIRED = refused(401, error(1001, "Invalid access token", "OAuth"))
TOO_MANY = refused(429, error(2001, "Too many requests.", "ACCESS"))
NO_SCOPE = refused(403, error(1100, "Access denied", "ACCESS"))


# --- inventory ---------------------------------------------------------------------------------------------------


def an_item(sku: str = "RED-CLOCK", quantity: Any = 7, **product: Any) -> Json:
    return {
        "sku": sku,
        "locale": "en_US",
        "condition": "NEW",
        "availability": {"shipToLocationAvailability": {"quantity": quantity}},
        "product": {"title": f"A {sku}", **product},
    }


def an_offer(
    sku: str = "RED-CLOCK",
    quantity: Any = 7,
    *,
    offer_id: str | None = None,
    listing_id: str | None = "110551000001",
    marketplace: str = "EBAY_US",
    format: str = "FIXED_PRICE",
    status: str = "PUBLISHED",
    listing_status: str = "ACTIVE",
    on_hold: bool = False,
) -> Json:
    offer: Json = {
        "offerId": offer_id or f"offer-{sku}",
        "sku": sku,
        "marketplaceId": marketplace,
        "format": format,
        "status": status,
    }
    if quantity is not None:
        offer["availableQuantity"] = quantity
    if listing_id is not None:
        offer["listing"] = {"listingId": listing_id, "listingStatus": listing_status, "listingOnHold": on_hold}
    return offer


def items_page(items: list[Json], total: int | None = None) -> httpx.Response:
    return ok({"limit": 200, "total": len(items) if total is None else total, "inventoryItems": items})


def offers_by_sku(offers: dict[str, list[Json] | httpx.Response]) -> Answer:
    """getOffers for these SKUs; 404 for any other."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = offers.get(request.url.params["sku"], refused(404, error(25713, "This Offer is not available.")))
        if isinstance(found, httpx.Response):
            return httpx.Response(found.status_code, content=found.content)
        return ok({"total": len(found), "offers": found})

    return answer


def bulk_items(items: dict[str, Json]) -> Answer:
    """bulkGetInventoryItem of these items; a 404 row for any other."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = [entry["sku"] for entry in msgspec.json.decode(request.content)["requests"]]
        rows = [
            {"sku": sku, "statusCode": 200, "inventoryItem": items[sku]}
            if sku in items
            else {"sku": sku, "statusCode": 404, "errors": [error(25710, "not found")]}
            for sku in asked
        ]
        return ok({"responses": rows}, 200 if set(asked) <= set(items) else 207)

    return answer


# --- orders ------------------------------------------------------------------------------------------------------


def a_line(line_id: str = "10012345678901", **changes: Any) -> Json:
    line = {
        "lineItemId": line_id,
        "legacyItemId": "110551000001",
        "sku": "RED-CLOCK",
        "title": "A red clock",
        "quantity": 2,
        "soldFormat": "FIXED_PRICE",
        "lineItemCost": {"value": "19.98", "currency": "USD"},
        "lineItemFulfillmentStatus": "NOT_STARTED",
    }
    return _changed(line, changes)


def an_order(order_id: str = "01-03955-36441", lines: list[Any] | None = None, **changes: Any) -> Json:
    address = {
        "addressLine1": "1 Main St",
        "addressLine2": "Flat 2",
        "city": "San Jose",
        "stateOrProvince": "CA",
        "postalCode": "95125",
        "countryCode": "US",
    }
    order = {
        "orderId": order_id,
        "creationDate": "2026-11-22T10:00:00.000Z",
        "lastModifiedDate": "2026-11-22T10:05:00.000Z",
        "orderPaymentStatus": "PAID",
        "orderFulfillmentStatus": "NOT_STARTED",
        "cancelStatus": {"cancelState": "NONE_REQUESTED", "cancelRequests": []},
        "buyer": {"username": "a-buyer"},
        "fulfillmentStartInstructions": [
            {
                "fulfillmentInstructionsType": "SHIP_TO",
                "shippingStep": {"shipTo": {"fullName": "Ann Buyer", "contactAddress": address}},
            }
        ],
        "lineItems": [a_line()] if lines is None else lines,
    }
    return _changed(order, changes)


def orders_page(orders: list[Any], total: int | None = None) -> httpx.Response:
    return ok({"total": len(orders) if total is None else total, "limit": 200, "offset": 0, "orders": orders})


def _changed(given: Json, changes: Json) -> Json:
    """With these fields changed; `...` leaves one out."""
    return {name: value for name, value in {**given, **changes}.items() if value is not ...}

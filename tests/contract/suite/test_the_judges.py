"""The judges themselves: what the vendors say of their own samples, and that a wrong exchange is told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support.specs.amazon import amazon, notification_wrongs
from tests.support.specs.ebay import ebay
from tests.support.specs.exchange import Exchange
from tests.support.specs.rest import Vendor
from tests.support.specs.shelf import spec
from tests.support.specs.shipbob import shipbob
from tests.support.specs.shopify import shopify

CORE = (
    "orders_2026-01-01.json",
    "ordersV0.json",
    "listingsItems_2021-08-01.json",
    "notifications.json",
    "feeds_2021-06-30.json",
    "reports_2021-06-30.json",
)
JSON = httpx.Headers({"content-type": "application/json"})
SHOP = "query Shop { shop { id name } }"


@dataclass(frozen=True)
class Told:
    """A REST exchange as a test writes it down."""

    method: str
    target: str
    status: int = 200
    answer: Any = None
    sent: Any = None
    headers: Mapping[str, str] | None = None

    def judged(self, vendor: Vendor) -> list[str]:
        path, _, query = self.target.partition("?")
        token = {vendor.token_header: "a token", "content-type": "application/json"}
        sent = b"" if self.sent is None else json.dumps(self.sent).encode()
        answer = b"" if self.answer is None else json.dumps(self.answer).encode()
        given = httpx.Headers(dict(token if self.headers is None else self.headers))
        exchange = Exchange(self.method, path, query, given, sent, self.status, JSON, answer)
        return vendor.violations([exchange])


ORDER = {
    "orderId": "113-1234567-7654321",
    "createdTime": "2026-11-22T12:00:00Z",
    "lastUpdatedTime": "2026-11-22T12:00:00Z",
    "salesChannel": {"channelName": "AMAZON"},
    "orderItems": [{"orderItemId": "1", "quantityOrdered": 1, "product": {"sellerSku": "RED-CLOCK"}}],
}
ORDERS = "/orders/2026-01-01/orders?lastUpdatedAfter=2026-11-22T00%3A00%3A00Z"


def test_the_samples_of_the_models_themselves_pass() -> None:
    pairs = [json.loads(line) for line in spec("amazon/sandbox_pairs.jsonl").read_text().splitlines()]
    samples = [pair for pair in pairs if pair["model"].split("/")[1] in CORE]
    answers = [wrong for pair in samples for wrong in _of_pair(pair).judged(amazon()) if "response " in wrong]

    assert len(samples) > 90
    assert answers == []


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (Told("GET", ORDERS, answer={"orders": [{**ORDER, "lastUpdatedTime": "yesterday"}]}), "lastUpdatedTime"),
        (Told("GET", ORDERS, answer={"orders": [{**ORDER, "colour": "red"}]}), "'colour' was unexpected"),
        (Told("GET", ORDERS, answer={"orders": [{**ORDER, "orderItems": None}]}), "orderItems"),
        (Told("GET", ORDERS + "&includedData=FULFILLMENT,COLOUR", answer={"orders": []}), "includedData: $[1]"),
        (Told("GET", ORDERS + "&maxResultsPerPage=many", answer={"orders": []}), "maxResultsPerPage"),
        (Told("GET", ORDERS + "&colour=red", answer={"orders": []}), "query parameter colour: unknown"),
        (Told("GET", ORDERS, sent={}, answer={"orders": []}), "a body where the operation takes none"),
        (Told("GET", ORDERS, status=418, answer={}), "no such status"),
        (Told("GET", ORDERS, status=400, answer={"message": "no"}), "'message' was unexpected"),
        (Told("GET", ORDERS, headers={}, answer={"orders": []}), "no header x-amz-access-token"),
        (Told("GET", "/orders/2031-01-01/orders"), "no such operation"),
        (
            Told("GET", "/listings/2021-08-01/items/me/RED-CLOCK", answer={"sku": "RED-CLOCK"}),
            "marketplaceIds: missing",
        ),
        (
            Told("PATCH", "/listings/2021-08-01/items/me/A?marketplaceIds=M", sent={"patches": []}, status=400),
            "'productType' is a required property",
        ),
    ],
)
def test_a_wrong_exchange_with_amazon_is_told(told: Told, wrong: str) -> None:
    assert wrong in "\n".join(told.judged(amazon()))


def test_a_page_of_a_gateway_is_nobodys_answer_but_only_where_the_server_fails() -> None:
    page = Exchange("GET", ORDERS.split("?")[0], "", httpx.Headers({"x-amz-access-token": "t"}), b"", 503, JSON, b"<p>")
    torn = Exchange("GET", ORDERS.split("?")[0], "", httpx.Headers({"x-amz-access-token": "t"}), b"", 200, JSON, b"{")

    assert amazon().violations([page]) == []
    assert "not JSON" in amazon().violations([torn])[0]


def test_an_order_notification_is_judged_by_amazons_schema() -> None:
    right = json.loads(spec("amazon/schemas/notifications/OrderChangeNotification.json").read_bytes())["examples"][0]

    assert notification_wrongs(right) == []
    assert "PayloadVersion" in notification_wrongs({**right, "PayloadVersion": 1})[0]


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (Told("GET", "/sell/inventory/v1/inventory_item?limit=200&page=2", answer={}), "parameter page: unknown"),
        (
            Told(
                "POST", "/sell/inventory/v1/bulk_update_price_quantity", sent={"requests": [{"offers": []}]}, status=429
            ),
            "'sku' is a required property",
        ),
        (Told("GET", "/sell/fulfillment/v1/order/1", answer={"orderId": 1}), "orderId: 1 is not of type 'string'"),
        (Told("GET", "/sell/fulfillment/v1/order/1", status=400, answer={"message": "no"}), "'errors' is a required"),
        (Told("GET", "/sell/fulfillment/v1/order/1", answer={"orderId": None}), "None is not of type 'string'"),
    ],
)
def test_a_wrong_exchange_with_ebay_is_told(told: Told, wrong: str) -> None:
    assert wrong in "\n".join(told.judged(ebay()))


def test_an_error_of_ebays_is_a_list() -> None:
    error = {"errorId": 2001, "domain": "ACCESS", "category": "REQUEST", "message": "Too many requests."}

    assert Told("GET", "/sell/fulfillment/v1/order/1", status=429, answer={"errors": [error]}).judged(ebay()) == []


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (Told("GET", "/2026-01/order?Limit=251", answer=[]), "Limit: $: 251 is greater than"),
        (Told("GET", "/2026-01/order", answer=[{"id": "7"}]), "$[0].id"),
        (Told("POST", "/2026-01/order", status=201, sent={}, answer={}), "no header shipbob_channel_id"),
    ],
)
def test_a_wrong_exchange_with_shipbob_is_told(told: Told, wrong: str) -> None:
    assert wrong in "\n".join(told.judged(shipbob()))


def test_an_address_that_the_vendor_gave_is_not_ours_to_judge() -> None:
    levels, link = "/2026-01/inventory-level/locations", "/2026-01/inventory-level/locations?Cursor=abc"
    token = httpx.Headers({"authorization": "Bearer x"})
    first = Exchange(
        "GET", levels, "PageSize=2", token, b"", 200, JSON, json.dumps({"items": [], "next": link}).encode()
    )
    second = Exchange("GET", levels, "Cursor=abc", token, b"", 200, JSON, b'{"items": []}')

    assert shipbob().violations([first, second]) == []
    assert "Cursor: unknown" in shipbob().violations([second])[0]


# --- Shopify -----------------------------------------------------------------------------------------------------

COST = {"throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": 1, "restoreRate": 100}}
COSTED = {"extensions": {"cost": {**COST, "requestedQueryCost": 1, "actualQueryCost": 1}}}


def of_shop(query: str, answer: Any, status: int = 200, **variables: Any) -> list[str]:
    sent = json.dumps({"query": query, "variables": variables}).encode()
    headers = httpx.Headers({"x-shopify-access-token": "t"})
    path = "/admin/api/2026-10/graphql.json"
    return shopify().violations([Exchange("POST", path, "", headers, sent, status, JSON, json.dumps(answer).encode())])


def test_a_right_exchange_with_shopify_passes() -> None:
    answer = {"data": {"shop": {"id": "gid://shopify/Shop/1", "name": "Red Clock"}}, **COSTED}

    assert of_shop(SHOP, answer) == []
    assert of_shop(SHOP, {"errors": [{"message": "Throttled"}]}) == []


@pytest.mark.parametrize(
    ("query", "answer", "wrong"),
    [
        ("query Shop { shop { colour } }", {"data": None, **COSTED}, "Cannot query field 'colour'"),
        (SHOP, {"data": {"shop": {"id": "1"}}, **COSTED}, "shop.name: missing in the answer"),
        (
            SHOP,
            {"data": {"shop": {"id": "1", "name": "a", "colour": "red"}}, **COSTED},
            "$.shop.colour was not asked for",
        ),
        (SHOP, {"data": {"shop": {"id": "1", "name": None}}, **COSTED}, "non-nullable"),
        (SHOP, {"data": {"shop": {"id": "1", "name": "a"}}}, "extensions.cost"),
        (SHOP, {}, "neither data nor errors"),
        ("query N($id: ID!) { node(id: $id) { id } }", {"data": {"node": None}, **COSTED}, "$id"),
        ("{ shop { currencyCode } }", {"data": {"shop": {"currencyCode": "RED"}}, **COSTED}, "RED"),
    ],
)
def test_a_wrong_exchange_with_shopify_is_told(query: str, answer: Any, wrong: str) -> None:
    assert wrong in "\n".join(of_shop(query, answer))


def _of_pair(pair: Mapping[str, Any]) -> Told:
    """The response of a static sample of Amazon's models, with a path that fits."""
    return Told(pair["method"], re.sub(r"\{[^}]*\}", "x", pair["path"]), int(pair["status"]), pair["response"])

"""Who is let in, to which version, and to which fields."""

from __future__ import annotations

import pytest

from adapters.shopify.sandbox import ShopSeed
from tests.unit.shopify_sandbox.documents import SET
from tests.unit.shopify_sandbox.kit import App, Opened, a_seed

SHOP = "{ shop { id myshopifyDomain ianaTimezone } }"


DENIED = {
    "code": "ACCESS_DENIED",
    "documentation": "https://shopify.dev/api/usage/access-scopes",
}


def credentials(**changes: str) -> dict[str, str]:
    seed = ShopSeed()
    return {
        "client_id": seed.client_id,
        "client_secret": seed.client_secret,
        "grant_type": "client_credentials",
        **changes,
    }


async def test_credentials_buy_a_token_for_a_day(app: App) -> None:
    answer = await app.http.post("/admin/oauth/access_token", json=credentials())

    granted = answer.json()
    assert answer.status_code == 200
    assert granted["expires_in"] == 86399
    assert "write_inventory" in granted["scope"].split(",")
    app.token = granted["access_token"]
    assert (await app.data(SHOP))["shop"]["myshopifyDomain"] == "red-clock.myshopify.com"


async def test_a_token_dies_when_its_life_is_over(opened: Opened) -> None:
    app = await opened.app(a_seed(token_life_s=60))
    granted = await app.http.post("/admin/oauth/access_token", json=credentials())
    app.token = granted.json()["access_token"]
    await app.clock.advance(59)
    alive = await app.send(SHOP)

    await app.clock.advance(2)
    dead = await app.send(SHOP)

    assert alive.status_code == 200
    assert dead.status_code == 401
    assert dead.json() == {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}


async def test_an_unknown_token_opens_nothing(app: App) -> None:
    app.token = "shpat_of_another_shop"

    assert (await app.send(SHOP)).status_code == 401


async def test_tokens_can_be_taken_away_at_once(app: App) -> None:
    granted = await app.http.post("/admin/oauth/access_token", json=credentials())
    app.token = granted.json()["access_token"]

    await app.control("tokens/expire")

    assert (await app.send(SHOP)).status_code == 401


@pytest.mark.parametrize(
    ("change", "status", "part"),
    [
        ({"client_secret": "wrong"}, 401, '"error": "invalid_client"'),
        ({"client_id": "someone-else"}, 400, "Oauth error application_cannot_be_found"),
        ({"grant_type": "password"}, 400, '"error": "unsupported_grant_type"'),
    ],
)
async def test_wrong_credentials_are_refused(app: App, change: dict[str, str], status: int, part: str) -> None:
    answer = await app.http.post("/admin/oauth/access_token", json=credentials(**change))

    assert answer.status_code == status
    assert part in answer.text


@pytest.mark.parametrize(
    ("asked", "served"),
    [("2026-10", "2026-10"), ("2026-01", "2026-01"), ("2024-04", "2026-01"), ("2031-01", "2026-01")],
)
async def test_a_version_that_is_gone_falls_forward_without_a_word(app: App, asked: str, served: str) -> None:
    answer = await app.send(SHOP, version=asked)

    assert answer.status_code == 200
    assert answer.headers["X-Shopify-API-Version"] == served
    assert answer.headers["x-request-id"]


async def test_the_app_can_ask_who_it_is(app: App) -> None:
    query = """{
      currentAppInstallation { id accessScopes { handle } }
      publicApiVersions { handle supported displayName }
      shop { id plan { publicDisplayName shopifyPlus partnerDevelopment } }
    }"""

    found = await app.data(query)

    assert {"handle": "read_orders"} in found["currentAppInstallation"]["accessScopes"]
    assert {"handle": "2026-10", "supported": True, "displayName": "2026-10 (Latest)"} in found["publicApiVersions"]


async def test_a_field_without_its_scope_is_denied(opened: Opened) -> None:
    app = await opened.app(a_seed(scopes=("read_orders", "read_inventory")))
    item = (await app.level("RED-CLOCK"))["item"]

    answer = await app.ask(SET, input={"name": "available", "reason": "correction", "quantities": []}, key="k")
    read = await app.data("query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[item])

    (error,) = answer["errors"]
    assert (error["message"], error["extensions"]) == ("access denied", DENIED)
    assert answer["data"] == {"inventorySetQuantities": None}
    assert read["nodes"] == [{"id": item}]


async def test_addresses_need_an_approval(opened: Opened) -> None:
    app = await opened.app(a_seed(protected_data_approved=False))
    await app.control("orders", lines=[{"sku": "RED-CLOCK", "quantity": 1}], ship_to={"name": "Ada", "country": "DE"})

    answer = await app.ask("{ orders(first: 1) { nodes { name shippingAddress { zip } } } }")

    assert answer["data"]["orders"]["nodes"] == [{"name": "#1001", "shippingAddress": None}]
    assert [error["extensions"] for error in answer["errors"]] == [DENIED]

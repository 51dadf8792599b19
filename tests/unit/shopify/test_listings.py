"""Listings, their numbers, the shop itself and its webhook subscriptions."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from adapters.contract import ListingRef, QuantityRead, Transient, WriteStyle
from adapters.shopify import ShopifyChannel
from adapters.shopify.graphql import _DEPTH
from adapters.subscription import Subscription, SubscriptionState
from tests.unit.shopify.builders import LOCATION
from tests.unit.shopify.conftest import settings
from tests.unit.shopify.doubles import Json, ScriptedShop, data, errors, page


def a_level(available: int | None = 4, active: bool = True) -> Json:
    rows = [] if available is None else [{"name": "available", "quantity": available}]
    return {"isActive": active, "quantities": rows}


def an_item(number: int = 11, tracked: bool = True, level: Json | None = None) -> Json:
    return {"id": f"gid://shopify/InventoryItem/{number}", "tracked": tracked, "inventoryLevel": level}


def a_variant(number: int = 31, **changes: Any) -> Json:
    return {
        "id": f"gid://shopify/ProductVariant/{number}",
        "sku": "RED-CLOCK",
        "barcode": "4006381333931",
        "displayName": "Clock - red",
        "inventoryPolicy": "DENY",
        "requiresComponents": False,
        "inventoryItem": an_item(level=a_level()),
        **changes,
    }


def ref(number: int | str, location: str = LOCATION) -> ListingRef:
    return ListingRef(f"gid://shopify/InventoryItem/{number}", location)


async def test_every_variant_is_a_listing(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script(
        "SyncdVariants", data({"productVariants": page([a_variant()], "c1")}), data({"productVariants": page([])})
    )

    pages = [found async for found in channel.list_listings()]

    assert [found.cursor for found in pages] == ["c1", None]
    (item,) = pages[0].items
    assert item.ref == ref(11)
    assert item.line_key == "gid://shopify/ProductVariant/31"
    assert (item.code, item.gtin, item.title, item.quantity) == ("RED-CLOCK", "4006381333931", "Clock - red", 4)
    assert (item.back_orderable, item.budget_key, item.unwritable) == (False, item.ref.channel_sku, None)
    assert shop.variables("SyncdVariants")[0] == {"location": LOCATION, "first": 250, "after": None}


@pytest.mark.parametrize(
    ("variant", "why", "quantity"),
    [
        (a_variant(requiresComponents=True), "a bundle", 4),
        (a_variant(inventoryItem=an_item(tracked=False, level=a_level())), "untracked", None),
        (a_variant(inventoryItem=an_item(level=None)), "not stocked", None),
        (a_variant(inventoryItem=an_item(level=a_level(active=False))), "inactive", None),
        (a_variant(inventoryItem=an_item(level=a_level(None))), "no available", None),
    ],
)
async def test_a_listing_says_why_its_number_is_not_ours(
    channel: ShopifyChannel, shop: ScriptedShop, variant: Json, why: str, quantity: int | None
) -> None:
    shop.script("SyncdVariants", data({"productVariants": page([variant])}))

    ((item,),) = [found.items async for found in channel.list_listings()]

    assert item.unwritable is not None
    assert item.unwritable.startswith(why)
    assert item.quantity == quantity


async def test_a_variant_that_sells_below_zero_says_so(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdVariants", data({"productVariants": page([a_variant(inventoryPolicy="CONTINUE", sku="")])}))

    ((item,),) = [found.items async for found in channel.list_listings()]

    assert item.back_orderable
    assert item.code is None


async def test_an_unreadable_variant_does_not_hide_the_others(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdVariants", data({"productVariants": page([{"id": 5}, a_variant()])}))

    ((item,),) = [found.items async for found in channel.list_listings()]

    assert item.line_key == "gid://shopify/ProductVariant/31"


async def test_a_catalogue_longer_than_shopify_pages_goes_on_by_id(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    many = [a_variant(number) for number in range(1, _DEPTH + 1)]
    shop.script("SyncdVariants", data({"productVariants": page(many, "c1")}), data({"productVariants": page([])}))

    assert sum([len(found.items) async for found in channel.list_listings()]) == _DEPTH
    assert shop.variables("SyncdVariants")[1]["query"] == f"id:>={_DEPTH + 1}"
    assert shop.variables("SyncdVariants")[1]["after"] is None


async def test_numbers_come_in_the_order_asked_for(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    elsewhere = "gid://shopify/Location/9"
    levels = {11: an_item(11, level=a_level(-2)), 12: None, 13: an_item(13, False, a_level(1)), 14: {}}

    def answer(variables: Json) -> Any:
        return data({"nodes": [levels[int(gid.rsplit("/")[-1])] for gid in variables["ids"]]})

    shop.script("SyncdLevels", answer)

    found = await channel.read_quantities([ref(14), ref(12), ref(11), ref("x"), ref(13), ref(11, elsewhere), ref(11)])

    assert [read.ref for read in found] == [
        ref(14), ref(12), ref(11), ref("x"), ref(13), ref(11, elsewhere), ref(11)
    ]  # fmt: skip
    assert [read.quantity for read in found] == [None, None, -2, None, None, -2, -2]
    assert found[1] == QuantityRead(ref(12), None, "no such inventory item")
    assert found[3].problem == "not the id of an inventory item"
    assert found[4].problem == "untracked: it sells whatever its number"
    assert [(len(v["ids"]), v["location"]) for v in shop.variables("SyncdLevels")] == [(4, LOCATION), (1, elsewhere)]


@pytest.mark.parametrize("number", [2**64, 10**31, "9" * 21])
async def test_an_id_of_more_than_64_bits_spoils_no_other(
    channel: ShopifyChannel, shop: ScriptedShop, number: int | str
) -> None:
    greatest = ref(2**64 - 1)
    shop.script("SyncdLevels", data({"nodes": [an_item(2**64 - 1, level=a_level(4))]}))

    found = await channel.read_quantities([ref(number), greatest, ref(11, f"gid://shopify/Location/{number}")])

    assert [read.quantity for read in found] == [None, 4, None]
    assert found[0].problem == found[2].problem == "not the id of an inventory item"
    assert [v["ids"] for v in shop.variables("SyncdLevels")] == [[greatest.channel_sku]]


async def test_an_answer_for_other_items_is_no_number(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdLevels", data({"nodes": [an_item(12, level=a_level())]}))

    assert await channel.read_quantities([ref(11)]) == (QuantityRead(ref(11), None, "unreadable"),)


async def test_an_answer_of_another_length_is_an_error(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdLevels", data({"nodes": []}))

    with pytest.raises(Transient):
        await channel.read_quantities([ref(11)])


async def test_a_read_has_a_limit_and_nothing_to_ask_is_not_asked(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    assert await channel.read_quantities([]) == ()
    with pytest.raises(ValueError, match="250"):
        await channel.read_quantities([ref(number) for number in range(251)])


def test_traits_are_those_of_compare_and_set(channel: ShopifyChannel) -> None:
    traits = channel.traits

    assert (traits.write_style, traits.cells) == (WriteStyle.COMPARE_AND_SET, ("available",))
    assert (traits.write_batch, traits.read_batch) == (250, 250)


# --- the shop ----------------------------------------------------------------------------------------------------

SCOPES = ["write_orders", "read_all_orders", "read_products", "write_inventory", "read_locations"]


def an_install(*scopes: str, supported: bool = True, version: str = "2026-10") -> httpx.Response:
    found = {
        "currentAppInstallation": {"id": "a", "accessScopes": [{"handle": scope} for scope in scopes]},
        "publicApiVersions": [{"handle": "2026-10", "supported": supported, "displayName": "2026-10"}],
        "shop": {"id": "s", "myshopifyDomain": "red-clock.myshopify.com", "ianaTimezone": "Europe/Berlin"},
    }
    return data(found, version=version)


def a_location(**changes: Any) -> httpx.Response:
    location = {"id": LOCATION, "name": "Shop", "isActive": True, "fulfillmentService": None, **changes}
    return data({"locations": page([location])})


async def test_a_shop_that_is_fit_has_no_warnings(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdInstall", an_install(*SCOPES))
    shop.script("SyncdLocations", a_location())

    identity = await channel.identify()

    assert identity.name == "red-clock.myshopify.com"
    assert identity.scopes == tuple(sorted(SCOPES))
    assert (identity.missing_scopes, identity.api_version, identity.warnings) == ((), "2026-10", ())


async def test_missing_scopes_are_named(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdInstall", an_install("read_orders", "read_inventory"))

    identity = await channel.identify()

    assert identity.missing_scopes == ("read_products", "write_inventory", "read_locations")


async def test_an_app_that_sees_no_old_orders_is_a_warning(channel: ShopifyChannel, shop: ScriptedShop) -> None:
    shop.script("SyncdInstall", an_install(*(scope for scope in SCOPES if scope != "read_all_orders")))
    shop.script("SyncdLocations", a_location())

    identity = await channel.identify()

    assert identity.missing_scopes == (), "it works without"
    (found,) = identity.warnings
    assert found.startswith("without read_all_orders Shopify shows no order placed more than 60 days ago")


async def test_a_version_served_silently_instead_of_ours_is_a_warning(
    channel: ShopifyChannel, shop: ScriptedShop
) -> None:
    shop.script("SyncdInstall", an_install(*SCOPES, supported=False, version="2027-01"))
    shop.script("SyncdLocations", a_location())

    identity = await channel.identify()

    assert identity.api_version == "2026-10"  # the last answer's
    assert "no longer supported" in identity.warnings[0] or "2027-01" in identity.warnings[0]


@pytest.mark.parametrize(
    ("answer", "warning"),
    [
        (a_location(isActive=False), "is not active"),
        (a_location(fulfillmentService={"inventoryManagement": True}), "belong to its fulfillment service"),
        (errors("BAD_REQUEST"), "could not be read"),
    ],
)
async def test_an_odd_location_is_a_warning(
    channel: ShopifyChannel, shop: ScriptedShop, answer: httpx.Response, warning: str
) -> None:
    shop.script("SyncdInstall", an_install(*SCOPES))
    shop.script("SyncdLocations", answer)

    (found,) = (await channel.identify()).warnings

    assert warning in found


async def test_a_location_of_another_shop_is_wrong_and_those_there_are_are_named(
    channel: ShopifyChannel, shop: ScriptedShop
) -> None:
    shop.script("SyncdInstall", an_install(*SCOPES))
    shop.script("SyncdLocations", a_location(id="gid://shopify/Location/9", name="Back room"))

    identity = await channel.identify()

    assert identity.warnings == ()
    (told,) = identity.wrongs
    assert told.endswith("is not a location of this shop; it has gid://shopify/Location/9 (Back room)")


@pytest.mark.parametrize("changes", [{"location": "7001"}, {"page_size": 0}, {"page_size": 251}, {"client_secret": ""}])
def test_settings_that_cannot_work_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        settings(**changes)


# --- webhook subscriptions ---------------------------------------------------------------------------------------

URL = "https://stock.example/hooks/shopify/1"


async def test_missing_subscriptions_are_created_and_others_left_alone(
    channel: ShopifyChannel, shop: ScriptedShop
) -> None:
    ours = {"id": "1", "topic": "ORDERS_CREATE", "uri": URL, "format": "JSON"}
    foreign = {"id": "2", "topic": "ORDERS_EDITED", "uri": "https://else.example", "format": "JSON"}
    shop.script(
        "SyncdHooks",
        data({"webhookSubscriptions": page([ours], "c1")}),
        data({"webhookSubscriptions": page([foreign])}),
    )
    shop.script(
        "SyncdHook", _created(), _created("Address for this topic has already been taken"), _created("No"), _created()
    )

    done = await channel.ensure_webhooks(URL)

    assert done == (
        Subscription("ORDERS_CREATE", SubscriptionState.PRESENT),
        Subscription("ORDERS_UPDATED", SubscriptionState.CREATED),
        Subscription("ORDERS_CANCELLED", SubscriptionState.PRESENT),
        Subscription("ORDERS_EDITED", SubscriptionState.REFUSED, "No"),
        Subscription("REFUNDS_CREATE", SubscriptionState.CREATED),
        Subscription("INVENTORY_LEVELS_UPDATE", SubscriptionState.CREATED),
    )
    assert shop.variables("SyncdHook")[0] == {"topic": "ORDERS_UPDATED", "sub": {"uri": URL, "format": "JSON"}}


def _created(message: str | None = None) -> httpx.Response:
    problems = [{"field": None, "message": message}] if message else []
    return data({"webhookSubscriptionCreate": {"webhookSubscription": None, "userErrors": problems}})

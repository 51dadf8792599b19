"""The catalogue, and the numbers that listings show."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

from adapters.amazon import AmazonChannel
from adapters.contract import AuthExpired, ListedItem, ListingRef, QuantityRead, Rejected, Transient
from tests.unit.amazon.builders import a_listing, a_page
from tests.unit.amazon.doubles import HOME, SELLER, FakeClock, Json, ScriptedAmazon, ok, refused


def ref(sku: str, location: str = "DEFAULT") -> ListingRef:
    return ListingRef(sku, location)


async def listed(channel: AmazonChannel) -> list[ListedItem]:
    return [item async for page in channel.list_listings() for item in page.items]


async def the_only_one(channel: AmazonChannel, amazon: ScriptedAmazon, listing: Json) -> ListedItem:
    amazon.script("searchListingsItems", ok(a_page(listing)))
    (item,) = await listed(channel)
    return item


def created(listing: Json, at: str | None, updated: str | None = None) -> Json:
    return {**listing, "summaries": [{"marketplaceId": HOME, "createdDate": at, "lastUpdatedDate": updated or at}]}


# --- the catalogue -----------------------------------------------------------------------------------------------


async def test_a_listing_is_a_sellers_sku_with_its_live_number(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    item = await the_only_one(channel, amazon, a_listing())

    assert item == ListedItem(
        ref=ref("RED-CLOCK"),
        line_key="RED-CLOCK",
        code="RED-CLOCK",
        title="The RED-CLOCK",
        gtin="036000291452",
        quantity=7,
        back_orderable=False,
        budget_key="RED-CLOCK",
    )


async def test_the_catalogue_is_read_in_an_order_that_edits_do_not_change(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("searchListingsItems", ok(a_page(a_listing("A"), token="t1")), ok(a_page(a_listing("B"))))

    pages = [page async for page in channel.list_listings()]

    assert [([item.code for item in page.items], page.cursor is None) for page in pages] == [
        (["A"], False),
        (["B"], True),
    ]
    first, second = amazon.params("searchListingsItems")
    assert first == {
        "marketplaceIds": HOME,
        "includedData": "summaries,attributes,fulfillmentAvailability",
        "sortBy": "createdDate",
        "sortOrder": "ASC",
        "pageSize": "20",
    }
    assert second == {**first, "pageToken": "t1"}


class Catalogue:
    """Listings by creation and last change; a search gives 20 a page and at most 1000 in all, as Amazon's does.

    `busy`: so many listings are changed, one after each of the next answers.
    """

    def __init__(self, created_at: list[str], updated_at: list[str] | None = None, busy: int = 0) -> None:
        self.all = [
            created(a_listing(f"SKU-{number}"), at, updated)
            for number, (at, updated) in enumerate(zip(created_at, updated_at or created_at, strict=True))
        ]
        self.busy = busy

    def __call__(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        found = [
            each for each in self.all if all(self.holds(each, kind, params) for kind in ("created", "lastUpdated"))
        ]
        by = params.get("sortBy", "lastUpdatedDate")
        found.sort(
            key=lambda each: each["sku"] if by == "sku" else instant_of(each, by),
            reverse=params.get("sortOrder", "DESC") == "DESC",
        )
        start = int(params.get("pageToken", "0"))
        end = min(start + int(params["pageSize"]), 1000)
        page = a_page(*found[start:end], token=str(end) if end < min(len(found), 1000) else None)
        if self.busy:
            self.busy -= 1
            self.all[self.busy]["summaries"][0]["lastUpdatedDate"] = f"2026-12-01T00:00:00.{self.busy:03}Z"
        return ok({**page, "numberOfResults": len(found)})

    @staticmethod
    def holds(listing: Json, kind: str, params: httpx.QueryParams) -> bool:
        at = instant_of(listing, f"{kind}Date")
        since, until = params.get(f"{kind}After"), params.get(f"{kind}Before")
        return (since is None or at >= datetime.fromisoformat(since)) and (
            until is None or at <= datetime.fromisoformat(until)
        )


def instant_of(listing: Json, name: str) -> datetime:
    return datetime.fromisoformat(listing["summaries"][0][name])


def days_of(*counts: int) -> list[str]:
    """So many listings on each day."""
    return [f"2026-01-{1 + day:02}T00:00:00Z" for day, count in enumerate(counts) for _ in range(count)]


async def test_more_than_a_thousand_listings_are_read_from_the_last_one_on(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    days = [f"2026-01-{1 + number // 100:02}T00:00:00Z" for number in range(2150)]
    amazon.script("searchListingsItems", Catalogue(days))

    assert [item.code for item in await listed(channel)] == [f"SKU-{number}" for number in range(2150)]

    starts = {params.get("createdAfter") for params in amazon.params("searchListingsItems")}
    assert starts == {None, "2026-01-10T00:00:00Z", "2026-01-19T00:00:00Z"}


@pytest.mark.parametrize("count", [999, 1000, 1001])
async def test_a_catalogue_at_the_edge_is_read_whole(
    channel: AmazonChannel, amazon: ScriptedAmazon, count: int
) -> None:
    days = [f"2026-{1 + number // 500:02}-01T00:00:00Z" for number in range(count)]
    amazon.script("searchListingsItems", Catalogue(days))

    assert len(await listed(channel)) == count


@pytest.mark.parametrize("count", [1001, 1999, 2000])
async def test_up_to_two_thousand_listings_of_one_instant_are_read_from_both_ends(
    channel: AmazonChannel, amazon: ScriptedAmazon, count: int
) -> None:
    amazon.script("searchListingsItems", Catalogue(days_of(3, count, 7)))

    codes = [item.code for item in await listed(channel)]

    assert len(codes) == len(set(codes)) == count + 10


async def test_more_listings_of_one_instant_are_read_by_their_last_change(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    changed = [f"2026-02-01T00:00:{number // 1200:02}Z" for number in range(3100)]
    amazon.script("searchListingsItems", Catalogue(["2026-01-01T00:00:00Z"] * 3100, changed))

    codes = [item.code for item in await listed(channel)]

    assert len(codes) == len(set(codes)) == 3100


async def test_what_is_changed_while_it_is_read_by_its_last_change_is_not_left_out(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    changed = [f"2026-02-01T00:{number // 600:02}:{number // 10 % 60:02}Z" for number in range(2100)]
    amazon.script("searchListingsItems", Catalogue(["2026-01-01T00:00:00Z"] * 2100, changed, busy=200))

    codes = [item.code for item in await listed(channel)]

    assert len(codes) == len(set(codes)) == 2100


async def test_more_than_two_thousand_listings_that_no_instant_parts_are_refused_not_left_out(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("searchListingsItems", Catalogue(["2026-01-01T00:00:00Z"] * 2001))

    with pytest.raises(Rejected, match=r"more than 2000 listings .* last changed at 2026-01-01T00:00:00.000Z.* again"):
        await listed(channel)


async def test_a_crowd_that_amazon_does_not_count_is_refused(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    catalogue = Catalogue(["2026-01-01T00:00:00Z"] * 1001)

    def uncounted(request: httpx.Request) -> httpx.Response:
        told = catalogue(request).json()
        del told["numberOfResults"]
        return ok(told)

    amazon.script("searchListingsItems", uncounted)

    with pytest.raises(Rejected, match="how many"):
        await listed(channel)


async def test_a_listing_that_does_not_say_when_it_was_created_ends_the_walk_loudly(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    catalogue = Catalogue(["2026-01-01T00:00:00Z"] * 1001)
    catalogue.all[999] = created(catalogue.all[999], None)
    catalogue.all.sort(key=lambda each: each["summaries"][0]["createdDate"] is None)
    pages = [ok(a_page(*catalogue.all[n : n + 20], token=str(n))) for n in range(0, 980, 20)]
    last = [created(each, None) for each in catalogue.all[980:1000]]
    amazon.script("searchListingsItems", *pages, ok(a_page(*last, token="more")))

    with pytest.raises(Rejected, match="does not say"):
        await listed(channel)


async def test_a_page_token_that_comes_again_ends_the_walk_as_incomplete(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("searchListingsItems", ok(a_page(a_listing(), token="t1")))

    with pytest.raises(Transient, match="does not advance"):
        await listed(channel)


async def test_a_walk_keeps_to_its_quota(channel: AmazonChannel, amazon: ScriptedAmazon, clock: FakeClock) -> None:
    amazon.script("searchListingsItems", Catalogue([f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z" for n in range(300)]))

    await listed(channel)

    assert sum(clock.slept) == pytest.approx((15 - 5) / 5, rel=0.05)


@pytest.mark.parametrize("poison", [None, 7, "x", [], {}, {"sku": 7}, {"sku": None}])
async def test_a_poison_listing_stops_no_other(channel: AmazonChannel, amazon: ScriptedAmazon, poison: object) -> None:
    amazon.script("searchListingsItems", ok(a_page(poison, a_listing())))

    assert [item.code for item in await listed(channel)] == ["RED-CLOCK"]


@pytest.mark.parametrize(
    ("availability", "quantity", "why"),
    [
        ([{"fulfillmentChannelCode": "DEFAULT", "quantity": 0}], 0, None),
        ([{"fulfillmentChannelCode": "AMAZON_NA"}], None, "fulfilled by Amazon"),
        ([{"fulfillmentChannelCode": "AMAZON_NA", "quantity": 9}], None, "fulfilled by Amazon"),
        (
            [{"fulfillmentChannelCode": "AMAZON_NA"}, {"fulfillmentChannelCode": "DEFAULT", "quantity": 3}],
            None,
            "fulfilled by Amazon",
        ),
        (
            [{"fulfillmentChannelCode": "DEFAULT", "quantity": 3}, {"fulfillmentChannelCode": "AMAZON_EU"}],
            None,
            "fulfilled by Amazon",
        ),
        ([], None, "no fulfilment channel: set its quantity once in Seller Central"),
        (None, None, "no fulfilment channel: set its quantity once in Seller Central"),
        ([{"fulfillmentChannelCode": "DEFAULT"}], None, "no quantity shown"),
        ([{"fulfillmentChannelCode": "DEFAULT", "quantity": -1}], None, "no quantity shown"),
        ([{"fulfillmentChannelCode": "DEFAULT", "quantity": "7"}], None, "no quantity shown"),
        (
            [{"fulfillmentChannelCode": "d7679e14-031b"}, {"fulfillmentChannelCode": "DEFAULT", "quantity": 3}],
            None,
            "stocked by supply source (multi-location inventory)",
        ),
        ([{"quantity": 7}], None, "unreadable fulfilment availability"),
        ("none", None, "unreadable fulfilment availability"),
    ],
)
async def test_whose_number_it_is(
    channel: AmazonChannel, amazon: ScriptedAmazon, availability: object, quantity: int | None, why: str | None
) -> None:
    item = await the_only_one(channel, amazon, a_listing(fulfillmentAvailability=availability))

    assert (item.quantity, item.unwritable) == (quantity, why)


@pytest.mark.parametrize(
    ("identifiers", "gtin"),
    [
        ([{"type": "ean", "value": "4006381333931"}], "4006381333931"),
        ([{"type": "gtin_exemption_reason", "value": "1"}, {"type": "EAN", "value": "4006381333931"}], "4006381333931"),
        ([{"type": "upc", "value": "none"}], None),
        ([{"type": "upc", "value": 36000291452}], None),
        ([7], None),
        ("no", None),
        (None, None),
    ],
)
async def test_a_barcode_is_taken_where_one_is_offered(
    channel: AmazonChannel, amazon: ScriptedAmazon, identifiers: object, gtin: str | None
) -> None:
    attributes = {"externally_assigned_product_identifier": identifiers}

    assert (await the_only_one(channel, amazon, a_listing(attributes=attributes))).gtin == gtin


@pytest.mark.parametrize("summaries", [None, [], [{}], "x", [{"itemName": ""}]])
async def test_a_listing_without_a_title_is_called_by_its_sku(
    channel: AmazonChannel, amazon: ScriptedAmazon, summaries: object
) -> None:
    assert (await the_only_one(channel, amazon, a_listing(summaries=summaries, attributes=None))).title == "RED-CLOCK"


# --- numbers -----------------------------------------------------------------------------------------------------


async def test_numbers_are_read_together_and_answered_in_order(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    fba = a_listing("FBA", None, "AMAZON_NA")
    amazon.script("searchListingsItems", ok(a_page(fba, a_listing("B", 2), a_listing("A", 1))))
    amazon.script("getListingsItem", refused(404, "NOT_FOUND"))

    reads = await channel.read_quantities([ref("A"), ref("GONE"), ref("B"), ref("FBA"), ref("A", "AMAZON_NA")])

    assert reads == (
        QuantityRead(ref("A"), 1),
        QuantityRead(ref("GONE"), None, "no such listing"),
        QuantityRead(ref("B"), 2),
        QuantityRead(ref("FBA"), None, "fulfilled by Amazon"),
        QuantityRead(ref("A", "AMAZON_NA"), None, "not DEFAULT, the merchant's fulfilment channel"),
    )
    assert amazon.params("searchListingsItems") == [
        {
            "marketplaceIds": HOME,
            "identifiers": "A,GONE,B,FBA",
            "identifiersType": "SKU",
            "includedData": "fulfillmentAvailability",
            "pageSize": "20",
        }
    ]


async def test_a_sku_that_the_search_misses_is_asked_for_alone_before_it_counts_as_absent(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    def alone(request: httpx.Request) -> httpx.Response:
        sku = request.url.path.rsplit("/", 1)[1]
        return refused(404, "NOT_FOUND") if sku == "GONE" else ok(a_listing(sku, 4))

    amazon.script("searchListingsItems", ok(a_page(a_listing("A", 1))))
    amazon.script("getListingsItem", alone)

    reads = await channel.read_quantities([ref("A"), ref("MISSED"), ref("GONE")])

    assert [(read.quantity, read.problem) for read in reads] == [(1, None), (4, None), (None, "no such listing")]
    assert [request.url.path.rsplit("/", 1)[1] for request in amazon.sent("getListingsItem")] == ["MISSED", "GONE"]


@pytest.mark.parametrize("poison", [{}, {"sku": 7}])
async def test_a_listing_that_cannot_be_read_stops_no_other(
    channel: AmazonChannel, amazon: ScriptedAmazon, poison: dict[str, object]
) -> None:
    amazon.script("searchListingsItems", ok(a_page(a_listing("A", 1), poison)))
    amazon.script("getListingsItem", ok(poison))

    good, bad = await channel.read_quantities([ref("A"), ref("B")])

    assert (good.quantity, bad.quantity, bad.problem) == (1, None, "an unreadable listing")


@pytest.mark.parametrize("sku", ["A,B", "50%,off", "a/b,c d", "ü,+&=?#"])
async def test_a_sku_with_a_comma_is_asked_for_alone_and_whole(
    channel: AmazonChannel, amazon: ScriptedAmazon, sku: str
) -> None:
    amazon.script("getListingsItem", ok(a_listing(sku, 4)))

    assert await channel.read_quantities([ref(sku)]) == (QuantityRead(ref(sku), 4),)

    (request,) = amazon.requests
    path = request.url.raw_path.split(b"?")[0].decode()
    assert path.count("/") == 5
    assert httpx.URL(f"https://x.example{path}").path == f"/listings/2021-08-01/items/{SELLER}/{sku}"


@pytest.mark.parametrize("sku", ["a/b", "50%off", "50%2Foff", "a b", "+&=?#", "ü"])
async def test_a_sku_survives_its_way_into_a_search(channel: AmazonChannel, amazon: ScriptedAmazon, sku: str) -> None:
    amazon.script("searchListingsItems", ok(a_page(a_listing(sku, 4))))

    assert await channel.read_quantities([ref(sku)]) == (QuantityRead(ref(sku), 4),)
    assert amazon.params("searchListingsItems")[0]["identifiers"] == sku


async def test_a_poison_sku_stops_no_other(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    def alone(request: httpx.Request) -> httpx.Response:
        sku = request.url.path.rsplit("/", 1)[1]
        if sku == "GOOD":
            return ok(a_listing("GOOD", 4))
        return refused(404, "NOT_FOUND") if sku == "GONE" else refused(400, "BAD_REQUEST", "Invalid input")

    amazon.script("searchListingsItems", refused(400, "BAD_REQUEST"))
    amazon.script("getListingsItem", alone)

    bad, good, gone = await channel.read_quantities([ref("BAD"), ref("GOOD"), ref("GONE")])

    assert (bad.quantity, good.quantity, gone.quantity) == (None, 4, None)
    assert bad.problem is not None
    assert "Invalid input" in bad.problem
    assert gone.problem == "no such listing"


async def test_a_listing_that_another_name_answers_for_is_not_believed(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("getListingsItem", ok(a_listing("OTHER", 4)))

    assert await channel.read_quantities([ref("A,B")]) == (QuantityRead(ref("A,B"), None, "no such listing"),)


async def test_nothing_is_asked_for_nothing(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    assert await channel.read_quantities([]) == ()
    assert (await channel.read_quantities([ref("")]))[0].problem == "no such listing"
    assert amazon.requests == []


async def test_a_read_has_a_limit(channel: AmazonChannel) -> None:
    with pytest.raises(ValueError, match="at most 20"):
        await channel.read_quantities([ref(str(number)) for number in range(21)])


@pytest.mark.parametrize(("answer", "kind"), [(refused(403), AuthExpired), (refused(503), Transient)])
async def test_an_outage_is_no_missing_listing(
    channel: AmazonChannel, amazon: ScriptedAmazon, answer: Any, kind: type[Exception]
) -> None:
    amazon.script("searchListingsItems", answer)

    with pytest.raises(kind):
        await channel.read_quantities([ref("A")])

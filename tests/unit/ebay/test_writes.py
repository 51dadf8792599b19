"""A batched write: item and offer together, and each row's own fate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import (
    AdapterError,
    ListingRef,
    OutcomeUnknown,
    QuantityWrite,
    Rejected,
    RowOutcome,
    RowResult,
    Transient,
)
from adapters.ebay import EbayChannel
from adapters.ebay.writes import compose
from tests.unit.ebay.conftest import settings
from tests.unit.ebay.doubles import (
    BULK_ITEMS,
    OFFERS,
    UPDATE,
    Answer,
    Json,
    ScriptedEbay,
    an_item,
    an_offer,
    bulk_items,
    error,
    offers_by_sku,
    ok,
    refused,
)
from tests.unit.shopify.doubles import FakeClock, SeededRng

BUSY = error(25025, "Concurrent access of the same object")
BROKEN = error(25001, "A system error has occurred")
NO_SKU = error(25702, "SKU not available", sku="S0")
NO_OFFER = error(25713, "This Offer is not available")


def rows(count: int) -> list[QuantityWrite]:
    return [QuantityWrite(ListingRef(f"S{number}", "EBAY_US"), number + 5, number) for number in range(count)]


def row(sku: str, *errors: Json, offer: str | None = None, status: Any = 200) -> Json:
    answered: Json = {"sku": sku, "statusCode": status, "errors": list(errors), "warnings": []}
    return answered | ({"offerId": offer} if offer else {})


def item_row(number: int, *errors: Json, status: Any = 200) -> Json:
    return row(f"S{number}", *errors, status=status)


def offer_row(number: int, *errors: Json, status: Any = 200) -> Json:
    return row(f"S{number}", *errors, offer=f"offer-S{number}", status=status)


def script(ebay: ScriptedEbay, *answers: Answer, on_sale: int = 25) -> None:
    ebay.script("GET", OFFERS, offers_by_sku({f"S{number}": [an_offer(f"S{number}")] for number in range(on_sale)}))
    ebay.script("POST", UPDATE, *answers)


def answered(*responses: Any, status: int = 200) -> httpx.Response:
    return ok({"responses": list(responses)}, status)


async def sent(channel: EbayChannel, count: int) -> tuple[RowResult, ...]:
    return await channel.send_write("key-1", channel.compose_write("p1", rows(count)))


def outcomes(results: tuple[RowResult, ...]) -> str:
    """One letter a row: applied, unknown, rejected, not written."""
    return "".join(result.outcome.value[0] for result in results)


def test_a_body_is_canonical_and_names_no_offer() -> None:
    body = compose(rows(2))

    assert body == (
        '{"rows":[{"marketplace":"EBAY_US","quantity":5,"sku":"S0"},{"marketplace":"EBAY_US","quantity":6,"sku":"S1"}]}'
    )
    assert body == compose(rows(2))


@pytest.mark.parametrize("count", [0, 26])
def test_a_body_has_1_to_25_rows(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 25"):
        compose(rows(count))


async def test_item_and_offer_are_written_together(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, answered(item_row(0), offer_row(0), item_row(1), offer_row(1)))

    assert outcomes(await sent(channel, 2)) == "aa"

    assert ebay.bodies(UPDATE) == [
        {
            "requests": [
                {
                    "sku": f"S{number}",
                    "shipToLocationAvailability": {"quantity": number + 5},
                    "offers": [{"offerId": f"offer-S{number}", "availableQuantity": number + 5}],
                }
                for number in range(2)
            ]
        }
    ]


async def test_offers_are_asked_for_once_and_known_from_a_read(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, answered(offer_row(0), offer_row(1)))
    ebay.script("POST", BULK_ITEMS, bulk_items({"S0": an_item("S0")}))

    await channel.read_quantities([rows(1)[0].ref])
    assert outcomes(await sent(channel, 2)) == "aa"
    assert outcomes(await sent(channel, 2)) == "aa"

    assert [request.url.params["sku"] for request in ebay.to("GET", OFFERS)] == ["S0", "S1"]


@pytest.mark.parametrize(
    ("responses", "expected"),
    [
        ([offer_row(0)], "a"),  # one row for both
        ([item_row(0), offer_row(0)], "a"),
        ([offer_row(0), item_row(0)], "a"),
        ([{**offer_row(0), "sku": None}, item_row(0)], "a"),
        ([item_row(0, status=201), offer_row(0, status=204)], "a"),
        # one part was written and the other is worth trying again: only a read can tell
        ([item_row(0), offer_row(0, BUSY, status=500)], "u"),
        ([item_row(0), offer_row(0, BROKEN, status=500)], "u"),
        ([item_row(0, BUSY, status=500), offer_row(0)], "u"),
        ([item_row(0), offer_row(0, NO_OFFER, status=404)], "u"),
        # no part was written
        ([item_row(0, BUSY, status=500), offer_row(0, BUSY, status=500)], "n"),
        ([offer_row(0, BUSY, status=500)], "n"),
        ([offer_row(0, error(2001), status=429)], "n"),
        # a system error anywhere: who knows how far it came
        ([offer_row(0, BROKEN, status=500)], "u"),
        ([offer_row(0, BROKEN, status=400)], "u"),
        ([offer_row(0, BROKEN, status=429)], "u"),
        ([offer_row(0, BUSY, BROKEN, status=500)], "u"),
        ([item_row(0, BROKEN, status=500), offer_row(0, BUSY, status=500)], "u"),
        ([item_row(0, BUSY, status=500), offer_row(0, BROKEN, status=500)], "u"),
        ([item_row(0, BROKEN, status=500), offer_row(0, BROKEN, status=500)], "u"),
        ([item_row(0, NO_SKU, status=400), offer_row(0, BROKEN, status=500)], "u"),
        ([item_row(0, BROKEN, status=500), offer_row(0, error(25759), status=400)], "u"),
        # never
        ([item_row(0, NO_SKU, status=400)], "r"),
        ([item_row(0, NO_SKU, status=400), offer_row(0, BUSY, status=500)], "r"),
        ([item_row(0), offer_row(0, error(25759), status=400)], "r"),
        ([offer_row(0, error(25097), status=400)], "r"),
        ([offer_row(0, error(99999, "brand new"), status=409)], "r"),
        ([offer_row(0, status=404)], "r"),
        # no trustworthy answer
        ([], "u"),
        ([item_row(0)], "u"),
        ([offer_row(0, status=None)], "u"),
        ([offer_row(0, status="200")], "u"),
        ([offer_row(0, status=500)], "u"),
        ([offer_row(0, NO_SKU)], "u"),  # 200, and an error
        (["odd", None, {"offerId": 7}], "u"),
        ([offer_row(9)], "u"),
        ([offer_row(0), offer_row(0, BROKEN, status=500)], "u"),
    ],
)
@pytest.mark.parametrize("status", [200, 207])
async def test_every_row_is_read_whatever_the_call_says(
    channel: EbayChannel, ebay: ScriptedEbay, responses: list[Any], expected: str, status: int
) -> None:
    script(ebay, answered(*responses, offer_row(1), status=status))

    results = await sent(channel, 2)

    assert outcomes(results) == expected + "a"
    assert [result.ref for result in results] == [write.ref for write in rows(2)]


async def test_a_rejected_row_keeps_field_and_reason(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, answered(item_row(0, NO_SKU, status=400), item_row(1), offer_row(1, error(25759), status=400)))

    first, second = await sent(channel, 2)

    assert first == RowResult(rows(1)[0].ref, RowOutcome.REJECTED, "sku", "25702 SKU not available")
    assert (second.field, second.reason) == ("offer", "25759 told")


async def test_a_stale_offer_is_read_anew_before_it_is_given_up(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    unknown = answered(item_row(0, status=200), offer_row(0, NO_OFFER, status=404))
    script(ebay, answered(offer_row(0)), unknown, answered(row("S0", offer="offer-new")))
    assert outcomes(await sent(channel, 1)) == "a"

    assert outcomes(await sent(channel, 1)) == "u"
    ebay.script("GET", OFFERS, offers_by_sku({"S0": [an_offer("S0", offer_id="offer-new")]}))
    assert outcomes(await sent(channel, 1)) == "a"

    assert ebay.bodies(UPDATE)[-1]["requests"][0]["offers"][0]["offerId"] == "offer-new"


async def test_an_offer_that_a_fresh_read_names_and_ebay_never_knows_is_rejected(
    channel: EbayChannel, ebay: ScriptedEbay
) -> None:
    script(ebay, answered(item_row(0), offer_row(0, NO_OFFER, status=404)))

    assert [outcomes(await sent(channel, 1)) for _ in range(3)] == ["u", "r", "r"]


async def test_a_success_clears_the_doubt_about_an_offer(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    unknown = answered(item_row(0), offer_row(0, NO_OFFER, status=404))
    script(ebay, unknown, answered(offer_row(0)), unknown)

    assert [outcomes(await sent(channel, 1)) for _ in range(3)] == ["u", "a", "u"]


async def test_what_a_read_shows_to_be_off_sale_is_not_written(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, answered(offer_row(0)))
    ebay.script("POST", BULK_ITEMS, bulk_items({"S0": an_item("S0")}))
    assert outcomes(await sent(channel, 1)) == "a"

    ebay.script("GET", OFFERS, offers_by_sku({"S0": [an_offer("S0", listing_status="ENDED")]}))
    await channel.read_quantities([rows(1)[0].ref])

    assert outcomes(await sent(channel, 1)) == "r"


async def test_rows_that_cannot_be_sent_do_not_stop_the_others(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, answered(offer_row(0)), on_sale=1)
    elsewhere = QuantityWrite(ListingRef("S0", "EBAY_DE"), 1, 1)

    results = await channel.send_write("k", channel.compose_write("p", [*rows(2), elsewhere]))

    assert outcomes(results) == "arr"
    assert (results[1].field, results[1].reason) == ("offer", "no published fixed-price offer on this marketplace")
    assert results[2].field == "channel_location"
    assert len(ebay.bodies(UPDATE)[0]["requests"]) == 1


async def test_nothing_is_sent_where_no_row_can_be(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, answered(), on_sale=0)

    assert outcomes(await sent(channel, 2)) == "rr"
    assert ebay.to("POST", UPDATE) == []


@pytest.mark.parametrize(("count", "expected"), [(3, "nnn"), (1, "r")])
async def test_a_refusal_that_names_no_row_asks_for_halving(
    channel: EbayChannel, ebay: ScriptedEbay, count: int, expected: str
) -> None:
    script(ebay, refused(400, error(25709, "Invalid value for quantity")))

    results = await sent(channel, count)

    assert outcomes(results) == expected
    assert "25709" in (results[0].reason or "")


async def test_a_refusal_that_names_a_sku_spares_the_others(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, refused(400, error(25002, "User error", sku="S1")))

    assert outcomes(await sent(channel, 3)) == "nrn"


async def test_an_unknown_end_is_told_row_by_row_where_others_were_refused(
    channel: EbayChannel, ebay: ScriptedEbay
) -> None:
    script(ebay, httpx.ReadTimeout("slow"), on_sale=1)

    assert outcomes(await sent(channel, 2)) == "ur"


async def test_no_offer_read_means_nothing_was_written(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    script(ebay, answered())
    ebay.script("GET", OFFERS, refused(500, BROKEN))

    with pytest.raises(Transient):
        await sent(channel, 2)

    assert ebay.to("POST", UPDATE) == []


class Hanging(httpx.AsyncBaseTransport):
    """Answers at its leisure once a path is asked for."""

    def __init__(self, ebay: ScriptedEbay, path: str) -> None:
        self._ebay = ebay
        self._path = path

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == self._path:
            await asyncio.sleep(30)
        else:
            await asyncio.sleep(0.05)
        return await self._ebay.transport.handle_async_request(request)


@pytest.mark.parametrize(("path", "raised"), [(OFFERS, Transient), (UPDATE, OutcomeUnknown)])
async def test_the_whole_write_ends_in_time(ebay: ScriptedEbay, path: str, raised: type[AdapterError]) -> None:
    script(ebay, answered())
    channel = EbayChannel(settings(request_timeout_real_s=0.3), FakeClock(), SeededRng(), Hanging(ebay, path))
    started = asyncio.get_running_loop().time()

    with pytest.raises(raised):
        await sent(channel, 2)

    assert asyncio.get_running_loop().time() - started < 0.5
    await channel.close()


async def test_a_body_that_is_no_write_is_not_sent(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    for body in ("{}", "nonsense", '{"rows":[{"sku":"A"}]}'):
        with pytest.raises(Rejected):
            await channel.send_write("key", body)

    assert ebay.requests == []


_FIELDS = ["responses", "sku", "offerId", "statusCode", "errors", "errorId", "parameters", "name", "value"]
_json = st.recursive(
    st.none() | st.booleans() | st.sampled_from([200, 207, 400, 500, 25025, "S0", "offer-S0"]) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=5),
    max_leaves=14,
)


def _payload(build: Callable[[Any], Any]) -> st.SearchStrategy[Any]:
    return _json | st.lists(_json, max_size=4).map(build)


@given(_payload(lambda responses: {"responses": responses}), st.sampled_from([200, 207, 400, 500]))
async def test_no_answer_leaves_the_five_errors(payload: Any, status: int) -> None:
    ebay = ScriptedEbay()
    script(ebay, ok(payload, status))
    channel = EbayChannel(settings(), FakeClock(), SeededRng(), ebay.transport)

    try:
        results = await sent(channel, 2)
    except AdapterError:
        pass
    else:
        assert len(results) == 2
    finally:
        await channel.close()

"""One PATCH a row, and each row's fate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from adapters.amazon import AmazonChannel
from adapters.contract import AuthExpired, ListingRef, QuantityWrite, RateLimited, Rejected, RowResult, Transient
from tests.unit.amazon.builders import a_listing, a_page
from tests.unit.amazon.conftest import settings
from tests.unit.amazon.doubles import HOME, SELLER, FakeClock, Json, ScriptedAmazon, SeededRng, ok, refused, throttled


def row(sku: str, quantity: int = 5) -> QuantityWrite:
    return QuantityWrite(ListingRef(sku, "DEFAULT"), quantity, 7)


def sku_of(request: httpx.Request) -> str:
    return request.url.path.rsplit("/", 1)[1]


def submitted(request: httpx.Request, status: str = "ACCEPTED", issues: list[Json] | None = None) -> httpx.Response:
    return ok({"sku": sku_of(request), "status": status, "submissionId": "s1", "issues": issues or []})


def invalid(request: httpx.Request) -> httpx.Response:
    warning = {"code": "1", "message": "take note", "severity": "WARNING", "categories": []}
    error = {
        "code": "90000900",
        "message": "The attributes are invalid.",
        "severity": "ERROR",
        "attributeNames": ["quantity"],
        "categories": ["INVALID_ATTRIBUTE"],
    }
    return submitted(request, "INVALID", [warning, error])


async def write(channel: AmazonChannel, *skus: str) -> tuple[RowResult, ...]:
    return await channel.send_write("key-1", channel.compose_write("p1", [row(sku) for sku in skus]))


async def outcomes(channel: AmazonChannel, *skus: str) -> list[str]:
    results = await write(channel, *skus)
    assert [result.ref.channel_sku for result in results] == list(skus)
    return [result.outcome.value for result in results]


# --- the body ----------------------------------------------------------------------------------------------------


def test_the_same_rows_give_the_same_bytes(channel: AmazonChannel) -> None:
    body = channel.compose_write("p1", [row("A", 1), row("B", 2)])

    assert body == channel.compose_write("p1", [row("A", 1), row("B", 2)])
    assert msgspec.json.decode(body)["rows"] == [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 2}]


@pytest.mark.parametrize("count", [0, 21])
def test_a_write_has_one_to_twenty_rows(channel: AmazonChannel, count: int) -> None:
    with pytest.raises(ValueError, match="1 to 20"):
        channel.compose_write("p1", [row(str(number)) for number in range(count)])


def test_only_the_merchants_numbers_are_composed(channel: AmazonChannel) -> None:
    with pytest.raises(ValueError, match="DEFAULT"):
        channel.compose_write("p1", [QuantityWrite(ListingRef("A", "AMAZON_NA"), 1, 1)])


async def test_a_body_of_another_kind_is_rejected(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    with pytest.raises(Rejected, match="not a composed write"):
        await channel.send_write("key-1", '{"input":{}}')

    assert amazon.requests == []


# --- what is sent ------------------------------------------------------------------------------------------------


async def test_a_row_merges_the_quantity_alone(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("patchListingsItem", submitted)

    assert await outcomes(channel, "RED-CLOCK") == ["accepted"]

    (request,) = amazon.requests
    assert request.url.path == f"/listings/2021-08-01/items/{SELLER}/RED-CLOCK"
    assert dict(request.url.params) == {"marketplaceIds": HOME, "includedData": "issues"}
    assert amazon.bodies("patchListingsItem") == [
        {
            "productType": "PRODUCT",
            "patches": [
                {
                    "op": "merge",
                    "path": "/attributes/fulfillment_availability",
                    "value": [{"fulfillment_channel_code": "DEFAULT", "quantity": 5}],
                }
            ],
        }
    ]


@pytest.mark.parametrize("sku", ["a/b", "50%off", "50%2Foff", "a b", "+&=?#", "ü", "A,B"])
async def test_a_sku_survives_its_way_into_a_path(channel: AmazonChannel, amazon: ScriptedAmazon, sku: str) -> None:
    amazon.script("patchListingsItem", ok({"sku": sku, "status": "ACCEPTED", "submissionId": "s1"}))

    assert await outcomes(channel, sku) == ["accepted"]

    path = amazon.requests[0].url.raw_path.split(b"?")[0].decode()
    assert path.count("/") == 5
    assert httpx.URL(f"https://x.example{path}").path.endswith(f"/{sku}")


async def test_rows_go_one_after_the_other_and_keep_to_the_quota(
    channel: AmazonChannel, amazon: ScriptedAmazon, clock: FakeClock
) -> None:
    amazon.script("patchListingsItem", submitted)
    skus = [f"SKU-{number}" for number in range(20)]

    assert set(await outcomes(channel, *skus)) == {"accepted"}

    assert [sku_of(request) for request in amazon.requests] == skus
    assert sum(clock.slept) == pytest.approx((20 - 5) / 5, rel=0.05)


# --- each row's fate ---------------------------------------------------------------------------------------------


async def test_an_invalid_row_is_rejected_with_its_field_and_stops_no_other(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("patchListingsItem", invalid, submitted)

    bad, good = await write(channel, "A", "B")

    assert (bad.outcome, bad.field, bad.reason) == ("rejected", "quantity", "The attributes are invalid.")
    assert good.outcome == "accepted"


@pytest.mark.parametrize("status", [400, 404, 413, 415])
async def test_a_refused_row_is_rejected_and_stops_no_other(
    channel: AmazonChannel, amazon: ScriptedAmazon, status: int
) -> None:
    amazon.script("patchListingsItem", refused(status, "BAD_REQUEST", "Invalid input"), submitted)

    bad, good = await write(channel, "A", "B")

    assert (bad.outcome, bad.field) == ("rejected", "BAD_REQUEST")
    assert "Invalid input" in (bad.reason or "")
    assert good.outcome == "accepted"


UNTRUSTWORTHY = [
    ok({"sku": "A", "status": "VALID", "submissionId": "s1"}),
    ok({"sku": "A", "status": "BRAND_NEW", "submissionId": "s1"}),
    ok({"sku": "OTHER", "status": "ACCEPTED", "submissionId": "s1"}),
    ok({"sku": "A"}),
    httpx.Response(200, text="<html>"),
    httpx.Response(200),
    refused(500, "InternalFailure"),
    httpx.Response(503, text="<html>"),
    httpx.Response(504, json={"message": "Endpoint request timed out"}),
]


@pytest.mark.parametrize("answer", UNTRUSTWORTHY)
async def test_an_answer_that_cannot_be_trusted_leaves_that_row_unknown_and_is_not_repeated(
    channel: AmazonChannel, amazon: ScriptedAmazon, answer: httpx.Response
) -> None:
    amazon.script("patchListingsItem", answer, submitted)

    assert await outcomes(channel, "A", "B") == ["unknown", "accepted"]
    assert [sku_of(request) for request in amazon.requests] == ["A", "B"]


async def test_an_outage_ends_after_three_rows(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("patchListingsItem", submitted, refused(503))

    assert await outcomes(channel, "A", "B", "C", "D", "E") == ["accepted", *["unknown"] * 3, "not_written"]


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("x"), httpx.ReadError("x"), httpx.RemoteProtocolError("x")])
async def test_no_answer_at_all_leaves_that_row_unknown_and_stops(
    channel: AmazonChannel, amazon: ScriptedAmazon, lost: Exception
) -> None:
    amazon.script("patchListingsItem", submitted, lost, submitted)

    assert await outcomes(channel, "A", "B", "C", "D") == ["accepted", "unknown", "not_written", "not_written"]
    assert [sku_of(request) for request in amazon.requests] == ["A", "B"]


async def test_a_quota_that_does_not_refill_leaves_the_rest_unwritten(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("patchListingsItem", submitted, throttled())

    assert await outcomes(channel, "A", "B", "C") == ["accepted", "not_written", "not_written"]
    assert [sku_of(request) for request in amazon.requests] == ["A", "B", "B", "B", "B"]
    assert channel.throttled == 4


async def test_a_throttled_row_is_sent_again_a_token_later(
    channel: AmazonChannel, amazon: ScriptedAmazon, clock: FakeClock
) -> None:
    amazon.script("patchListingsItem", throttled(), submitted)

    assert await outcomes(channel, "A") == ["accepted"]
    assert sum(clock.slept) >= 0.2


async def test_throttled_from_the_first_row_nothing_is_written_and_the_caller_is_told_to_wait(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("patchListingsItem", throttled())

    with pytest.raises(RateLimited) as caught:
        await write(channel, "A", "B")

    assert caught.value.retry_after_s >= 0.2
    assert {sku_of(request) for request in amazon.requests} == {"A"}


@pytest.mark.parametrize(("answer", "kind"), [(refused(403), AuthExpired), (httpx.ConnectError("x"), Transient)])
async def test_what_stops_the_first_row_is_raised_for_nothing_was_sent(
    channel: AmazonChannel, amazon: ScriptedAmazon, answer: httpx.Response | Exception, kind: type[Exception]
) -> None:
    amazon.script("patchListingsItem", answer)

    with pytest.raises(kind):
        await write(channel, "A", "B")


@pytest.mark.parametrize("answer", [refused(403), httpx.ConnectError("x")])
async def test_what_stops_a_later_row_leaves_the_rest_unwritten(
    channel: AmazonChannel, amazon: ScriptedAmazon, answer: httpx.Response | Exception
) -> None:
    amazon.script("patchListingsItem", submitted, answer)

    assert await outcomes(channel, "A", "B", "C") == ["accepted", "not_written", "not_written"]


async def test_a_token_that_died_in_between_is_replaced_and_the_row_written_once(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("patchListingsItem", submitted, refused(403), submitted)

    assert await outcomes(channel, "A", "B") == ["accepted", "accepted"]
    assert len(amazon.token_requests) == 2


# --- what Amazon fulfils -----------------------------------------------------------------------------------------


async def test_a_sku_seen_at_fba_is_never_given_a_merchants_number(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("patchListingsItem", submitted)
    amazon.script("searchListingsItems", ok(a_page(a_listing("FBA", None, "AMAZON_NA"), a_listing("MFN"))))

    await channel.read_quantities([ListingRef("FBA", "DEFAULT"), ListingRef("MFN", "DEFAULT")])
    fba, mfn = await write(channel, "FBA", "MFN")

    assert (fba.outcome, fba.reason) == ("rejected", "fulfilled by Amazon")
    assert mfn.outcome == "accepted"
    assert [sku_of(request) for request in amazon.sent("patchListingsItem")] == ["MFN"]


@pytest.mark.parametrize("code", ["AMAZON_NA", "AMAZON_EU"])
async def test_a_sku_that_amazon_and_the_merchant_both_show_is_never_written(
    channel: AmazonChannel, amazon: ScriptedAmazon, code: str
) -> None:
    both = [{"fulfillmentChannelCode": "DEFAULT", "quantity": 3}, {"fulfillmentChannelCode": code}]
    amazon.script("patchListingsItem", submitted)
    amazon.script("searchListingsItems", ok(a_page(a_listing("A", fulfillmentAvailability=both))))

    (read,) = await channel.read_quantities([ListingRef("A", "DEFAULT")])
    (written,) = await write(channel, "A")

    assert (read.quantity, read.problem) == (None, "fulfilled by Amazon")
    assert (written.outcome, written.reason) == ("rejected", "fulfilled by Amazon")
    assert amazon.sent("patchListingsItem") == []


async def test_a_sku_that_came_back_from_fba_is_written_again(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("patchListingsItem", submitted)
    amazon.script("searchListingsItems", ok(a_page(a_listing("A", None, "AMAZON_NA"))), ok(a_page(a_listing("A"))))

    await channel.read_quantities([ListingRef("A", "DEFAULT")])
    assert await outcomes(channel, "A") == ["rejected"]
    await channel.read_quantities([ListingRef("A", "DEFAULT")])
    assert await outcomes(channel, "A") == ["accepted"]


# --- real time ---------------------------------------------------------------------------------------------------


class HangingAmazon(ScriptedAmazon):
    """Answers the first row and leaves the second without an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.transport = httpx.MockTransport(self._hang)

    async def _hang(self, request: httpx.Request) -> httpx.Response:
        answer = await self._answer(request)
        if request.method == "PATCH" and sku_of(request) == "B":
            await asyncio.sleep(30)
        return answer


class StandingClock(FakeClock):
    """A second of the seller's takes as long as a real one."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await super().sleep(seconds)


@pytest.fixture
async def hurried() -> AsyncIterator[AmazonChannel]:
    amazon = HangingAmazon()
    amazon.script("patchListingsItem", submitted)
    opened = AmazonChannel(settings(request_timeout_real_s=0.2), StandingClock(), SeededRng(), amazon.transport)
    yield opened
    await opened.close()


async def test_a_row_that_hangs_is_unknown_and_the_write_ends_in_time(hurried: AmazonChannel) -> None:
    async with asyncio.timeout(30.0):
        assert await outcomes(hurried, "A", "B", "C") == ["accepted", "unknown", "not_written"]


async def test_rows_that_still_wait_for_their_quota_when_time_is_over_are_unwritten(hurried: AmazonChannel) -> None:
    skus = [f"SKU-{number}" for number in range(12)]

    async with asyncio.timeout(30.0):
        found = await outcomes(hurried, *skus)

    written = found.count("accepted")
    assert 5 <= written <= 7
    assert found == ["accepted"] * written + ["not_written"] * (12 - written)

"""FBA's levels."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from adapters.amazon import AmazonStock
from adapters.contract import AdapterError, AuthExpired, RateLimited, Rejected, Transient
from adapters.warehouse import StockRow, StockSource
from tests.unit.amazon.builders import a_summary, summaries
from tests.unit.amazon.conftest import settings
from tests.unit.amazon.doubles import HOME, NOW, SELLER, FakeClock, ScriptedAmazon, SeededRng, ok, refused, throttled


@pytest.fixture
async def stock(amazon: ScriptedAmazon, clock: FakeClock) -> AsyncIterator[AmazonStock]:
    opened = AmazonStock(settings(), clock, SeededRng(), amazon.transport)
    as_protocol: StockSource = opened
    yield opened
    await as_protocol.close()


async def levels(stock: AmazonStock) -> list[StockRow]:
    return [row async for page in stock.read_stock() for row in page.rows]


async def test_only_what_can_be_shipped_at_once_is_free(stock: AmazonStock, amazon: ScriptedAmazon) -> None:
    amazon.script("getInventorySummaries", ok(summaries(a_summary("RED-CLOCK", 5, 1), a_summary("GONE", 0, 0))))

    assert await levels(stock) == [StockRow("RED-CLOCK", 5, 1), StockRow("GONE", 0, 0)]
    assert amazon.params("getInventorySummaries") == [
        {"details": "true", "granularityType": "Marketplace", "granularityId": HOME, "marketplaceIds": HOME}
    ]


async def test_levels_count_as_a_minute_older_than_the_sweep(stock: AmazonStock, amazon: ScriptedAmazon) -> None:
    amazon.script(
        "getInventorySummaries", ok(summaries(a_summary("A"), token="t1")), ok(summaries(a_summary("B"), token=None))
    )

    pages = [page async for page in stock.read_stock()]

    assert [page.as_of for page in pages] == [NOW - timedelta(seconds=60)] * 2


async def test_pages_are_read_back_to_back_within_a_tokens_life(
    stock: AmazonStock, amazon: ScriptedAmazon, clock: FakeClock
) -> None:
    pages = [ok(summaries(a_summary(f"SKU-{n}"), token=f"t{n}")) for n in range(6)]
    amazon.script("getInventorySummaries", *pages, ok(summaries(a_summary("LAST"))))

    assert len(await levels(stock)) == 7

    assert [params.get("nextToken") for params in amazon.params("getInventorySummaries")] == [
        None, "t0", "t1", "t2", "t3", "t4", "t5",
    ]  # fmt: skip
    assert max(clock.slept) < 1.0


async def test_an_account_without_fba_is_told_what_to_do(stock: AmazonStock, amazon: ScriptedAmazon) -> None:
    amazon.script("getInventorySummaries", refused(400, "InvalidInput", "This account has no FBA inventory."))

    with pytest.raises(Rejected, match=r"no FBA inventory.*take the FBA warehouse out") as told:
        await levels(stock)

    assert told.value.field == "fba"


async def test_a_token_that_died_means_begin_again(stock: AmazonStock, amazon: ScriptedAmazon) -> None:
    amazon.script("getInventorySummaries", ok(summaries(a_summary(), token="t1")), refused(400))

    with pytest.raises(Transient, match="begin again"):
        await levels(stock)


async def test_a_token_that_comes_again_ends_the_sweep_as_incomplete(
    stock: AmazonStock, amazon: ScriptedAmazon
) -> None:
    amazon.script("getInventorySummaries", ok(summaries(a_summary(), token="t1")))

    with pytest.raises(Transient, match="does not advance"):
        await levels(stock)


@pytest.mark.parametrize(
    "summary",
    [
        a_summary(inventoryDetails=None),
        a_summary(inventoryDetails={}),
        a_summary(inventoryDetails="many"),
        a_summary(free=None),
        a_summary(free=-3),
        a_summary(free="5"),
        a_summary(free=True),
        a_summary(unfulfillable="some"),
    ],
)
async def test_a_level_that_cannot_be_believed_is_told_and_stops_no_other(
    stock: AmazonStock, amazon: ScriptedAmazon, summary: object
) -> None:
    amazon.script("getInventorySummaries", ok(summaries(summary, a_summary("GOOD"))))

    bad, good = await levels(stock)

    assert (bad.warehouse_sku, bad.free) == ("RED-CLOCK", 0)
    assert bad.problem is not None
    assert good == StockRow("GOOD", 5, 1)


@pytest.mark.parametrize("poison", [None, 7, [], {}, {"sellerSku": None}, {"sellerSku": " "}])
async def test_a_level_of_nothing_stops_no_other(stock: AmazonStock, amazon: ScriptedAmazon, poison: object) -> None:
    amazon.script("getInventorySummaries", ok(summaries(poison, a_summary("GOOD"))))

    assert [row.warehouse_sku for row in await levels(stock)] == ["GOOD"]


async def test_a_sku_that_is_named_twice_is_told(stock: AmazonStock, amazon: ScriptedAmazon) -> None:
    amazon.script("getInventorySummaries", ok(summaries(a_summary(free=5), token="t1")), ok(summaries(a_summary())))

    first, second = await levels(stock)

    assert (first.free, first.problem) == (5, None)
    assert second.problem == "named twice"


async def test_what_no_page_names_is_unknown_and_not_zero(stock: AmazonStock, amazon: ScriptedAmazon) -> None:
    amazon.script("getInventorySummaries", ok(summaries()))

    assert await levels(stock) == []


REFUSALS: list[tuple[httpx.Response | Exception, type[AdapterError]]] = [
    (refused(403), AuthExpired),
    (throttled(), RateLimited),
    (refused(500), Transient),
    (httpx.Response(503, text="<html>"), Transient),
    (httpx.Response(200, text="<html>"), Transient),
    (ok({"errors": [{"code": "InternalFailure"}]}), Transient),
    (httpx.ReadTimeout("x"), Transient),
]


@pytest.mark.parametrize(("answer", "kind"), REFUSALS)
async def test_every_refusal_is_one_of_the_five(
    stock: AmazonStock, amazon: ScriptedAmazon, answer: httpx.Response | Exception, kind: type[AdapterError]
) -> None:
    amazon.script("getInventorySummaries", answer)

    with pytest.raises(kind):
        await levels(stock)


async def test_the_account_is_known_by_its_seller_id(stock: AmazonStock, amazon: ScriptedAmazon) -> None:
    amazon.script("getInventorySummaries", ok(summaries()))

    assert (await stock.identify()).name == SELLER
    assert (stock.throttled, stock.traits.poll_every_s, stock.traits.settle_s) == (0, 180.0, 60.0)

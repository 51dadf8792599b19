"""What a warehouse has: all of it, as of an instant that is not too late, and nothing where it does not say."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from adapters.contract import AuthExpired, Transient
from tests.contract.suite.conftest import OpensWarehouse
from tests.contract.suite.rigs import warehouse_rig


async def test_every_level_is_read_once(opens_stock: OpensWarehouse, request: pytest.FixtureRequest) -> None:
    count = warehouse_rig(request.node.callspec.params["opens_stock"]).levels_a_page + 7
    stock = {f"CLOCK-{number:04}": number for number in range(count)}
    rig = await opens_stock(stock)
    started_at = rig.now

    pages = [page async for page in rig.source.read_stock()]

    rows = [row for page in pages for row in page.rows]
    assert len(pages) > 1
    assert len(rows) == count
    assert {row.warehouse_sku: row.free for row in rows} == stock
    assert {row.problem for row in rows} == {None}
    assert all(page.as_of <= started_at and page.as_of.utcoffset() == timedelta(0) for page in pages)


async def test_what_is_not_there_is_absent_and_what_has_run_out_is_zero(opens_stock: OpensWarehouse) -> None:
    rig = await opens_stock()

    free = await rig.free()

    assert free == {"RED": 10, "BLUE": 5, "GREEN": 0}


async def test_a_number_typed_in_shows(opens_stock: OpensWarehouse) -> None:
    rig = await opens_stock()
    await rig.types("RED", 3)
    await rig.passes(120)

    assert (await rig.free())["RED"] == 3


async def test_an_outage_is_waited_out_on_the_sellers_clock(opens_stock: OpensWarehouse) -> None:
    rig = await opens_stock()
    await rig.free()
    before = rig.now
    await rig.is_down(0.1)

    assert (await rig.free())["RED"] == 10
    assert rig.now > before


async def test_an_outage_that_lasts_is_transient(opens_stock: OpensWarehouse) -> None:
    rig = await opens_stock()
    await rig.is_down(86_400)

    with pytest.raises(Transient):
        await rig.free()

    await rig.is_down(0)
    assert (await rig.free())["RED"] == 10


@pytest.mark.parametrize("fault", ["server_error", "unavailable", "lost_reply"])
async def test_a_read_that_failed_once_is_repeated(opens_stock: OpensWarehouse, fault: str) -> None:
    rig = await opens_stock()
    await rig.meets(fault, rig.stock_operation)

    assert (await rig.free())["RED"] == 10
    assert (await rig.counter.get("stats"))["faults"] == {fault: 1}


async def test_who_is_told_to_wait_waits_and_is_counted(opens_stock: OpensWarehouse) -> None:
    rig = await opens_stock()
    await rig.meets("rate_limit", rig.stock_operation)
    before = rig.now

    assert (await rig.free())["RED"] == 10
    assert rig.now > before
    assert rig.source.throttled >= 1


async def test_credentials_that_are_refused_are_a_persons_work(opens_stock: OpensWarehouse) -> None:
    rig = await opens_stock()
    rig.refuse_tokens(refused=True)

    with pytest.raises(AuthExpired):
        await rig.free()

    rig.refuse_tokens(refused=False)
    assert (await rig.free())["RED"] == 10


async def test_nobody_listening_is_transient(opens_stock: OpensWarehouse) -> None:
    rig = await opens_stock()

    async def unplug(request: httpx.Request) -> None:
        raise httpx.ConnectError("unplugged")

    rig.recorder.before = unplug
    with pytest.raises(Transient):
        await rig.free()
    rig.recorder.before = None
    assert (await rig.free())["RED"] == 10


async def test_a_sweep_is_all_or_an_error(opens_stock: OpensWarehouse, request: pytest.FixtureRequest) -> None:
    count = warehouse_rig(request.node.callspec.params["opens_stock"]).levels_a_page + 7
    rig = await opens_stock({f"CLOCK-{number:04}": 1 for number in range(count)})
    pages = rig.source.read_stock()
    assert (await anext(pages)).rows
    await rig.is_down(86_400)

    with pytest.raises(Transient):
        await anext(pages)


async def test_identify_names_the_account_and_misses_nothing(opens_stock: OpensWarehouse) -> None:
    rig = await opens_stock()

    identity = await rig.source.identify()

    assert identity.name
    assert identity.missing_scopes == ()

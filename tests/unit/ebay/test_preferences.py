"""Out-of-stock control, as the sandbox tells of it by eBay's own document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import httpx
import pytest
from aiohttp.test_utils import TestServer

from adapters.ebay import EbayChannel
from adapters.ebay.sandbox import EbaySandbox, FaultMix, SellerSeed
from adapters.ebay.sandbox.seed import ACCOUNT_READ_SCOPE, ALL_SCOPES
from tests.support.specs.ebay import ebay
from tests.support.specs.exchange import Recorder
from tests.support.specs.shelf import at_hand
from tests.unit.ebay.conftest import settings
from tests.unit.ebay.doubles import PREFERENCES
from tests.unit.shopify.doubles import FakeClock, SeededRng

SEED = SellerSeed(faults=FaultMix.none())


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    """Everything that goes over the wire; eBay's documents judge it afterwards."""
    recorder = Recorder()
    yield recorder
    if at_hand("ebay/sell_account_v2_oas3.json"):
        assert ebay().violations(recorder.exchanges) == []


async def opened(stack: AsyncExitStack, seed: SellerSeed, recorder: Recorder) -> EbayChannel:
    server = TestServer(EbaySandbox(seed, FakeClock(), SeededRng()).app)
    await server.start_server()
    stack.push_async_callback(server.close)
    given = settings(
        base_url=str(server.make_url("/")).rstrip("/"),
        client_id=seed.client_id,
        client_secret=seed.client_secret,
        refresh_token=seed.refresh_token,
    )
    channel = EbayChannel(given, FakeClock(), SeededRng(), recorder)
    stack.push_async_callback(channel.close)
    return channel


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        ({"out_of_stock_control": False}, ["out-of-stock control is off"]),
        ({"scopes": tuple(set(ALL_SCOPES) - {ACCOUNT_READ_SCOPE})}, ["could not be checked"]),
    ],
)
async def test_a_check_tells_what_the_account_says(
    recorder: Recorder, changes: dict[str, Any], told: list[str]
) -> None:
    async with AsyncExitStack() as stack:
        channel = await opened(stack, replace(SEED, **changes), recorder)

        identity = await channel.identify()

    assert len(identity.warnings) == len(told)
    assert all(part in warning for part, warning in zip(told, identity.warnings, strict=True))
    assert identity.missing_scopes == ()


@pytest.mark.parametrize(
    ("groups", "status", "fields"),
    [
        (
            {},
            200,
            {
                "outOfStockControlPreference": True,
                "purchaseReminderEmailPreferences": True,
                "requiredShipPhoneNumberPreference": False,
            },
        ),
        ({"fieldgroups": "OUT_OF_STOCK_CONTROL"}, 200, {"outOfStockControlPreference": True}),
        ({"fieldgroups": "OUT_OF_STOCK"}, 400, None),
    ],
)
async def test_the_sandbox_gives_the_groups_that_are_asked_for(
    recorder: Recorder, groups: dict[str, str], status: int, fields: dict[str, bool] | None
) -> None:
    async with AsyncExitStack() as stack:
        channel = await opened(stack, SEED, recorder)
        token = await channel._rest._seller.get()
        base = channel._settings.base_url
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=base, transport=recorder))
        headers = {"Authorization": f"Bearer {token}", "X-EBAY-C-MARKETPLACE-ID": "EBAY_US"}

        answer = await http.get(PREFERENCES, params=groups, headers=headers)

    assert answer.status_code == status
    if fields is not None:
        assert answer.json() == fields
    else:
        assert answer.json()["errors"][0]["errorId"] == 396502

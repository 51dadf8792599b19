from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.amazon import AmazonChannel, AmazonSettings
from adapters.contract import Channel
from tests.unit.amazon.doubles import BASE_URL, HOME, SELLER, TOKEN_URL, FakeClock, ScriptedAmazon, SeededRng


def settings(**changes: object) -> AmazonSettings:
    given: dict[str, object] = {
        "base_url": BASE_URL,
        "token_url": TOKEN_URL,
        "seller_id": SELLER,
        "marketplace_ids": (HOME, "A2EUQ1WTGCTBG2"),
        "client_id": "client-1",
        "client_secret": "hush",
        "refresh_token": "Atzr|hush",
    }
    return AmazonSettings(**{**given, **changes})  # type: ignore[arg-type] # a builder of one frozen value


@pytest.fixture
def amazon() -> ScriptedAmazon:
    return ScriptedAmazon()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def channel(amazon: ScriptedAmazon, clock: FakeClock) -> AsyncIterator[AmazonChannel]:
    opened = AmazonChannel(settings(), clock, SeededRng(), amazon.transport)
    as_protocol: Channel = opened
    yield opened
    await as_protocol.close()

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.contract import Channel
from adapters.ebay import EbayChannel, EbaySettings
from tests.unit.ebay.doubles import BASE_URL, ScriptedEbay
from tests.unit.shopify.doubles import FakeClock, SeededRng

VERIFICATION_TOKEN = "verify-0123456789-0123456789-0123456789"


def settings(**changes: object) -> EbaySettings:
    given: dict[str, object] = {
        "base_url": BASE_URL,
        "client_id": "client-1",
        "client_secret": "hush",
        "refresh_token": "v^1.1#refresh",
        "marketplace_id": "EBAY_US",
        "verification_token": VERIFICATION_TOKEN,
    }
    return EbaySettings(**{**given, **changes})  # type: ignore[arg-type] # a builder of one frozen value


@pytest.fixture
def ebay() -> ScriptedEbay:
    return ScriptedEbay()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def channel(ebay: ScriptedEbay, clock: FakeClock) -> AsyncIterator[EbayChannel]:
    opened = EbayChannel(settings(), clock, SeededRng(), ebay.transport)
    as_protocol: Channel = opened
    yield opened
    await as_protocol.close()

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.shipbob import ShipbobWarehouse
from adapters.warehouse import Fulfiller
from tests.unit.shipbob.doubles import ScriptedAccount, settings
from tests.unit.shopify.doubles import FakeClock, SeededRng


@pytest.fixture
def account() -> ScriptedAccount:
    return ScriptedAccount()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def warehouse(account: ScriptedAccount, clock: FakeClock) -> AsyncIterator[ShipbobWarehouse]:
    opened = ShipbobWarehouse(settings(), clock, SeededRng(), account.transport)
    as_protocol: Fulfiller = opened
    yield opened
    await as_protocol.close()

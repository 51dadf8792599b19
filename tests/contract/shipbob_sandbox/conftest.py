from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.shipbob_sandbox.kit import Account, Opened


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Opens sandboxes of a test's own making."""
    opened = Opened()
    yield opened
    await opened.close()


@pytest.fixture
async def account(opened: Opened) -> Account:
    """A calm account: 10 of RED, 5 of BLUE."""
    return await opened.account()

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.amazon_sandbox.kit import Account, Opened


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Opens sandboxes of a test's own making."""
    opened = Opened()
    yield opened
    await opened.close()


@pytest.fixture
async def account(opened: Opened) -> Account:
    """A calm seller: 10 of RED-CLOCK, 5 of BLUE-CLOCK and 8 of it at FBA, 4 of FBA-CLOCK only at FBA."""
    return await opened.account()

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.ebay_sandbox.kit import App, Opened


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Opens sandboxes of a test's own making; every answer is judged by the vendor's documents afterwards."""
    opened = Opened()
    yield opened
    await opened.close()
    assert opened.wrongs() == []


@pytest.fixture
async def app(opened: Opened) -> App:
    """An app in a calm account: 10 of RED-CLOCK, 5 of BLUE-CLOCK."""
    return await opened.app()

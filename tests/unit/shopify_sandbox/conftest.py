from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.shopify_sandbox.kit import App, Opened


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Opens sandboxes of a test's own making."""
    opened = Opened()
    yield opened
    await opened.close()


@pytest.fixture
async def app(opened: Opened) -> App:
    """An app installed in a calm shop: 10 of RED-CLOCK, 5 of BLUE-CLOCK."""
    return await opened.app()

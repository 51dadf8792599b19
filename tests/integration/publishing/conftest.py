"""A seller with two shops, for every test of the real publisher against real sandboxes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from syncd.db.database import Database
from syncd.reconcile.audit import audit
from tests.support.shop import Seller, Shop, a_seller_with_shops


@pytest.fixture
async def seller(db: Database) -> AsyncIterator[Seller]:
    """Ten red clocks in hamburg, on sale in the shops alpha and beta, live and at rest."""
    async with a_seller_with_shops(db) as opened:
        yield opened
        assert audit(db).violations == ()


@pytest.fixture
def alpha(seller: Seller) -> Shop:
    return seller.shops["alpha"]


@pytest.fixture
def beta(seller: Seller) -> Shop:
    return seller.shops["beta"]

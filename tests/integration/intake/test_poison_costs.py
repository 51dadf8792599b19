"""What one poison order among a full batch costs the others: a handful of transactions, wherever it stands."""

from __future__ import annotations

from math import log2

import pytest

from syncd.orders.batch_size import MOST
from tests.integration.intake.desk import Desk, order_news
from tests.integration.intake.test_taking_in import poison


@pytest.mark.parametrize("place", [0, 1, 137, MOST - 1])
async def test_one_poison_order_of_a_full_batch_costs_two_transactions_a_halving(desk: Desk, place: int) -> None:
    await desk.hears(*(poison() if n == place else order_news(str(n)) for n in range(MOST)))
    desk.db.calls.clear()

    assert await desk.intake.drain() == MOST

    assert desk.states() == ["parked" if n == place else "applied" for n in range(MOST)]
    extra = desk.db.calls.count("apply_batch") - 1
    assert extra <= 2 * log2(MOST)
    assert desk.db.calls.count("park_row") == 1
    assert len(desk.db.calls) == 1 + extra + 1, "nothing else was written for it"

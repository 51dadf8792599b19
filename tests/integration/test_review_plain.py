"""What a review of the plain-set side found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import ListingRef, RowOutcome, RowResult
from tests.integration.test_plain_set import Seller, a_seller, begins
from tests.support.plain_market import HERE, INDEX_LAG_S, STALENESS_S


@pytest.fixture
async def seller(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Seller]:
    with a_seller(tmp_path, {"RED": 10}, **getattr(request, "param", {})) as it:
        await begins(it)
        yield it


LATE = pytest.mark.parametrize("seller", [{"applies_late": True}], indirect=True)


async def test_a_known_sale_does_not_hide_an_unseen_one_from_the_read_before_a_raise(seller: Seller) -> None:
    """H is sold 20 s ago and not yet listed, R just now and known; a read of 4 s ago shows H and not R."""
    alpha = seller.markets["alpha"]
    for _ in range(5):
        await seller.minute()
    alpha.sells("RED", 1, listed_after_s=55.0)  # H
    seller.clock.passes(20.0)
    stale_number = alpha.shown["RED"]  # 9
    seller.clock.passes(3.0)
    alpha.sells("RED", 1, listed_after_s=0.0)  # R
    await seller.polls("alpha")  # like a webhook: R is known at once
    seller.clock.passes(1.0)
    seller.counts("RED", 20)
    alpha._seen = lambda sku, now: stale_number  # type: ignore[method-assign]
    before = len(alpha.applied)
    await seller.publishes("alpha")

    raised = [each for each in alpha.applied[before:] if each.value > each.met]
    assert raised == [], f"H was sold {24} s before the read (staleness {STALENESS_S}) and is on sale again"


async def test_a_relisted_unit_is_counted_once(seller: Seller) -> None:
    alpha, beta = seller.markets["alpha"], seller.markets["beta"]
    alpha.sells("RED", 2, listed_after_s=0.0)
    await seller.polls()
    original = beta.send_write

    async def races(key: str, body: str) -> Any:
        beta.sells("RED", 1, listed_after_s=0.0)
        return await original(key, body)

    beta.send_write = races  # type: ignore[method-assign]
    await seller.publishes("beta")
    beta.send_write = original  # type: ignore[method-assign]
    await seller.polls()
    for _ in range(30):
        seller.clock.passes(1.0)
        await seller.publishes("beta")
    await seller.rests()

    assert seller.tally("beta", "units_relisted") == 1


@LATE
async def test_a_sale_that_brings_the_number_to_the_written_one_does_not_confirm_the_write(seller: Seller) -> None:
    """Lowered by one for the other market; one sold here: 9 shows, and the write of 9 still travels."""
    alpha, beta = seller.markets["alpha"], seller.markets["beta"]
    alpha.sells("RED", 1, listed_after_s=0.0)
    await seller.polls()
    lates = iter([110.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    real = beta.rng.uniform

    def uniform(low: float, high: float) -> float:
        return next(lates) if (low, high) == (1.0, 40.0) else real(low, high)

    beta.rng.uniform = uniform  # type: ignore[method-assign]
    await seller.publishes("beta")  # 9 is accepted, and lands in 110 s: within the settle time of 120 s
    beta.sells("RED", 1, listed_after_s=0.0)
    await seller.polls()
    for _ in range(100):
        seller.clock.passes(1.0)
        await seller.publishes()
    sent_meanwhile = [each.value for each in beta.applied]
    relisted = seller.tally("beta", "units_relisted")
    for _ in range(6):  # minutes, no sweep
        for _ in range(4):
            seller.clock.passes(15.0)
            await seller.publishes()
        await seller.polls()
    assert (sent_meanwhile, relisted) == ([], 0), "a second write left while the first still travelled"
    assert seller.differing() == []


@LATE
async def test_a_sale_erased_before_a_pending_read_is_counted(seller: Seller) -> None:
    alpha, beta = seller.markets["alpha"], seller.markets["beta"]
    alpha.sells("RED", 2, listed_after_s=0.0)
    await seller.polls()
    real = beta.rng.uniform
    beta.rng.uniform = lambda low, high: 39.0 if (low, high) == (1.0, 40.0) else real(low, high)  # type: ignore[method-assign]
    await seller.publishes("beta")
    seller.clock.passes(10.0)
    beta.sells("RED", 1, listed_after_s=50.0)  # the write lands on it at 39 s
    await seller.rests()
    assert seller.tally("beta", "units_relisted") == 1


async def test_a_row_that_is_never_written_is_not_tried_without_a_pause(seller: Seller) -> None:
    beta = seller.markets["beta"]
    sent = 0

    async def fails(key: str, body: str) -> Sequence[RowResult]:
        nonlocal sent
        sent += 1
        return (RowResult(ListingRef("RED", HERE), RowOutcome.NOT_WRITTEN, reason="their own fault"),)

    beta.send_write = fails  # type: ignore[method-assign]
    seller.markets["alpha"].sells("RED", 2, listed_after_s=0.0)
    await seller.polls()
    for _ in range(50):
        if not await seller.publishers["beta"].step():
            break
    assert sent < 10, f"{sent} writes (and as many reads) in no time at all"


@LATE
async def test_a_write_that_never_left_is_not_waited_for(seller: Seller) -> None:
    """The process dies (or the lease is too short) between storing a write and sending it: attempts is 0."""
    beta = seller.markets["beta"]
    publisher = seller.publishers["beta"]
    publisher._too_late_in_lease = lambda: True  # type: ignore[method-assign]
    seller.markets["alpha"].sells("RED", 2, listed_after_s=0.0)
    await seller.polls()
    await seller.publishes("beta")
    del publisher._too_late_in_lease  # type: ignore[attr-defined]
    for _ in range(60):
        seller.clock.passes(1.0)
        await seller.publishes("beta")
    assert beta.applied, "nothing was ever sent, and yet nothing is written for the settle time"

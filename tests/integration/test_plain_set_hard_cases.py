"""Publishing by plain set where it is hard: coincidences, races, refusals in part, failures that repeat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import ListingRef, RowOutcome, RowResult
from tests.integration.test_plain_set import Seller, a_seller, begins
from tests.support.plain_market import HERE, STALENESS_S


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


@pytest.mark.parametrize("give_back", [True, False])
async def test_an_order_cancelled_after_our_write_has_been_erased_by_nothing(seller: Seller, give_back: bool) -> None:
    alpha, beta = seller.markets["alpha"], seller.markets["beta"]
    alpha.sells("RED", 2, listed_after_s=0.0)
    await seller.polls()
    await seller.publishes("beta")
    seller.clock.passes(60.0)
    bought = beta.sells("RED", 1, listed_after_s=0.0)
    assert bought is not None
    await seller.polls()
    seller.clock.passes(60.0)
    beta.cancels(bought, give_back=give_back)
    await seller.polls()
    await seller.publishes("beta")
    await seller.rests()

    assert seller.tally("beta", "units_relisted") == 0


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

    beta.rng.uniform = uniform  # type: ignore[assignment,method-assign]
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
    beta.rng.uniform = lambda low, high: 39.0 if (low, high) == (1.0, 40.0) else real(low, high)  # type: ignore[assignment,method-assign]
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

    beta.send_write = fails  # type: ignore[assignment,method-assign]
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
    del publisher._too_late_in_lease
    for _ in range(60):
        seller.clock.passes(1.0)
        await seller.publishes("beta")
    assert beta.applied, "nothing was ever sent, and yet nothing is written for the settle time"


@pytest.mark.parametrize("seller", [{"hold_window_s": 432_000.0}], indirect=True)
@pytest.mark.parametrize(("other_staleness_s", "later_s"), [(STALENESS_S, 3.0), (30.0, 20.0)])
async def test_an_order_placed_after_the_read_does_not_eat_its_hold(
    seller: Seller, other_staleness_s: float, later_s: float
) -> None:
    """H is bought and not paid, a read finds it; then R is sold. R cannot be what that read missed."""
    from dataclasses import replace

    beta_id = seller.accounts["beta"]
    seller.views[beta_id] = replace(seller.views[beta_id], staleness_s=other_staleness_s)
    alpha = seller.markets["alpha"]
    seller.clock.passes(700.0)
    await seller.minute()
    alpha.sells("RED", 1, paid=False)  # H
    seller.clock.passes(605.0)
    now = seller.clock.now()
    from syncd.reconcile.tidy import sweep_cells

    seller.db.transact_now(sweep_cells, seller.accounts["alpha"], now - timedelta(seconds=600), 500, now)
    await seller.publishes()
    assert seller.held() == 1
    seller.clock.passes(later_s)
    alpha.sells("RED", 1, listed_after_s=0.0)  # R
    await seller.polls()
    held = seller.held()
    before = len(alpha.applied)
    for _ in range(10):
        await seller.minute()
    raised = [each for each in alpha.applied[before:] if each.value > each.met]
    assert (held, raised) == (1, [])


async def test_a_cancellation_marks_the_listing_whose_number_it_raises(tmp_path: Path) -> None:
    """The listing was sold as RED and is made of BLUE now: the market gives back to its number all the same."""
    from syncd.catalogue.relisting import replace_components

    with a_seller(tmp_path, {"RED": 10, "BLUE": 4}) as seller:
        await begins(seller, {"RED": 10, "BLUE": 4})
        alpha = seller.markets["alpha"]
        order = alpha.sells("RED", 2, listed_after_s=0.0)
        assert order is not None
        await seller.polls()
        await seller.rests()
        rows = seller.rows(
            f"SELECT id FROM listing WHERE channel_sku = 'RED' AND account_id = {seller.accounts['alpha']}"
        )
        seller.db.transact_now(replace_components, {rows[0]["id"]: ((seller.skus["BLUE"], 1),)}, seller.clock.now())
        await seller.rests()
        assert alpha.shown["RED"] == 4
        seller.clock.passes(5.0)
        alpha.cancels(order, give_back=True)
        await seller.polls()
        for _ in range(24):  # two minutes without the sweep
            seller.clock.passes(5.0)
            await seller.publishes()
        assert alpha.shown["RED"] == 4


@pytest.mark.parametrize("seller", [{"hold_window_s": 432_000.0}], indirect=True)
async def test_a_row_refused_in_part_hides_nothing_for_days(seller: Seller) -> None:
    """eBay writes the item and refuses the offer: the row is REJECTED, and the lower of both numbers shows."""
    beta = seller.markets["beta"]
    original = beta.send_write

    async def in_part(key: str, body: str) -> Sequence[RowResult]:
        await original(key, body)
        return (RowResult(ListingRef("RED", HERE), RowOutcome.REJECTED, "offer", "refused"),)

    beta.send_write = in_part  # type: ignore[assignment,method-assign]
    seller.markets["alpha"].sells("RED", 3, listed_after_s=0.0)
    await seller.polls()
    for _ in range(5):
        await seller.minute()
    beta.send_write = original  # type: ignore[method-assign]
    for _ in range(20):
        await seller.minute()
    assert seller.held() == 0
    assert seller.differing() == []
    assert [market.shown["RED"] for market in seller.markets.values()] == [7, 7]


@LATE
async def test_a_write_confirmed_too_early_does_not_leave_a_sold_unit_on_sale(seller: Seller) -> None:
    """As above, and nobody looks again before the next sweep (an hour at Amazon)."""
    alpha, beta = seller.markets["alpha"], seller.markets["beta"]
    alpha.sells("RED", 1, listed_after_s=0.0)
    await seller.polls()
    lates = iter([110.0])
    real = beta.rng.uniform

    def uniform(low: float, high: float) -> float:
        return next(lates, 1.0) if (low, high) == (1.0, 40.0) else real(low, high)

    beta.rng.uniform = uniform  # type: ignore[assignment,method-assign]
    await seller.publishes("beta")
    beta.sells("RED", 1, listed_after_s=0.0)
    await seller.polls()
    for _ in range(9 * 60):
        seller.clock.passes(1.0)
        await seller.publishes()
    assert seller.differing() == []


async def test_writes_that_fail_are_tried_ever_more_slowly(seller: Seller) -> None:
    from adapters.contract import AuthExpired

    beta = seller.markets["beta"]
    sent = 0

    async def fails(key: str, body: str) -> Sequence[RowResult]:
        nonlocal sent
        sent += 1
        raise AuthExpired("no consent to write")

    beta.send_write = fails  # type: ignore[assignment,method-assign]
    seller.markets["alpha"].sells("RED", 2, listed_after_s=0.0)
    await seller.polls()
    for _ in range(600):
        seller.clock.passes(1.0)
        await seller.publishers["beta"].step()
    assert sent <= 20, f"{sent} writes in ten minutes: the read before each one ends the back-off"


async def test_two_items_with_one_gtin_are_not_mapped_however_it_is_printed(tmp_path: Path) -> None:
    from adapters.contract import ListedItem, ListingPage
    from syncd.catalogue.listings import import_listings

    with a_seller(tmp_path, {"RED": 10}) as seller:
        seller.db.transact_now(
            lambda connection: connection.exec_driver_sql("UPDATE sku SET gtin = '4006381333931' WHERE code = 'RED'")
        )
        alpha = seller.markets["alpha"]
        items = tuple(
            ListedItem(ListingRef(name, HERE), name, None, name, gtin, 1, False, name)
            for name, gtin in (("one", "4006381333931"), ("pack of ten", "4006381-333931"))
        )

        async def lists() -> AsyncIterator[ListingPage]:
            yield ListingPage(items, None)

        alpha.list_listings = lists  # type: ignore[method-assign]
        told = await import_listings(seller.db, alpha, seller.accounts["alpha"], seller.clock)
        assert told.mapped == 0, "a pack is mapped as a single piece"


@pytest.mark.parametrize("seller", [{"hold_window_s": 432_000.0}], indirect=True)
async def test_a_raise_that_was_lost_hides_nothing_for_days(seller: Seller) -> None:
    """The request of a raise never arrives: the number stays, which the write without an answer explains."""
    from adapters.contract import OutcomeUnknown

    beta = seller.markets["beta"]
    original = beta.send_write

    async def lost(key: str, body: str) -> Sequence[RowResult]:
        raise OutcomeUnknown("no reply")

    beta.send_write = lost  # type: ignore[assignment,method-assign]
    seller.counts("RED", 15)
    for _ in range(3):
        await seller.minute()
    beta.send_write = original  # type: ignore[method-assign]
    for _ in range(60):
        await seller.minute()
    assert seller.held() == 0
    assert [market.shown["RED"] for market in seller.markets.values()] == [15, 15]


def test_a_give_back_that_survived_a_write_is_no_relist() -> None:
    from dataclasses import replace

    from syncd.publishing.plain import read_plain, set_applied
    from tests.unit.publishing.test_plain import NOON, SECOND, STALENESS, flying

    raced = replace(set_applied(flying(7), NOON, NOON + SECOND, STALENESS), sold_hi=-2)  # cancelled in the window

    at = NOON + 10 * SECOND
    assert read_plain(raced, 9, 0, 0, at, at + SECOND, STALENESS).relisted == 0


@LATE
async def test_a_channel_that_ignores_a_number_is_forgiven_once_it_shows_what_it_should(seller: Seller) -> None:
    """Two raises come to nothing and are told; then the goods go, and the number it shows is the right one."""
    beta = seller.markets["beta"]
    for _ in range(5):
        await seller.minute()
    sends = beta.send_write

    async def ignores(key: str, body: str) -> tuple[RowResult, ...]:
        results = await sends(key, body)
        beta._travelling.clear()
        return results

    beta.send_write = ignores  # type: ignore[method-assign]
    seller.counts("RED", 15)
    for _ in range(20):
        await seller.minute()
    assert seller.open_alerts() == ["listing_unheeded"]

    seller.counts("RED", 10)
    for _ in range(3):
        await seller.minute()
    assert seller.open_alerts() == []
    assert seller.rows("SELECT unheeded FROM cell WHERE unheeded > 0") == []

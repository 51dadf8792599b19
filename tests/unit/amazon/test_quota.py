"""Token buckets on the seller's clock."""

from __future__ import annotations

import asyncio

import pytest

from adapters.amazon.quota import GET_ORDER, PATCH_LISTING, SEARCH_ORDERS, Operation, TokenBucket
from tests.unit.amazon.doubles import FakeClock


async def take(bucket: TokenBucket, times: int) -> None:
    for _ in range(times):
        await bucket.take()


@pytest.mark.parametrize("operation", [SEARCH_ORDERS, GET_ORDER, PATCH_LISTING], ids=lambda each: each.name)
async def test_a_burst_is_free_and_the_next_call_waits_for_a_token(operation: Operation, clock: FakeClock) -> None:
    bucket = TokenBucket(operation, clock)

    await take(bucket, operation.burst)
    assert clock.slept == []
    await bucket.take()

    assert sum(clock.slept) == pytest.approx(1 / operation.rate, rel=0.01)


async def test_tokens_come_back_while_nothing_is_asked(clock: FakeClock) -> None:
    bucket = TokenBucket(PATCH_LISTING, clock)

    await take(bucket, 5)
    clock.pass_s(0.6)
    await take(bucket, 3)
    assert clock.slept == []
    await bucket.take()

    assert sum(clock.slept) == pytest.approx(0.2, abs=0.01)


async def test_a_bucket_never_holds_more_than_its_burst(clock: FakeClock) -> None:
    bucket = TokenBucket(PATCH_LISTING, clock)

    clock.pass_s(3600)
    await take(bucket, 6)

    assert len(clock.slept) == 1


async def test_after_a_refusal_one_token_must_come_back_first(clock: FakeClock) -> None:
    bucket = TokenBucket(GET_ORDER, clock)

    bucket.emptied()
    await bucket.take()

    assert sum(clock.slept) == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(("header", "waited_s"), [("1.0", 1.0), ("0.25", 4.0)])
async def test_the_rate_of_this_sellers_plan_is_believed(header: str, waited_s: float, clock: FakeClock) -> None:
    bucket = TokenBucket(GET_ORDER, clock)

    await take(bucket, 30)
    bucket.note_rate(header)
    await bucket.take()

    assert sum(clock.slept) == pytest.approx(waited_s, rel=0.01)
    assert bucket.one_token_s == waited_s


@pytest.mark.parametrize("header", [None, "", "soon", "nan", "inf", "0", "-1", "0.0001", "500"])
async def test_an_absurd_rate_is_not_believed(header: str | None, clock: FakeClock) -> None:
    bucket = TokenBucket(GET_ORDER, clock)

    bucket.note_rate(header)

    assert bucket.one_token_s == 2.0


async def test_those_who_wait_together_are_served_one_a_token(clock: FakeClock) -> None:
    bucket = TokenBucket(PATCH_LISTING, clock)
    began_at = clock.now()

    await asyncio.gather(*(bucket.take() for _ in range(15)))

    assert (clock.now() - began_at).total_seconds() == pytest.approx(2.0, rel=0.02)


async def test_a_clock_that_steps_back_takes_no_tokens_away(clock: FakeClock) -> None:
    bucket = TokenBucket(PATCH_LISTING, clock)

    await take(bucket, 1)
    clock.pass_s(-3600)
    await take(bucket, 4)

    assert clock.slept == []

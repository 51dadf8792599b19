"""What waits too long is ended, by one timer for all."""

from __future__ import annotations

import asyncio

import pytest

from syncd.web.patience import Patience

SOON_S = 0.02
NEVER_S = 600.0


def some(count: int) -> list[asyncio.Future[None]]:
    return [asyncio.get_running_loop().create_future() for _ in range(count)]


async def test_what_waits_too_long_ends_with_a_timeout_and_what_ended_is_left_alone() -> None:
    patience = Patience()
    early, late, gone = some(3)
    for each in (early, late, gone):
        patience.watch(each, SOON_S)
    early.set_result(None)
    gone.cancel()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(late, 10)

    assert (early.result(), gone.cancelled()) == (None, True)


async def test_each_has_its_own_time() -> None:
    patience = Patience()
    first, second = some(2)
    patience.watch(first, SOON_S)
    patience.watch(second, NEVER_S)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(first, 10)
    await asyncio.sleep(SOON_S)

    assert not second.done()
    second.set_result(None)


async def test_one_that_comes_after_all_have_ended_is_ended_too() -> None:
    patience = Patience()
    for each in some(2):
        patience.watch(each, SOON_S)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(each, 10)


async def test_what_has_ended_is_not_kept() -> None:
    patience = Patience()
    for each in some(1000):
        patience.watch(each, NEVER_S)
        each.set_result(None)

    assert len(patience._waiting) == 1

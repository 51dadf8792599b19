"""A round of work goes on past what fails, and ends when everything does."""

from __future__ import annotations

import pytest

from adapters.contract import AuthExpired, OutcomeUnknown, RateLimited, Transient
from syncd.db.lease import Fenced
from syncd.fulfilment.rounds import Round, work_off


async def a_round(*results: bool | Exception) -> tuple[Round, int]:
    """Work off things with these results; and how many were tried."""
    tried = 0

    async def work(result: bool | Exception) -> bool:
        nonlocal tried
        tried += 1
        if isinstance(result, Exception):
            raise result
        return result

    return await work_off(results, str, work), tried


async def test_a_round_tells_whether_anything_changed() -> None:
    assert (await a_round(False, True, False))[0].changed
    assert not (await a_round(False))[0].changed


async def test_one_that_fails_stops_no_other() -> None:
    done, tried = await a_round(Transient("a"), True, OutcomeUnknown("b"), True)

    assert (tried, done.changed, done.down) == (4, True, None)
    assert [name for name, _ in done.failed] == ["a", "b"]


async def test_a_round_in_which_nothing_works_is_given_up() -> None:
    done, tried = await a_round(*[Transient("down")] * 5)

    assert (tried, str(done.down)) == (3, "down")


async def test_one_failure_alone_already_means_that_nothing_works() -> None:
    assert str((await a_round(Transient("down")))[0].down) == "down"


@pytest.mark.parametrize("err", [RateLimited("wait", 5.0), AuthExpired("no")])
async def test_some_failures_end_the_round_at_once(err: Exception) -> None:
    done, tried = await a_round(True, err, True)

    assert (tried, done.down) == (2, err)
    assert (done.asked_to_wait is err) == isinstance(err, RateLimited)


async def test_what_cannot_be_booked_is_kept_and_the_rest_is_done() -> None:
    done, tried = await a_round(KeyError("ours"), True, ValueError("too"))

    assert (tried, done.changed) == (3, True)
    assert isinstance(done.mishap, KeyError)


async def test_a_lost_lease_ends_everything() -> None:
    with pytest.raises(Fenced):
        await a_round(Fenced("warehouse:3pl", None), True)

"""A round of work goes on past what fails, and ends when everything does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapters.contract import AuthExpired, OutcomeUnknown, RateLimited, Transient
from syncd.db.lease import Fenced
from syncd.fulfilment.rounds import Rests, Round, work_off


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


# --- rests -----------------------------------------------------------------------------------------------------

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
NOTHING_WORKED = Round(failed=[("1", Transient("down"))])
SOMETHING_WORKED = Round(worked=True, failed=[("1", Transient("down"))])


def pause_after(rests: Rests, activity: str = "submit") -> int:
    """Whole seconds until that activity may go on."""
    return next(s for s in range(3600) if rests.are_over(activity, NOON + timedelta(seconds=s)))


def test_nobody_rests_who_has_not_begun() -> None:
    assert Rests().are_over("submit", NOON)


def test_the_rest_grows_with_each_round_in_which_nothing_works_up_to_a_minute() -> None:
    rests, pauses = Rests(), []
    for _ in range(6):
        rests.note("submit", NOTHING_WORKED, NOON)
        pauses.append(pause_after(rests))

    assert pauses == [0, 15, 30, 60, 60, 60]


@pytest.mark.parametrize("done", [SOMETHING_WORKED, Round()], ids=["something worked", "nothing was due"])
def test_a_round_that_is_not_fruitless_ends_the_rest_and_the_count(done: Round) -> None:
    rests = Rests()
    for each in (NOTHING_WORKED, NOTHING_WORKED, NOTHING_WORKED, done):
        rests.note("submit", each, NOON)
    assert pause_after(rests) == 0

    rests.note("submit", NOTHING_WORKED, NOON)
    assert pause_after(rests) == 0
    rests.note("submit", NOTHING_WORKED, NOON)
    assert pause_after(rests) == 15


def test_one_activity_rests_while_the_other_goes_on() -> None:
    rests = Rests()
    for _ in range(4):
        rests.note("cancel", NOTHING_WORKED, NOON)

    assert (pause_after(rests, "cancel"), pause_after(rests, "submit")) == (60, 0)


def test_all_activities_wait_as_long_as_the_other_side_asks() -> None:
    rests = Rests()

    rests.note("submit", Round(worked=True, asked_to_wait=RateLimited("slow down", 300.0)), NOON)
    rests.note("cancel", SOMETHING_WORKED, NOON)

    assert (pause_after(rests, "submit"), pause_after(rests, "cancel")) == (300, 300)

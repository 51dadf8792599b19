"""How numbers are written, and who is blamed for those that nobody wrote."""

from __future__ import annotations

from collections import Counter

import pytest

from syncd.simulation.checker.blamed import nobody_is_blamed_for_nothing
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.checker.writes import (
    no_account_is_restless,
    nothing_is_raised_to_zero,
    nothing_is_written_for_nothing,
    read_out_of_turn,
    writes_are_fenced,
)
from syncd.simulation.happenings import Arrival, Happenings
from tests.simulation.checker.builders import NOON, SHOP, Life, at
from tests.simulation.checker.conftest import Spoilt, rules

MINUTE = int(NOON.timestamp()) // 60


@pytest.fixture
def life() -> Life:
    life = Life()
    life.opens(SHOP, 5)
    return life


def test_a_write_under_an_older_token_after_one_under_a_newer_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    assert spoilt.read(read_out_of_turn) == []
    spoilt.sql(
        "UPDATE push_batch SET lease_token = lease_token + 1 WHERE key IN"
        " (SELECT key FROM push_batch WHERE attempts <= 1 ORDER BY created_at LIMIT 1)"
    )

    writes_are_fenced(spoilt.read(read_out_of_turn), verdict)

    assert rules(verdict) == {"writes.fenced"}


def test_what_a_newer_holder_sent_again_was_stored_in_its_turn(spoilt: Spoilt) -> None:
    spoilt.sql(
        "UPDATE push_batch SET lease_token = lease_token + 1, attempts = 2 WHERE key IN"
        " (SELECT key FROM push_batch ORDER BY created_at LIMIT 1)"
    )

    assert spoilt.read(read_out_of_turn) == []


def test_an_account_that_is_written_to_without_a_cause_is_found(life: Life, verdict: Verdict) -> None:
    no_account_is_restless(Counter({(SHOP[0], MINUTE): 30}), life.truth(), Happenings(), verdict)

    assert rules(verdict) == {"writes.restless"}


def test_many_writes_after_many_sales_and_arrivals_are_none_too_many(life: Life, verdict: Verdict) -> None:
    for number in range(5):
        life.sells(SHOP, number, str(number))
    arrived = Happenings(arrivals=[Arrival("east", "CLOCK", 1, at(-60))] * 5)

    no_account_is_restless(Counter({(SHOP[0], MINUTE): 30}), life.truth(), arrived, verdict)

    assert verdict.findings == []


def test_writing_what_we_had_written_before_is_found_when_it_comes_again_and_again(
    life: Life, verdict: Verdict
) -> None:
    life.is_written(SHOP, decided=20, applied=21, value=4)
    for number in range(12):
        life.is_decided(SHOP, 40 + 20 * number, 4)
    nothing_is_written_for_nothing(life.truth(), life.history, verdict)
    assert verdict.findings == []

    life.is_decided(SHOP, 300, 4)
    nothing_is_written_for_nothing(life.truth(), life.history, verdict)

    assert rules(verdict) == {"writes.for_nothing"}


def test_writing_a_number_again_that_a_sale_has_changed_since_is_no_write_for_nothing(
    life: Life, verdict: Verdict
) -> None:
    for seconds in range(0, 300, 30):
        life.sells(SHOP, seconds, str(seconds))
        life.is_written(SHOP, decided=seconds + 20, applied=seconds + 21, value=5)

    nothing_is_written_for_nothing(life.truth(), life.history, verdict)

    assert verdict.findings == []


def test_a_number_below_zero_that_is_raised_to_zero_is_found(life: Life, verdict: Verdict) -> None:
    life.sells(SHOP, 0, "a", units=6)
    life.is_written(SHOP, decided=20, applied=21, value=0)

    nothing_is_raised_to_zero(life.truth(), verdict)

    assert rules(verdict) == {"writes.raised_to_zero"}


@pytest.mark.parametrize("value", [0, 3])
def test_a_write_from_above_zero_or_beyond_it_is_fine(life: Life, verdict: Verdict, value: int) -> None:
    life.sells(SHOP, 0, "a", units=6 if value else 2)
    life.is_written(SHOP, decided=20, applied=21, value=value)

    nothing_is_raised_to_zero(life.truth(), verdict)

    assert verdict.findings == []


def test_units_that_nobody_raised_are_found_when_somebody_is_blamed(life: Life, verdict: Verdict) -> None:
    life.is_typed(SHOP, 0, 7)
    book = life.book()
    book.tallies = {("account:main-shop", "units_surplus"): 2}
    nobody_is_blamed_for_nothing(life.truth(), book, verdict)
    assert verdict.findings == []

    book.tallies = {("account:main-shop", "units_surplus"): 3}
    nobody_is_blamed_for_nothing(life.truth(), book, verdict)

    assert rules(verdict) == {"blamed.nobody_raised"}

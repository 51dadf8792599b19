"""Nothing is written but what was decided, as it was decided last, and once."""

from __future__ import annotations

import pytest

from syncd.simulation.checker.decided import every_write_was_decided
from syncd.simulation.checker.truth import Listing
from syncd.simulation.checker.verdict import Verdict
from tests.simulation.checker.builders import AMAZON, EBAY, SHOP, Life, at
from tests.simulation.checker.conftest import rules


@pytest.fixture
def life() -> Life:
    life = Life()
    for listing in (SHOP, AMAZON, EBAY):
        life.opens(listing, 5)
    return life


def look(life: Life, verdict: Verdict) -> set[str]:
    every_write_was_decided(life.truth(), life.book(), life.history, verdict)
    return rules(verdict)


@pytest.mark.parametrize("listing", [SHOP, AMAZON, EBAY])
def test_numbers_written_as_they_were_decided_are_fine(life: Life, verdict: Verdict, listing: Listing) -> None:
    life.is_written(listing, decided=20, applied=22, value=4)
    life.is_written(listing, decided=60, applied=62, value=5)
    life.is_written(listing, decided=90, applied=92, value=4)

    assert look(life, verdict) == set()


@pytest.mark.parametrize("listing", [SHOP, AMAZON, EBAY])
def test_a_write_that_nobody_decided_is_found(life: Life, verdict: Verdict, listing: Listing) -> None:
    life.lands(listing, sent=20, applied=22, value=4)

    assert look(life, verdict) == {"shown.undecided"}


@pytest.mark.parametrize("listing", [SHOP, AMAZON, EBAY])
def test_a_write_before_the_account_went_live_is_found(life: Life, verdict: Verdict, listing: Listing) -> None:
    life.is_written(listing, decided=20, applied=22, value=4)
    life.history.live_since = {listing[0]: at(60)}

    assert look(life, verdict) == {"shown.not_live"}


def test_another_number_under_a_stored_key_is_found(life: Life, verdict: Verdict) -> None:
    key = life.is_decided(SHOP, 20, 4)
    life.lands(SHOP, sent=21, applied=22, value=3, key=key)

    assert look(life, verdict) == {"shown.undecided"}


def test_a_number_that_was_decided_under_another_key_is_found(life: Life, verdict: Verdict) -> None:
    life.is_written(SHOP, decided=5, applied=6, value=3)
    key = life.is_decided(SHOP, 20, 4)
    life.lands(SHOP, sent=21, applied=22, value=3, key=key)

    assert look(life, verdict) == {"shown.undecided"}


def test_a_key_that_was_stored_for_another_listing_is_found(life: Life, verdict: Verdict) -> None:
    key = life.is_decided(EBAY, 20, 4)
    life.lands(SHOP, sent=21, applied=22, value=4, key=key)

    assert look(life, verdict) == {"shown.undecided"}


def test_a_stored_write_that_is_sent_again_under_its_key_much_later_is_fine(life: Life, verdict: Verdict) -> None:
    key = life.is_decided(SHOP, 20, 4)
    life.lands(SHOP, sent=900, applied=901, value=4, key=key)

    assert look(life, verdict) == set()


@pytest.mark.parametrize("listing", [AMAZON, EBAY])
def test_a_plain_set_of_an_older_decision_is_found(life: Life, verdict: Verdict, listing: Listing) -> None:
    life.is_written(listing, decided=20, applied=22, value=4)
    life.is_written(listing, decided=60, applied=62, value=3)
    life.lands(listing, sent=70, applied=71, value=4)

    assert look(life, verdict) == {"shown.outdated"}


@pytest.mark.parametrize("listing", [AMAZON, EBAY])
def test_a_plain_set_that_lands_after_a_later_decision_was_the_last_when_it_was_sent(
    life: Life, verdict: Verdict, listing: Listing
) -> None:
    life.is_decided(listing, 20, 4)
    life.is_decided(listing, 60, 3)
    life.lands(listing, sent=20.5, applied=300, value=4)
    life.lands(listing, sent=60.5, applied=301, value=3)

    assert look(life, verdict) == set()


def test_a_plain_set_sent_in_the_moment_of_the_next_decision_may_be_of_either(life: Life, verdict: Verdict) -> None:
    life.is_decided(EBAY, 20, 4)
    life.is_decided(EBAY, 60, 3)
    life.lands(EBAY, sent=60.5, applied=60.5, value=4)

    assert look(life, verdict) == set()


@pytest.mark.parametrize("listing", [AMAZON, EBAY])
def test_a_plain_set_that_is_sent_twice_is_found(life: Life, verdict: Verdict, listing: Listing) -> None:
    life.is_written(listing, decided=20, applied=22, value=4)
    life.lands(listing, sent=40, applied=41, value=4)

    assert look(life, verdict) == {"shown.repeated"}


def test_numbers_of_two_listings_decided_at_once_are_not_one_number_twice(life: Life, verdict: Verdict) -> None:
    life.is_written(EBAY, decided=20, applied=22, value=4)
    life.is_written(AMAZON, decided=20, applied=22, value=4)

    assert look(life, verdict) == set()

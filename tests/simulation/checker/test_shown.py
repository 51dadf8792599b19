"""Nothing that is left is promised twice."""

from __future__ import annotations

import pytest

from syncd.simulation.checker.shown import Promised, nothing_left_is_promised_twice, read_promised
from syncd.simulation.checker.verdict import Verdict
from tests.simulation.checker.builders import EBAY, NOON, SHOP
from tests.simulation.checker.conftest import Spoilt, rules


@pytest.mark.parametrize(("left", "found"), [(6, set()), (5, {"shown.promised"}), (-1, {"shown.promised"})])
def test_a_pack_takes_its_pieces(verdict: Verdict, left: int, found: set[str]) -> None:
    made_of = {SHOP: {"CLOCK": 1}, EBAY: {"CLOCK": 3}}

    nothing_left_is_promised_twice(Promised({SHOP: 5, EBAY: 2}, made_of, {"CLOCK": left}, {}), NOON, verdict)

    assert rules(verdict) == found


def test_nothing_may_be_owed_while_nothing_is_promised(verdict: Verdict) -> None:
    nothing_left_is_promised_twice(Promised({SHOP: 0}, {SHOP: {"CLOCK": 1}}, {"CLOCK": -2}, {}), NOON, verdict)

    assert verdict.findings == []


def test_the_book_of_a_clean_run_promises_what_is_left_and_a_hold_takes_pieces_of_that(
    spoilt: Spoilt, verdict: Verdict
) -> None:
    before = spoilt.read(read_promised)
    nothing_left_is_promised_twice(before, NOON, verdict)
    assert verdict.findings == []
    pack = next(one for one, parts in before.made_of.items() if set(parts.values()) == {3})
    (code,) = before.made_of[pack]
    spoilt.sql(
        "INSERT INTO hold (listing_id, cell, quantity, kind, from_at, to_at, expires_at, opened_at)"
        " SELECT id, 'available', 2, 'shortfall', 0, 0, 0, 0 FROM listing WHERE channel_sku = ?",
        pack[1],
    )

    after = spoilt.read(read_promised)

    assert after.left[code] == before.left[code] - 2 * 3

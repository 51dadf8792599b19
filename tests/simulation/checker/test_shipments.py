"""What a warehouse was asked to send is there as the book believes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.simulation.checker.book import Request
from syncd.simulation.checker.pieces import Pieces
from syncd.simulation.checker.shipments import nothing_is_sent_twice, shipments_are_as_their_warehouse_has_them
from syncd.simulation.checker.truth import Shipment
from syncd.simulation.checker.verdict import Verdict
from tests.simulation.checker.builders import SHOP, Life
from tests.simulation.checker.conftest import rules


def look(verdict: Verdict, state: str | None, status: str | None, warehouse: str = "bob") -> set[str]:
    """`state` in the book, `status` there; None: unknown."""
    book = Life().book()
    if state is not None:
        book.requests = {"R1": Request(("main-shop", "a"), warehouse, state)}
    there = () if status is None else (Shipment("bob", "R1", status, {}, {}),)
    truth = replace(Life().truth(), shipments=there, docks=frozenset({"bob"}))
    shipments_are_as_their_warehouse_has_them(truth, book, verdict)
    return rules(verdict)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("accepted", "Processing"),
        ("accepted", "Exception"),
        ("shipped", "Fulfilled"),
        ("cancelled", "Cancelled"),
        ("cancelled", None),
        ("refused", None),
        ("planned", None),
    ],
)
def test_what_both_agree_on_is_fine(verdict: Verdict, state: str, status: str | None) -> None:
    assert look(verdict, state, status) == set()


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("refused", "Processing"),
        ("cancelled", "Fulfilled"),
        ("accepted", None),
        ("accepted", "Cancelled"),
        ("shipped", "Processing"),
    ],
)
def test_what_they_disagree_on_is_found(verdict: Verdict, state: str, status: str | None) -> None:
    assert look(verdict, state, status) == {"shipments.state"}


def test_a_shipment_that_nobody_asked_for_is_found(verdict: Verdict) -> None:
    assert look(verdict, None, "Processing") == {"shipments.unknown"}


def test_a_warehouse_whose_shipments_are_not_told_is_left_out(verdict: Verdict) -> None:
    assert look(verdict, "accepted", None, warehouse="fba") == set()


class OneClockEach(Pieces):
    def __init__(self) -> None:
        self.parts = {"CLOCK": (("CLOCK", 1),)}


@pytest.mark.parametrize(
    ("first", "asked", "found"),
    [
        ("accepted", 1, {"shipments.too_many"}),  # beside another one
        ("cancelled", 1, set()),
        ("cancelled", 2, {"shipments.too_many"}),
    ],
)
def test_what_was_bought_is_asked_for_once_and_again_only_when_it_will_not_leave(
    verdict: Verdict, first: str, asked: int, found: set[str]
) -> None:
    life = Life()
    life.opens(SHOP, 5)
    life.sells(SHOP, 0.0, "a")
    book = life.book()
    book.requests = {"R1": Request((SHOP[0], "a"), "bob", first), "R2": Request((SHOP[0], "a"), "east", "accepted")}
    there = (
        Shipment("bob", "R1", "Cancelled" if first == "cancelled" else "Processing", {}, {"CLOCK": 1}),
        Shipment("east", "R2", "Processing", {}, {"CLOCK": asked}),
    )

    nothing_is_sent_twice(replace(life.truth(), shipments=there), book, OneClockEach(), verdict)

    assert rules(verdict) == found

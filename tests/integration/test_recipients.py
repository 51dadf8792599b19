"""Where a parcel goes: news that tell less take nothing away, a new address replaces the old, erased stays erased."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.contract import Address
from syncd.db.database import Database
from tests.support.builders import Seller, a_seller, an_order

WHOLE = Address("Ada Buyer", ("Main Street 1",), "Hamburg", None, "20095", "DE")


def tells(seller: Seller, minute: int, address: Address) -> None:
    seller.takes_in(replace(an_order(minute=minute), ship_to=address))


def kept(seller: Seller) -> tuple[object, ...]:
    (row,) = seller.rows("SELECT name, street, city, country FROM recipient")
    return tuple(row.values())


@pytest.mark.parametrize(
    "less",
    [
        Address(country="DE", postcode="20099"),
        Address(),
        Address(name="Ada", country="DE"),
        Address(lines=("Side Street 2",), country="DE"),
    ],
)
def test_a_state_that_tells_less_keeps_the_whole_address(db: Database, less: Address) -> None:
    seller = a_seller(db)
    tells(seller, 0, WHOLE)

    tells(seller, 1, less)

    assert kept(seller) == ("Ada Buyer", "Main Street 1", "Hamburg", "DE")
    assert seller.order()["country"] == "DE"


def test_an_address_in_another_country_is_another_address(db: Database) -> None:
    seller = a_seller(db)
    tells(seller, 0, WHOLE)

    tells(seller, 1, Address(country="FR", postcode="75001"))

    assert kept(seller) == (None, None, None, "FR")


def test_a_whole_new_address_replaces_the_old_one_and_leaves_nothing_of_it(db: Database) -> None:
    seller = a_seller(db)
    tells(seller, 0, WHOLE)

    tells(seller, 1, Address("Bob", ("Side Street 2",), None, None, None, "DE"))

    assert kept(seller) == ("Bob", "Side Street 2", None, "DE")


def test_an_address_is_completed_by_a_later_state(db: Database) -> None:
    seller = a_seller(db)
    tells(seller, 0, Address(country="DE", postcode="20095"))

    tells(seller, 1, WHOLE)

    assert kept(seller) == ("Ada Buyer", "Main Street 1", "Hamburg", "DE")


def test_what_was_erased_stays_erased(db: Database) -> None:
    seller = a_seller(db)
    tells(seller, 0, WHOLE)
    seller.does("UPDATE recipient SET name = NULL, street = NULL, city = NULL, erased_at = 1")

    tells(seller, 1, WHOLE)

    assert kept(seller) == (None, None, None, "DE")

"""Entering what came, went or broke, as a person types it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.cli import EXIT_FAILED
from syncd.db.migrate import migrate
from tests.support.builders import an_order
from tests.support.commands import Commands
from tests.support.typed import CONFIG, Book, Typist

C = ("-c", "syncd.toml")
USAGE = 2
TWO_WAREHOUSES = CONFIG.replace(
    "[[account]]", '[[warehouse]]\nkey = "berlin"\nkind = "own"\ncountry = "DE"\n\n[[account]]'
)


@pytest.fixture(scope="module")
def warm() -> Iterator[Commands]:
    commands = Commands()
    yield commands
    commands.close()


@pytest.fixture
def seller(tmp_path: Path, warm: Commands, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typist]:
    """Seven red clocks in hamburg, two of them promised."""
    (tmp_path / "syncd.toml").write_text(TWO_WAREHOUSES.format(port=0))
    file = tmp_path_factory.mktemp("template") / "syncd.db"
    migrate(f"sqlite:///{file}")
    shutil.copyfile(file, tmp_path / "syncd.db")
    book = Book(tmp_path, "RED-CLOCK")
    book.counts("RED-CLOCK", 7)
    book.lists("RED-CLOCK", "RED-CLOCK")
    book.takes_in(an_order(quantity=2))
    yield Typist(tmp_path, warm)
    book.db.close()


def test_what_arrives_is_booked_once_under_its_key(seller: Typist) -> None:
    first = seller.types("receive", "red-clock", "4", "--in", "hamburg", "--key", "DN-7781", *C)
    again = seller.types("receive", "red-clock", "4", "--in", "hamburg", "--key", "DN-7781", *C)

    stands = "red-clock in hamburg: 11 on hand, 0 unavailable, 2 reserved, 9 available"
    assert (first.code, first.all) == (0, stands)
    assert (again.code, again.all) == (0, f"DN-7781 was booked before: nothing changed {stands}")
    ((actor, reason),) = seller.asks("SELECT actor, reason FROM stock_entry")
    assert (actor.partition(":")[0], reason) == ("cli", "received")


def test_programs_get_json(seller: Typist) -> None:
    typed = ("receive", "RED-CLOCK", "4", "--in", "hamburg", "--key", "DN-7781", "--json", *C)

    first, again = (json.loads(seller.types(*typed).all) for _ in range(2))

    level = {"warehouse": "hamburg", "on_hand": 11, "unavailable": 0, "reserved": 2, "short": 0, "available": 9}
    assert first == {"key": "DN-7781", "repeated": False, "levels": [level]}
    assert again == {**first, "repeated": True}


def test_goods_are_lost_broken_and_transferred(seller: Typist) -> None:
    lost = seller.types("adjust", "RED-CLOCK", "-2", "--in", "hamburg", "--reason", "fell off the shelf", *C)
    broke = seller.types("adjust", "RED-CLOCK", "1", "--broke", "--in", "hamburg", "--reason", "wet", *C)
    moved = seller.types("transfer", "RED-CLOCK", "2", "--from", "hamburg", "--to", "berlin", *C)

    assert "5 on hand, 0 unavailable, 2 reserved, 3 available" in lost.all
    assert "5 on hand, 1 unavailable, 2 reserved, 2 available" in broke.all
    assert "in hamburg: 3 on hand, 1 unavailable, 2 reserved, 0 available" in moved.all
    assert "in berlin: 2 on hand, 0 unavailable, 0 reserved, 2 available" in moved.all
    assert (seller.types("audit", *C).code, lost.code, broke.code, moved.code) == (0, 0, 0, 0)


def test_what_is_promised_stays_unless_it_is_gone_already(seller: Typist) -> None:
    to_berlin = ("transfer", "RED-CLOCK", "6", "--from", "hamburg", "--to", "berlin", *C)

    refused, done = seller.types(*to_berlin), seller.types(*to_berlin, "--moved")

    assert refused.code == EXIT_FAILED
    assert "only 5 are free, 2 are promised to orders: transfer fewer, or say that they have been moved" in refused.all
    assert done.code == 0
    assert "1 reserved units are not there: find them or cancel orders" in done.all


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (("receive", "NO-SUCH", "1", "--in", "hamburg"), EXIT_FAILED, "sku: no SKU goes by 'NO-SUCH'. `syncd import"),
        (("receive", "RED-CLOK", "1", "--in", "hamburg"), EXIT_FAILED, "Did you mean RED-CLOCK?"),
        (("receive", "RED-CLOCK", "1", "--in", "hamburgh"), EXIT_FAILED, "Did you mean hamburg?"),
        (("receive", "RED-CLOCK", "0", "--in", "hamburg"), EXIT_FAILED, "pieces: 0 is no number of pieces"),
        (("receive", "RED-CLOCK", "-3", "--in", "hamburg"), EXIT_FAILED, "say one from 1 to 1000000000. What left"),
        (("transfer", "RED-CLOCK", "-3", "--from", "hamburg", "--to", "berlin"), EXIT_FAILED, "`syncd adjust`"),
        (("receive", "RED-CLOCK", "1", "--in", "hamburg", "--kye", "DN-1"), USAGE, "--kye"),
        (("adjust", "RED-CLOCK", "1", "--in", "hamburg", "--reason", "x", "--broke", "--damaged"), USAGE, "not both"),
        (("receive", "RED-CLOCK", "two", "--in", "hamburg"), USAGE, "Invalid value"),
        (("adjust", "RED-CLOCK", "-2", "--in", "hamburg"), USAGE, "Missing option '--reason'"),
        (("adjust", "RED-CLOCK", "-9", "--in", "hamburg", "--reason", "gone"), EXIT_FAILED, "7 pieces are on hand"),
    ],
)
def test_slips_are_told_with_what_to_do(seller: Typist, typed: tuple[str, ...], code: int, said: str) -> None:
    before = seller.dump()

    told = seller.types(*typed, *C)

    assert (told.code, said in told.all) == (code, True), told.all
    assert seller.dump() == before

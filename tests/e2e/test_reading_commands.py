"""Looking, as a person types it and as a program does: stock, orders, explain."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.cli import EXIT_FAILED
from syncd.db.migrate import migrate
from tests.support.builders import a_line, an_order
from tests.support.commands import Commands
from tests.support.typed import CONFIG, Book, Typist

C = ("-c", "syncd.toml")
USAGE = 2


@pytest.fixture(scope="module")
def warm() -> Iterator[Commands]:
    commands = Commands()
    yield commands
    commands.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "syncd.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def seller(tmp_path: Path, warm: Commands, template: Path) -> Iterator[Typist]:
    """Seven red clocks; one order of two, one of nine that no stock covers, one of something unheard of."""
    (tmp_path / "syncd.toml").write_text(CONFIG.format(port=0))
    shutil.copyfile(template, tmp_path / "syncd.db")
    book = Book(tmp_path, "RED-CLOCK", "BLUE-VASE")
    book.counts("RED-CLOCK", 7)
    book.lists("RED-CLOCK", "RED-CLOCK")
    book.takes_in(
        an_order(quantity=2),
        an_order(order_id="1002", quantity=9),
        an_order(a_line("[/b]UNHEARD-OF", 1), order_id="1003"),
    )
    yield Typist(tmp_path, warm)
    book.db.close()


def test_a_sku_is_shown_to_people_and_to_programs(seller: Typist) -> None:
    for_people, for_programs = seller.types("stock", "red-clock", *C), seller.types("stock", "RED-CLOCK", *C, "--json")

    assert (for_people.code, for_programs.code, for_programs.err) == (0, 0, "")
    assert "RED-CLOCK Red-Clock" in for_people.all
    assert "hamburg │ 7 │ 0 │ 7 │ 0 │ 0" in for_people.all
    assert "less 4 wanted by orders that found none" in for_people.all
    assert "#1002" in for_people.all
    told = json.loads(for_programs.out)
    assert told["stock"]["levels"][0] | {"as_of": None} == {
        "warehouse": "hamburg",
        "on_hand": 7,
        "unavailable": 0,
        "reserved": 7,
        "available": 0,
        "short": 0,
        "as_of": None,
        "source": told["stock"]["levels"][0]["source"],
    }
    assert [each["sellable"] for each in told["listings"]] == [0]
    assert [each["order"] for each in told["orders"]] == ["#1001", "#1002"]


def test_orders_are_listed_to_people_and_to_programs(seller: Typist) -> None:
    for_people = seller.types("orders", *C)
    short = json.loads(seller.types("orders", "--state", "short", "--account", "shop", *C, "--json").out)
    one = json.loads(seller.types("orders", "--limit", "1", *C, "--json").out)

    assert for_people.code == 0
    assert "9 x RED-CLOCK" in for_people.all
    assert "4 uncovered" in for_people.all
    assert "[/b]UNHEARD-OF" in for_people.all
    assert [each["order"] for each in short["orders"]] == ["#1003", "#1002"]
    assert ([each["order"] for each in one["orders"]], one["more"], short["more"]) == (["#1003"], True, False)


def test_orders_placed_since_are_told_apart(seller: Typist) -> None:
    placed = json.loads(seller.types("orders", *C, "--json").out)["orders"][0]["placed_at"]

    since = json.loads(seller.types("orders", "--since", placed, *C, "--json").out)
    after = json.loads(seller.types("orders", "--since", "2999-01-01T00:00:00Z", *C, "--json").out)
    wrong = seller.types("orders", "--since", "yesterday", *C)

    assert len(since["orders"]) == 3
    assert after["orders"] == []
    assert wrong.code == USAGE
    assert "'yesterday' is no time: write 30m, 6h or 2d ago" in wrong.all


def test_an_order_is_explained_to_people_and_to_programs(seller: Typist) -> None:
    for_people = seller.types("explain", "order", "#1001", *C)
    for_programs = json.loads(seller.types("explain", "order", "1001", *C, "--json").out)

    assert for_people.code == 0
    for said in ("by priority (version", "wanted: line 1, 2 units of 1 RED-CLOCK", "hamburg", "used", "7 RED-CLOCK"):
        assert said in for_people.all
    assert "the inputs kept decide the same again today" in for_people.all
    assert for_programs["allocations"][0]["candidates"][0]["why"] == "used"
    assert for_programs["order"]["order"] == "#1001"


def test_a_listing_is_explained_to_people_and_to_programs(seller: Typist) -> None:
    for_people = seller.types("explain", "listing", "shop:RED-CLOCK", *C)
    for_programs = json.loads(seller.types("explain", "listing", "1", *C, "--json").out)

    assert for_people.code == 0
    for said in (
        "- wanted, not found │ -4",
        "free │ -4",
        "sellable │ 0",
        "hamburg 0: 7 less 0 unavailable, 7 reserved",
    ):
        assert said in for_people.all
    assert "waits for: its turn" in for_people.all
    assert for_programs["components"][0]["free"] == -4
    assert for_programs["sellable"] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("stock", "RED-CLOK"), "syncd: no SKU goes by 'RED-CLOK'. Did you mean RED-CLOCK?"),
        (("stock", "ZZZ"), "no SKU goes by 'ZZZ'. `syncd import items FILE` takes SKUs in"),
        (("orders", "--account", "shopp"), "no account goes by 'shopp'. Did you mean shop?"),
        (("explain", "order", "#1009"), "no order goes by '#1009'. Did you mean #1003"),
        (("explain", "order", "1001", "--account", "outlet"), "no account goes by 'outlet'. There is shop"),
        (("explain", "listing", "shop:RED-CLOG"), "Did you mean shop:RED-CLOCK"),
        (("explain", "listing", "77"), "no listing goes by '77'. Write its number, or ACCOUNT:SKU with one of shop"),
    ],
)
def test_what_nobody_knows_is_told_with_what_is_like_it(seller: Typist, arguments: tuple[str, ...], told: str) -> None:
    said = seller.types(*arguments, *C)

    assert said.code == EXIT_FAILED
    assert told in said.all


def test_a_reading_command_changes_nothing_and_needs_no_secret(seller: Typist) -> None:
    seller.secrets.clear()
    before = seller.dump()

    for arguments in (("stock", "RED-CLOCK"), ("orders",), ("explain", "order", "#1001"), ("explain", "listing", "1")):
        assert seller.types(*arguments, *C).code == 0

    assert seller.dump() == before


def test_no_reading_command_tells_of_the_buyer(seller: Typist) -> None:
    for arguments in (("stock", "RED-CLOCK"), ("orders",), ("explain", "order", "#1001"), ("explain", "listing", "1")):
        for form in ((), ("--json",)):
            said = seller.types(*arguments, *C, *form).all
            assert not any(private in said for private in ("Ada", "Buyer", "Main Street", "Hamburg", "20095"))

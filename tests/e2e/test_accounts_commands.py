"""pause, resume, erase and check, as a person types them."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from syncd.accounts.go_live import NumberChange
from syncd.cli import EXIT_CONFIG, EXIT_FAILED
from syncd.cli.go_live import write_changes
from syncd.db.migrate import migrate
from tests.support.builders import an_order
from tests.support.commands import Commands
from tests.support.typed import CONFIG, Book, Typist

C = ("-c", "syncd.toml")


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


@dataclass
class Shop:
    typist: Typist
    book: Book

    @property
    def state(self) -> str:
        return str(self.typist.asks("SELECT state FROM account")[0][0])


@pytest.fixture
def shop(tmp_path: Path, warm: Commands, template: Path) -> Iterator[Shop]:
    (tmp_path / "syncd.toml").write_text(CONFIG.format(port=0))
    shutil.copyfile(template, tmp_path / "syncd.db")
    book = Book(tmp_path, "RED-CLOCK")
    book.counts("RED-CLOCK", 7)
    book.lists("RED-CLOCK", "RED-CLOCK")
    yield Shop(Typist(tmp_path, warm), book)
    book.db.close()


# --- pause and resume -----------------------------------------------------------------------------------------


def test_an_account_is_paused_and_resumed_and_the_status_says_so(shop: Shop) -> None:
    shop.typist.does("UPDATE account SET state = 'live', live_since_at = 1")

    paused = shop.typist.types("pause", "shop", *C)
    told = json.loads(shop.typist.types("status", *C, "--json").out)
    again = shop.typist.types("pause", "shop", *C)
    resumed = shop.typist.types("resume", "shop", *C)
    twice = shop.typist.types("resume", "shop", *C)

    assert {each.code for each in (paused, again, resumed, twice)} == {0}
    assert "shop is paused: its orders are taken in and reserved, no number is written" in paused.all
    assert "`syncd resume shop` lets it go on" in paused.all
    assert told["accounts"][0]["state"] == "paused"
    assert "shop was paused already" in again.all
    assert "shop is live again" in resumed.all
    assert "shop is not paused: it is live" in twice.all
    assert shop.state == "live"


def test_an_account_that_was_never_live_is_told_what_comes_first(shop: Shop) -> None:
    shop.typist.types("pause", "shop", *C)

    said = shop.typist.types("resume", "shop", *C)

    assert "shop observes again: it was never live, `syncd go-live shop` lets it write" in said.all
    assert shop.state == "observing"


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_an_account_nobody_knows_is_told_with_those_there_are(shop: Shop, command: str) -> None:
    said = shop.typist.types(command, "outlet", *C)

    assert said.code == EXIT_FAILED
    assert "no account has the key 'outlet': the configuration names shop" in said.all


# --- erase ----------------------------------------------------------------------------------------------------


def test_a_buyer_is_shown_by_what_is_known_and_erased_when_that_is_wanted(shop: Shop) -> None:
    shop.book.takes_in(an_order(), body=b'{"id": 1001, "to": "Ada Buyer"}')

    dry = shop.typist.types("erase", "order", "#1001", *C, "--dry-run")
    assert shop.typist.asks("SELECT name FROM recipient") == [("Ada Buyer",)]
    unasked = shop.typist.types("erase", "order", "#1001", *C)
    assert shop.typist.asks("SELECT name FROM recipient") == [("Ada Buyer",)]
    erased = shop.typist.types("erase", "order", "#1001", *C, "--yes")
    again = shop.typist.types("erase", "order", "#1001", *C, "--yes")

    assert (dry.code, erased.code, again.code) == (0, 0, 0)
    assert unasked.code == 1
    for said in (dry, unasked, erased, again):
        assert "Ada" not in said.all
    assert "its recipient's name, street, city, postcode, country" in dry.all
    assert "1 event with a body that names the order" in dry.all
    assert "it is open: without a recipient no 3PL can be asked" in dry.all
    assert "the buyer of #1001 is erased" in erased.all
    assert "its recipient was erased at" in again.all
    assert shop.typist.asks("SELECT name, street, city, postcode, country FROM recipient") == [(None,) * 5]
    assert shop.typist.asks("SELECT body FROM inbox") == [(None,)]
    assert shop.typist.asks("SELECT count(*) FROM decision WHERE kind = 'erasure'") == [(1,)]
    assert shop.typist.types("audit", *C).code == 0
    assert "its recipient was erased at" in shop.typist.types("explain", "order", "#1001", *C).all


def test_an_erasure_says_which_events_it_cannot_erase_yet_and_sees_to_them(shop: Shop) -> None:
    shop.book.takes_in(an_order(), body=b'{"id": 1001, "to": "Ada Buyer"}')
    shop.typist.does("UPDATE inbox SET state = 'new', settled_at = NULL")

    dry = shop.typist.types("erase", "order", "#1001", *C, "--dry-run")
    erased = shop.typist.types("erase", "order", "#1001", *C, "--yes")
    again = shop.typist.types("erase", "order", "#1001", *C, "--yes")

    assert (dry.code, erased.code, again.code) == (0, 0, 0)
    assert "1 event of it not taken in yet: their bodies are erased within the hour after that" in dry.all
    assert "the buyer of #1001 is erased" in erased.all
    assert "but for 1 event not taken in yet: a running daemon erases" in erased.all
    assert "1 event of it not taken in yet" in again.all
    assert shop.typist.asks("SELECT count(*) FROM inbox WHERE erase_asked_at IS NOT NULL AND body IS NOT NULL") == [
        (1,)
    ]
    assert shop.typist.asks("SELECT count(*) FROM decision WHERE kind = 'erasure'") == [(1,)]


def test_an_order_nobody_knows_cannot_be_erased(shop: Shop) -> None:
    said = shop.typist.types("erase", "order", "#4711", *C, "--yes")

    assert said.code == EXIT_FAILED
    assert "no order goes by '#4711'" in said.all


# --- check ----------------------------------------------------------------------------------------------------


def test_a_program_is_told_each_finding(shop: Shop) -> None:
    said = shop.typist.types("check", *C, "--offline", "--json")

    assert said.code == 0
    found = json.loads(said.out)["findings"]
    assert [each["verdict"] for each in found] == ["right", "right", "odd"], "nobody is told of trouble"
    assert found[0]["told"] == "1 accounts, 1 warehouses, secrets"


def test_a_program_is_told_of_a_wrong_configuration(shop: Shop) -> None:
    path = shop.typist.folder / "syncd.toml"
    path.write_text(path.read_text().replace('country = "DE"', 'country = "UK"'))

    said = shop.typist.types("check", *C, "--offline", "--json")

    assert said.code == EXIT_CONFIG
    (found,) = json.loads(said.out)["findings"]
    assert (found["verdict"], "Write GB" in found["remedy"]) == ("wrong", True)


def test_a_slip_in_the_settings_is_told_without_asking_anybody(shop: Shop) -> None:
    path = shop.typist.folder / "syncd.toml"
    path.write_text(path.read_text().replace("http://127.0.0.1:9", "https://www.red-clock.example"))

    said = shop.typist.types("check", *C)

    assert said.code == EXIT_FAILED
    assert "✗ account shop: www.red-clock.example is not the name that Shopify's API goes by" in said.all
    assert "Write https://NAME.myshopify.com as base_url" in said.all
    assert "! webhooks: no public_url: orders come by polling alone" in said.all


# --- the list of what going live would change -----------------------------------------------------------------


def test_every_number_that_would_change_is_listed(tmp_path: Path) -> None:
    changes = [NumberChange(1, 'RED "CLOCK"', "item/1", 7, 5), NumberChange(2, "VASE", "item/2", None, 1, "untracked")]

    write_changes(tmp_path / "changes.csv", changes)

    with (tmp_path / "changes.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["listing_id", "code", "channel_sku", "shows", "would_show", "problem"],
            ["1", 'RED "CLOCK"', "item/1", "7", "5", ""],
            ["2", "VASE", "item/2", "", "1", "untracked"],
        ]

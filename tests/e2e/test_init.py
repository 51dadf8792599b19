"""`syncd init` as a seller meets it: a configuration that is right, a database, and what comes next."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.cli import EXIT_CONFIG, EXIT_FAILED
from syncd.config import load
from tests.support.commands import Commands
from tests.support.typed import Typist

MAIN = ("--warehouse", "main,country=US,postcode=10001")
SHOP = ("--account", "shopify,shop=my-shop,client_id=0123,location=77")
C = ("-c", "syncd.toml")


@pytest.fixture(scope="module")
def warm() -> Iterator[Commands]:
    commands = Commands()
    yield commands
    commands.close()


@pytest.fixture
def nobody(tmp_path: Path, warm: Commands) -> Typist:
    """Somebody with an empty folder."""
    return Typist(tmp_path, warm, {})


def test_a_configuration_is_written_and_the_database_made(nobody: Typist) -> None:
    said = nobody.types("init", *C, *MAIN, *SHOP)

    config = load(nobody.folder / "syncd.toml")
    assert said.code == 0, said.all
    (account,) = config.accounts
    assert account.shopify is not None
    assert (account.key, account.warehouses, account.shopify.base_url) == (
        "shopify",
        ("main",),
        "https://my-shop.myshopify.com",
    )
    assert account.shopify.location == "gid://shopify/Location/77"
    assert (config.warehouses[0].country, config.warehouses[0].postcode) == ("US", "10001")
    assert nobody.asks("SELECT count(*) FROM account") == [(0,)]
    for step in (
        "hand over these secrets",
        "SHOPIFY_CLIENT_SECRET",
        "syncd check -c syncd.toml",
        "syncd import listings --from shopify -c syncd.toml",
        "syncd run -c syncd.toml",
        "syncd go-live shopify -c syncd.toml",
    ):
        assert step in said.all


def test_every_channel_and_kind_of_warehouse_can_be_named(nobody: Typist) -> None:
    said = nobody.types(
        "init",
        *C,
        *MAIN,
        *("--warehouse", "bob,country=US,shipbob_channel=123"),
        *("--warehouse", "fba,country=DE,account=amazon"),
        *SHOP,
        *("--account", "amazon,seller_id=A1,marketplaces=A1PA6795UKMFR9+A13V1IB3VIYZZH,client_id=c,warehouses=main"),
        *("--account", "ebay,key=2nd-user,client_id=c,marketplace=EBAY_DE,buffer=3"),
        *("--public-url", "https://stock.example.com"),
    )

    assert said.code == 0, said.all
    config = load(nobody.folder / "syncd.toml")
    shop, amazon, ebay = config.accounts
    assert amazon.amazon is not None
    assert ebay.ebay is not None
    assert [each.kind.value for each in config.warehouses] == ["own", "3pl", "fba"]
    assert shop.warehouses == ("main", "bob")
    assert (amazon.amazon.region, amazon.amazon.marketplace_ids, amazon.buffer, amazon.warehouses) == (
        "eu",
        ("A1PA6795UKMFR9", "A13V1IB3VIYZZH"),
        1,
        ("main",),
    )
    assert (ebay.key, ebay.ebay.marketplace_id, ebay.buffer) == ("2nd-user", "EBAY_DE", 3)
    assert ebay.ebay.verification_token_secret == "S2ND_USER_VERIFICATION_TOKEN"
    assert config.http.public_url == "https://stock.example.com"
    for name in ("BOB_TOKEN", "AMAZON_REFRESH_TOKEN", "S2ND_USER_VERIFICATION_TOKEN"):
        assert name in said.all


def test_sandboxes_of_this_machine_can_be_named(nobody: Typist) -> None:
    said = nobody.types(
        "init",
        *C,
        *MAIN,
        *("--account", "shopify,shop=http://127.0.0.1:9200/,client_id=c"),
        *("--account", "amazon,seller_id=A1,client_id=c,base_url=http://127.0.0.1:9201"),
        *("--account", "ebay,client_id=c,base_url=http://127.0.0.1:9202"),
    )

    assert said.code == 0, said.all
    shop, amazon, ebay = load(nobody.folder / "syncd.toml").accounts
    assert shop.shopify is not None
    assert amazon.amazon is not None
    assert ebay.ebay is not None
    assert shop.shopify.base_url == "http://127.0.0.1:9200"
    assert (amazon.amazon.host, amazon.amazon.token_url) == (
        "http://127.0.0.1:9201",
        "http://127.0.0.1:9201/auth/o2/token",
    )
    assert ebay.ebay.base_url == "http://127.0.0.1:9202"


def test_no_secret_stands_in_the_file_and_those_at_hand_are_not_asked_for(nobody: Typist) -> None:
    nobody.secrets["SHOPIFY_CLIENT_SECRET"] = "the-secret-itself"

    said = nobody.types("init", *C, *MAIN, *SHOP)

    assert "hand over these secrets" not in said.all
    raw = tomllib.loads((nobody.folder / "syncd.toml").read_text())
    assert raw["account"][0]["shopify"]["client_secret"] == "SHOPIFY_CLIENT_SECRET"
    assert "the-secret-itself" not in (nobody.folder / "syncd.toml").read_text()


def test_a_configuration_that_is_there_is_never_written_over_unasked(nobody: Typist) -> None:
    nobody.writes("syncd.toml", "# mine")

    refused = nobody.types("init", *C, *MAIN, *SHOP)
    assert refused.code == EXIT_FAILED
    assert "syncd.toml is there already: --force keeps it as syncd.toml.old" in refused.all
    assert (nobody.folder / "syncd.toml").read_text() == "# mine\n"
    forced = nobody.types("init", *C, *MAIN, *SHOP, "--force")

    assert forced.code == 0
    assert (nobody.folder / "syncd.toml.old").read_text() == "# mine\n"
    assert load(nobody.folder / "syncd.toml").accounts


def test_a_folder_is_no_file_to_write(nobody: Typist) -> None:
    refused = nobody.types("init", "-c", ".", "--force", *MAIN, *SHOP)

    assert refused.code == EXIT_FAILED
    assert refused.all.strip() == "syncd: . is a folder: name the file to write, like syncd.toml"


def test_every_configuration_that_was_written_over_is_kept(nobody: Typist) -> None:
    for text in ("# first", "# second", "# third"):
        nobody.writes("syncd.toml", text)
        assert nobody.types("init", *C, *MAIN, *SHOP, "--force").code == 0

    refused = nobody.types("init", *C, *MAIN, *SHOP)

    kept = {each.name: each.read_text() for each in nobody.folder.glob("syncd.toml.old*")}
    assert kept == {
        "syncd.toml.old": "# first\n",
        "syncd.toml.old.2": "# second\n",
        "syncd.toml.old.3": "# third\n",
    }
    assert "--force keeps it as syncd.toml.old.4" in refused.all


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (
            (),
            EXIT_FAILED,
            "there is no terminal to ask on: give --warehouse and --account. Example: syncd init",
        ),
        (MAIN, EXIT_FAILED, "there is no terminal to ask on: give --account. Example"),
        ((*MAIN, "--account", "shopfy,shop=x"), EXIT_FAILED, "'shopfy' is no channel. Did you mean shopify?"),
        ((*MAIN, "--account", "shopify,shop=x"), EXIT_FAILED, "client_id is missing; write client_id=..."),
        ((*MAIN, "--account", "shopify,shp=x"), EXIT_FAILED, "'shp' is not known. Did you mean shop?"),
        ((*MAIN, "--account", "shopify,shop"), EXIT_FAILED, "'shop' says nothing; write it as key=value"),
        ((*MAIN, "--account", "ebay,client_id=c,buffer=few"), EXIT_FAILED, "buffer must be a whole number"),
        ((*MAIN, *SHOP, *SHOP), EXIT_FAILED, "several accounts are called shopify: name them apart by key=..."),
        (("--warehouse", "main", *SHOP), EXIT_FAILED, "its country is missing; write main,country=US"),
        (
            ("--warehouse", "main,country=UK", *SHOP),
            EXIT_CONFIG,
            "is not an ISO 3166-1 country code. Write GB. Nothing was",
        ),
        ((*MAIN, "--account", "ebay,client_id=c,warehouses=west"), EXIT_CONFIG, "no warehouse has the key 'west'"),
    ],
)
def test_what_cannot_be_meant_is_told_and_nothing_is_written(
    nobody: Typist, arguments: tuple[str, ...], code: int, told: str
) -> None:
    said = nobody.types("init", *C, *arguments)

    assert said.code == code
    assert told in said.all
    assert [each.name for each in nobody.folder.iterdir() if not each.name.startswith((".out", ".err"))] == []


def test_a_database_whose_password_is_not_at_hand_is_made_later(nobody: Typist) -> None:
    database = ("--database", "postgresql+psycopg://syncd@localhost:1/syncd", "--password-secret", "DATABASE_PASSWORD")

    said = nobody.types("init", *C, *MAIN, *SHOP, *database)

    assert said.code == 0
    assert "the database is not made yet: secret DATABASE_PASSWORD is not set" in said.all
    assert "syncd migrate -c syncd.toml" in said.all
    assert load(nobody.folder / "syncd.toml").database.password_secret == "DATABASE_PASSWORD"


def test_a_folder_that_is_not_there_yet_leaves_the_database_for_later(nobody: Typist) -> None:
    said = nobody.types("init", *C, *MAIN, *SHOP, "--database", "sqlite:////no/such/folder/syncd.db")

    assert said.code == 0
    assert "the database is not made yet:" in said.all
    assert "syncd migrate -c syncd.toml as the user that syncd runs as" in said.all


def test_what_was_written_is_found_right_by_check(nobody: Typist) -> None:
    nobody.types("init", *C, *MAIN, *SHOP)
    nobody.secrets["SHOPIFY_CLIENT_SECRET"] = "0a1b2c3d"

    said = nobody.types("check", *C, "--offline")

    assert said.code == 0, said.all
    assert "1 accounts, 1 warehouses" in said.all


def test_a_person_at_a_terminal_is_asked(tmp_path: Path) -> None:
    code, screen = at_a_terminal(
        tmp_path, (), ["main", "us", "10001", "n", "shopify", "shop", "my-shop", "0123", "77", "n"]
    )

    assert code == 0, screen
    config = load(tmp_path / "syncd.toml")
    assert (config.warehouses[0].key, config.warehouses[0].country, config.accounts[0].key) == ("main", "US", "shop")


def test_a_wrong_answer_is_told_at_once_and_asked_for_again(tmp_path: Path) -> None:
    warehouses = ["Main Store", "main", "UK", "gb", "", "y", "main", "west", "us", "", "n"]
    amazon = ["amazn", "amazon", "", "", "A1", "US", "A1PA6795UKMFR9,ATVPDKIKX0DER", "A1PA6795UKMFR9", "c", "y"]
    shop = ["shopify", "amazon", "shop", "my shop", "my-shop", "0,1", "x", "77", "n"]

    code, screen = at_a_terminal(tmp_path, (), [*warehouses, *amazon, *shop])

    assert code == 0, screen
    for told in (
        "'Main Store' cannot be a key. Use lowercase letters",
        "'UK' is not an ISO 3166-1 country code. Write GB",
        "'main' is the key of another one already: name them apart",
        "'amazn' is no channel. Did you mean amazon?",
        "'US' is not an Amazon marketplace id. Write one like ATVPDKIKX0DER",
        "these are of several regions (eu, na): each is an account of its own",
        "'amazon' is the key of another one already",
        "'https://my shop.myshopify.com' is not a plain web address",
        "is not a Shopify location",
    ):
        assert told in " ".join(screen.split()), told
    config = load(tmp_path / "syncd.toml")
    first, second = config.accounts
    assert [(each.key, each.country) for each in config.warehouses] == [("main", "GB"), ("west", "US")]
    assert first.amazon is not None
    assert second.shopify is not None
    assert (first.key, first.amazon.region, first.warehouses, first.buffer) == ("amazon", "eu", ("main", "west"), 1)
    assert (second.key, second.shopify.client_id, second.shopify.location) == (
        "shop",
        "0,1",
        "gid://shopify/Location/77",
    )


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        (("--warehouse", "main,country=UK"), EXIT_CONFIG, "is not an ISO 3166-1 country code"),
        (("--account", "shopify,shop=x"), EXIT_FAILED, "client_id is missing"),
    ],
)
def test_a_wrong_flag_is_told_before_anything_is_asked(
    tmp_path: Path, flags: tuple[str, ...], code: int, told: str
) -> None:
    ended, screen = at_a_terminal(tmp_path, flags, [])

    assert ended == code
    assert told in " ".join(screen.split())
    assert "a short key" not in screen
    assert list(tmp_path.iterdir()) == []


def at_a_terminal(folder: Path, flags: tuple[str, ...], replies: list[str]) -> tuple[int, str]:
    """How `syncd init` ended, and all that the screen has shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "syncd", "init", "-c", "syncd.toml", *flags]
    environment = {**os.environ, "COLUMNS": "220", "NO_COLOR": "1"}
    asked = subprocess.Popen(command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    screen, ends_at = "", time.monotonic() + 60.0
    waiting = 0
    while asked.poll() is None and time.monotonic() < ends_at:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                screen += os.read(ours, 4096).decode()
            except OSError:
                break
        if screen[waiting:].rstrip(" ").endswith(":") and replies and not screen[waiting:].endswith(":\r\n"):
            waiting = len(screen)
            os.write(ours, f"{replies.pop(0)}\n".encode())
    code = asked.wait(timeout=60)
    os.close(ours)
    return code, screen

"""The command line as a person meets it: a process, its exit code, what it says, and never a traceback."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer.main
from sqlalchemy import Connection, insert, text

from adapters.contract import OrderState
from syncd import config as settings
from syncd.bootstrap import open_world
from syncd.catalogue.items import import_items
from syncd.cli import EXIT_BUSY, EXIT_CONFIG, EXIT_FAILED
from syncd.cli.app import app
from syncd.clock import start_record
from syncd.db.database import Database
from syncd.db.migrate import migrate
from syncd.db.tables import listing
from syncd.orders.book import Incoming
from syncd.orders.inbox import Arrived, insert_arrived
from syncd.orders.take_in import apply_batch
from syncd.simulation.processes import Process, free_ports
from syncd.stock.import_stock import import_stock
from tests.support.builders import a_line, an_order
from tests.support.commands import Commands

USAGE = 2
SECRET = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
CONFIG = """
[database]
url = "sqlite:///syncd.db"

[http]
port = {port}

[log]
level = "info"

[[warehouse]]
key = "hamburg"
kind = "own"
country = "DE"

[[account]]
key = "shop"
channel = "shopify"
warehouses = ["hamburg"]

[account.shopify]
base_url = "http://127.0.0.1:9"
client_id = "client"
client_secret = "SHOP_SECRET"
location = "gid://shopify/Location/1"
"""


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed; white space is what a terminal makes of it."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return " ".join((self.out + " " + self.err).split())


@dataclass
class Seller:
    """A folder with a configuration, where commands run as a person types them."""

    folder: Path
    port: int
    commands: Commands

    @property
    def database(self) -> Path:
        return self.folder / "syncd.db"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCD_", "CREDENTIALS_"))}
        return {**kept, "SHOP_SECRET": SECRET, "COLUMNS": "200", "NO_COLOR": "1"}

    def types(self, *arguments: str, without: str = "") -> Said:
        """Run `syncd` and let it end. Whatever happens, it shows neither a traceback nor the secret."""
        environment = {name: value for name, value in self.environment.items() if name != without}
        said = Said(*self.commands.run(arguments, self.folder, environment))
        assert "Traceback" not in said.all, said.err
        assert SECRET not in said.all
        return said

    def writes(self, name: str, *lines: str) -> str:
        (self.folder / name).write_text("\n".join(lines) + "\n")
        return name

    def configures(self, before: str, after: str) -> None:
        path = self.folder / "syncd.toml"
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after))

    def hurries(self) -> None:
        """Let the seller's time run, so that pauses between tries are short."""
        start_record(30.0).save(self.folder / "clock.json")
        self.configures("[http]", '[clock]\nrecord = "clock.json"\n\n[http]')

    def does(self, *statements: str) -> None:
        """Change the database behind everybody's back."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def asks(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(query).fetchall()

    def daemon(self, *options: str, name: str = "daemon") -> Process:
        log = self.folder / f"{name}.log"
        return Process(["run", "-c", str(self.folder / "syncd.toml"), *options], log, env=self.environment)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/readyz"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "syncd.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="module")
def warm() -> Iterator[Commands]:
    commands = Commands()
    yield commands
    commands.close()


@pytest.fixture
def bare(tmp_path: Path, warm: Commands) -> Seller:
    """A seller who has a configuration and nothing else yet."""
    (port,) = free_ports(1)
    (tmp_path / "syncd.toml").write_text(CONFIG.format(port=port))
    return Seller(tmp_path, port, warm)


@pytest.fixture
def seller(bare: Seller, template: Path) -> Seller:
    """A seller with a migrated database."""
    shutil.copyfile(template, bare.database)
    return bare


C = ("-c", "syncd.toml")


# --- help -----------------------------------------------------------------------------------------------------


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    command = command or typer.main.get_command(app)
    inner = getattr(command, "commands", {})
    for name, each in inner.items():
        yield from commands(each, (*path, name))
    if not inner:
        yield path


def test_every_command_explains_itself_with_an_example(bare: Seller) -> None:
    every = sorted(commands())
    assert {("run",), ("check",), ("go-live",), ("import", "stock")} <= set(every)

    for path in every:
        said = bare.types(*path, "--help")

        assert said.code == 0, path
        assert f"Example: syncd {' '.join(path)}" in said.all, path
        assert "Usage:" in said.all, path


def test_the_version_is_told() -> None:
    command = [sys.executable, "-m", "syncd", "--version"]

    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("syncd ")


# --- the configuration ----------------------------------------------------------------------------------------


def spoil(seller: Seller) -> list[tuple[str, str, str]]:
    """Put several mistakes into a configuration; (key, problem, remedy) of each."""
    seller.configures('country = "DE"', 'country = "UK"')
    seller.configures('warehouses = ["hamburg"]', 'warehouses = ["hamburgh"]\nbuffer = -1')
    seller.configures(f"port = {seller.port}", 'port = "web"\nprot = 1')
    seller.configures('level = "info"', 'level = "loud"')
    return [
        ("warehouse[hamburg].country", "'UK' is not an ISO 3166-1 country code", "Write GB"),
        ("account[shop].warehouses[0]", "no warehouse has the key 'hamburgh'", "Did you mean hamburg?"),
        ("account[shop].buffer", "must be at least 0", "Write a larger number"),
        ("http.port", "must be a whole number", "Write digits"),
        ("http.prot", "is not a known key", "Did you mean port?"),
        ("log.level", "must be 'debug', 'info', 'warning' or 'error'", "Write one of these"),
        ("account[shop].shopify.client_secret", "secret SHOP_SECRET is not set", "LoadCredential=SHOP_SECRET:FILE"),
    ]


@pytest.mark.parametrize("command", ["check", "run"])
def test_everything_wrong_in_a_configuration_is_told_at_once(bare: Seller, command: str) -> None:
    wrong = spoil(bare)

    said = bare.types(command, *C, without="SHOP_SECRET")

    assert said.code == EXIT_CONFIG
    for key, problem, remedy in wrong:
        assert f"{key}: {problem}" in said.all
        assert remedy in said.all
    assert not bare.database.exists()


def test_a_configuration_that_cannot_be_read_is_told(bare: Seller) -> None:
    (bare.folder / "syncd.toml").unlink()

    said = bare.types("status", *C)

    assert said.code == EXIT_CONFIG
    assert "syncd: syncd.toml: 1 problem cannot be read (No such file or directory)" in said.all


def test_a_secret_that_is_missing_is_a_wrong_configuration_for_every_command(bare: Seller) -> None:
    bare.configures(
        'url = "sqlite:///syncd.db"', 'url = "postgresql+psycopg://syncd@localhost:1/syncd"\npassword_secret = "PW"'
    )

    said = bare.types("migrate", *C)

    assert said.code == EXIT_CONFIG
    assert "secret PW is not set" in said.all


def test_check_finds_everything_right(seller: Seller) -> None:
    said = seller.types("check", *C, "--offline")

    assert said.code == 0
    assert "1 accounts, 1 warehouses" in said.all
    assert "✗" not in said.all


def test_check_tells_what_is_missing_besides_the_configuration(bare: Seller) -> None:
    bare.configures("[http]", '[clock]\nrecord = "clock.json"\n[http]')

    said = bare.types("check", *C, "--offline")

    assert said.code == EXIT_FAILED
    assert "syncd.db does not exist: run `syncd migrate -c FILE` first" in said.all
    assert "clock.json cannot be read" in said.all
    assert "✓ configuration syncd.toml" in said.all


def test_check_tells_which_account_cannot_be_reached(seller: Seller) -> None:
    seller.hurries()

    said = seller.types("check", *C)

    assert said.code == EXIT_FAILED
    assert "✗ account shop:" in said.all
    assert "check base_url and that this machine reaches it" in said.all
    assert "✓ database" in said.all


# --- the database ---------------------------------------------------------------------------------------------


def refused(seller: Seller, advice: str, *commands: tuple[str, ...]) -> None:
    for command in commands:
        said = seller.types(*command, *C)
        assert (said.code, said.out.strip()) == (EXIT_FAILED, ""), command
        assert said.err.startswith("syncd: the database "), command
        assert advice in said.all, command


def test_nothing_starts_without_a_database(bare: Seller) -> None:
    advice = "does not exist: run `syncd migrate -c FILE` first"

    refused(bare, advice, ("run",), ("import", "items", "items.csv"))

    assert not bare.database.exists()


def test_nothing_starts_on_a_database_of_a_newer_syncd(seller: Seller) -> None:
    seller.does("UPDATE alembic_version SET version_num = '9999'")
    advice = "it was written by a newer one. Install that version or restore a backup"

    refused(seller, advice, ("run",))

    assert seller.asks("SELECT version_num FROM alembic_version") == [("9999",)]


def test_migrating_creates_the_database_and_again_does_nothing(bare: Seller) -> None:
    first, second = bare.types("migrate", *C), bare.types("migrate", *C)

    assert (first.code, second.code) == (0, 0)
    assert "went from nothing to" in first.all
    assert "already" in second.all


def test_a_damaged_database_is_told_without_a_traceback(seller: Seller) -> None:
    roots = seller.asks("SELECT rootpage FROM sqlite_master WHERE tbl_name != 'alembic_version' AND rootpage > 1")
    ((size,),) = seller.asks("PRAGMA page_size")
    with seller.database.open("r+b") as file:
        for (root,) in roots:
            file.seek((root - 1) * size)
            file.write(b"\xff" * size)

    said = seller.types("status", *C)

    assert said.code == EXIT_FAILED
    assert "malformed. Restore a backup" in said.all


# --- imports --------------------------------------------------------------------------------------------------


def test_wrong_rows_of_items_are_told_by_line_and_column_and_the_others_go_in(seller: Seller) -> None:
    file = seller.writes(
        "items.csv", "sku,title,safety_stock", "RED,Red Clock,1", "BLUE,Blue,many", ",None,", "PINK,,2"
    )

    said = seller.types("import", "items", file, *C)

    assert said.code == EXIT_FAILED
    assert "2 new" in said.all
    assert "line 3, safety_stock:" in said.all
    assert "line 4, sku:" in said.all
    assert seller.asks("SELECT code FROM sku ORDER BY code") == [("PINK",), ("RED",)]


def test_wrong_rows_of_a_count_are_told_by_line_and_column_and_the_others_go_in(seller: Seller) -> None:
    Book(seller, "RED", "BLUE").db.close()
    now = datetime.now(UTC).isoformat()
    file = seller.writes(
        "stock.csv",
        "sku,warehouse,on_hand,as_of",
        f"RED,hamburg,5,{now}",
        f"RED,berlin,5,{now}",
        f"NOPE,hamburg,5,{now}",
        f"BLUE,hamburg,-1,{now}",
        "BLUE,hamburg,1,yesterday",
    )

    said = seller.types("import", "stock", file, *C)

    assert said.code == EXIT_FAILED
    assert "1 levels counted" in said.all
    for line, column in ((3, "warehouse"), (4, "sku"), (5, "on_hand"), (6, "as_of")):
        assert f"line {line}, {column}:" in said.all
    assert seller.asks("SELECT on_hand FROM level") == [(5,)]


def test_right_files_go_in_and_again_change_nothing(seller: Seller) -> None:
    items = seller.writes("items.csv", "sku;title", "RED;Red Clock")
    stock = seller.writes("stock.csv", "sku;warehouse;on_hand", "RED;hamburg;7")
    as_of = ("--as-of", "2026-11-20T08:00:00+01:00")

    first = seller.types("import", "items", items, *C), seller.types("import", "stock", stock, *as_of, *C)
    again = seller.types("import", "stock", stock, *as_of, *C)

    assert [said.code for said in (*first, again)] == [0] * 3
    assert "1 new, 0 changed" in first[0].all
    assert "1 levels counted" in first[1].all
    assert "0 levels counted, 1 were counted so already" in again.all
    assert seller.asks("SELECT on_hand FROM level") == [(7,)]


def test_names_that_look_like_markup_are_printed_as_they_are(seller: Seller) -> None:
    file = seller.writes("items.csv", "sku,title,[/b],[red]", "[/],A [bold] clock,x,y", "[/x],,,")

    said = seller.types("import", "items", file, *C)

    assert said.code == 0
    assert "columns not known and not used: [/b], [red]" in said.all


def test_a_file_that_cannot_be_imported_is_told(seller: Seller) -> None:
    said = seller.types("import", "items", seller.writes("items.csv", "no,such,columns", "1,2,3"), *C)

    assert said.code == EXIT_FAILED
    assert "syncd: items.csv:" in said.all


def test_an_instant_nobody_can_read_is_a_wrong_command(seller: Seller) -> None:
    said = seller.types("import", "stock", "stock.csv", "--as-of", "yesterday", *C)

    assert said.code == USAGE
    assert "'yesterday' is no instant with an offset" in said.all


# --- the book -------------------------------------------------------------------------------------------------


def item_of(name: str) -> str:
    """A Shopify inventory item for each name."""
    return f"gid://shopify/InventoryItem/{sum(name.encode())}"


class Book:
    """What a daemon would have written into a seller's database."""

    def __init__(self, seller: Seller, *skus: str) -> None:
        self._folder = seller.folder
        self._world = open_world(settings.load(seller.folder / "syncd.toml"))
        self.db: Database = self._world.db
        self.account_id = self._world.ids.accounts["shop"]
        items = self._folder / seller.writes("items.csv", "sku,title", *(f"{code},{code.title()}" for code in skus))
        import_items(self.db, items, self._world.clock.now())

    def counts(self, code: str, pieces: int) -> None:
        now = self._world.clock.now()
        path = self._folder / "stock.csv"
        path.write_text(f"sku,warehouse,on_hand\n{code},hamburg,{pieces}\n")
        import_stock(self.db, path, now, now - timedelta(hours=1))

    def takes_in(self, order: OrderState) -> None:
        def run(connection: Connection) -> None:
            now = self._world.clock.now()
            arrived = Arrived(self.account_id, order.channel_order_id, "orders/create", "poll", b"{}")
            insert_arrived(connection, [arrived], now)
            inbox_id = connection.execute(text("SELECT max(id) FROM inbox")).scalar_one()
            incoming = Incoming(self.account_id, inbox_id, "poll", order.channel_order_id, order)
            apply_batch(connection, (incoming,), self._world.views, now)

        self.db.transact_now(run)

    def lists(self, name: str, *skus: str) -> None:
        def run(connection: Connection) -> None:
            head: dict[str, Any] = {"account_id": self.account_id, "channel_sku": item_of(name), "line_key": name}
            where = "gid://shopify/Location/1"
            connection.execute(insert(listing).values(**head, channel_location=where, code=name, budget_key=name))
            for code in skus:
                connection.execute(
                    text(
                        "INSERT INTO listing_component (listing_id, sku_id, units)"
                        " SELECT l.id, s.id, 1 FROM listing l, sku s WHERE l.code = :name AND s.code = :code"
                    ),
                    {"name": name, "code": code},
                )

        self.db.transact_now(run)


@pytest.fixture
def stocked(seller: Seller) -> Iterator[tuple[Seller, Book]]:
    """A seller with seven red clocks, listed."""
    book = Book(seller, "RED-CLOCK")
    book.counts("RED-CLOCK", 7)
    book.lists("RED-CLOCK", "RED-CLOCK")
    yield seller, book
    book.db.close()


def test_a_wrong_level_is_named(stocked: tuple[Seller, Book]) -> None:
    seller, book = stocked
    book.takes_in(an_order(quantity=2))
    seller.does("UPDATE level SET on_hand = on_hand + 1")

    wrong, as_json = seller.types("audit", *C), seller.types("audit", *C, "--json")

    assert wrong.code == as_json.code == EXIT_FAILED
    assert "level.fold" in wrong.all
    assert "sku RED-CLOCK, warehouse hamburg" in wrong.all
    assert "found on_hand 8" in wrong.all
    assert "expected on_hand 7" in wrong.all
    assert "likely cause:" in wrong.all
    told = json.loads(as_json.out)
    assert told["clean"] is False
    (violation,) = told["violations"]
    assert violation["rule"] == "level.fold"
    assert violation["subject"] == {"sku_id": 1, "warehouse_id": 1}


def test_the_status_is_told_to_people_and_to_programs(stocked: tuple[Seller, Book]) -> None:
    seller, book = stocked
    book.takes_in(an_order(sku="UNHEARD-OF", quantity=2))

    for_people, for_programs = seller.types("status", *C), seller.types("status", *C, "--json")

    assert (for_people.code, for_programs.code, for_programs.err) == (0, 0, "")
    told = json.loads(for_programs.out)
    assert [account["key"] for account in told["accounts"]] == ["shop"]
    assert told["warehouses"][0]["stock"]["on_hand"] == 7
    assert told["open_alerts"] == 1
    assert "shop" in for_people.all
    assert "UNHEARD-OF, which no listing of ours maps to a SKU" in for_people.all


def test_an_order_is_shipped_once(stocked: tuple[Seller, Book]) -> None:
    seller, book = stocked
    book.takes_in(an_order(quantity=2))

    first, again = seller.types("ship", "#1001", *C), seller.types("ship", "#1001", *C)
    audited = seller.types("audit", *C)

    assert (first.code, again.code, audited.code) == (0, EXIT_FAILED, 0)
    assert "the book is proved" in audited.all
    assert "order #1001 of shop: shipped 2 from hamburg" in first.all
    assert "has nothing to ship" in again.all
    assert seller.asks("SELECT on_hand, reserved FROM level") == [(5, 0)]


def test_an_orders_name_is_printed_as_it_is(stocked: tuple[Seller, Book]) -> None:
    seller, book = stocked
    book.takes_in(an_order(a_line(quantity=9), order_id="[/red]"))

    said = seller.types("ship", "#[/red]", *C)

    assert said.code == 0
    assert "order #[/red] of shop: shipped 7 from hamburg" in said.all
    assert "2 units of it are still to go" in said.all


def test_an_order_nobody_knows_is_told(seller: Seller) -> None:
    Book(seller).db.close()

    unknown = seller.types("ship", "#[/4711]", *C)

    assert unknown.code == EXIT_FAILED
    assert "syncd: no order goes by '#[/4711]': give its name as the channel shows it" in unknown.all


# --- going live -----------------------------------------------------------------------------------------------


def test_going_live_names_every_obstacle(stocked: tuple[Seller, Book]) -> None:
    seller, book = stocked
    book.lists("GREEN-CLOCK")
    seller.does(
        "INSERT INTO sku (code) VALUES ('BLUE-CLOCK')",
        "INSERT INTO inbox (account_id, event_key, topic, way, received_at)"
        " SELECT id, 'event', 'topic', 'poll', 0 FROM account",
    )
    book.lists("BLUE-CLOCK", "BLUE-CLOCK")

    said = seller.types("go-live", "shop", *C, "--yes")

    assert said.code == EXIT_FAILED
    assert "shop cannot go live yet:" in said.all
    for obstacle in (
        "its open orders are not taken in (a poll was complete never): let `syncd run` poll it first",
        "1 events wait in the inbox: let `syncd run` take them in",
        "1 listings are not mapped to a SKU: fill in the file that `syncd import listings --from shop`",
        "the stock of 1 SKUs is older than 24 h or was never counted: run `syncd import stock FILE`",
    ):
        assert obstacle in said.all
    assert seller.asks("SELECT state FROM account") == [("observing",)]


def test_going_live_twice_is_told(stocked: tuple[Seller, Book]) -> None:
    seller, _ = stocked
    seller.does("UPDATE account SET state = 'live'")

    said = seller.types("go-live", "shop", *C, "--yes")

    assert said.code == 0
    assert said.all.strip() == "shop is live already: nothing to do"


def test_a_channel_that_cannot_be_asked_is_told_with_what_to_do(stocked: tuple[Seller, Book]) -> None:
    seller, _ = stocked
    seller.hurries()
    now = int(datetime.now(UTC).timestamp() * 1e6)
    seller.does(
        f"INSERT INTO cursor (account_id, stream, polled_to, horizon_at, moved_at)"
        f" SELECT id, 'orders', {now}, {now}, {now} FROM account"
    )

    for command in (("go-live", "shop", "--yes"), ("import", "listings", "--from", "shop")):
        said = seller.types(*command, *C)
        assert said.code == EXIT_FAILED
        assert "check base_url and that this machine reaches it" in said.all
    assert seller.asks("SELECT state FROM account") == [("observing",)]


# --- the wrong order of use -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), USAGE, "Usage:"),
        (("nonsense",), USAGE, "No such command 'nonsense'"),
        (("import",), USAGE, "Usage:"),
        (("import", "stock"), USAGE, "Missing argument"),
        (("ship",), USAGE, "Missing argument"),
        (("import", "listings", *C), USAGE, "Missing option '--from'"),
        (("ship", "#1001", "--account", "outlet", *C), EXIT_FAILED, "the configuration names shop"),
        (("import", "listings", "--from", "shop", "--map", "none.csv", *C), EXIT_FAILED, "none.csv"),
        (("go-live", "outlet", *C), EXIT_FAILED, "no account has the key 'outlet'"),
        (("demo", "--for", "ages"), USAGE, "is not a duration: write 60s, 5m or 1h"),
        (("sandbox", "syncd.toml"), EXIT_FAILED, "syncd.toml"),
        (("status", "-c", "."), EXIT_CONFIG, "Is a directory"),
    ],
)
def test_a_wrong_command_ends_with_words(seller: Seller, arguments: Any, code: int, told: str) -> None:
    Book(seller).db.close()

    said = seller.types(*arguments)

    assert said.code == code
    assert told in said.all


@pytest.mark.parametrize("arguments", [("go-live", "shop"), ("ship", "#1001")])
def test_a_command_before_its_time_says_what_comes_first(seller: Seller, arguments: tuple[str, ...]) -> None:
    said = seller.types(*arguments, *C)

    assert said.code == EXIT_FAILED
    assert "does not know shop, hamburg yet: start `syncd run` with this configuration" in said.all


# --- the daemon -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def running(daemon: Process) -> AsyncIterator[Process]:
    try:
        yield daemon
    finally:
        daemon.kill()


async def until(true: Callable[[], bool], within_s: float = 30.0) -> None:
    give_up_at = asyncio.get_running_loop().time() + within_s
    while not true():
        assert asyncio.get_running_loop().time() < give_up_at, "it did not come to pass"
        await asyncio.sleep(0.05)


def holders(seller: Seller) -> set[tuple[Any, ...]]:
    return set(seller.asks("SELECT name, holder IS NOT NULL FROM lease"))


HELD = {("account:shop", 1), ("scheduler", 1)}
GIVEN_BACK = {("account:shop", 0), ("scheduler", 0)}


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_daemon_cleanly(seller: Seller, stop: signal.Signals) -> None:
    async with running(seller.daemon()) as daemon:
        await daemon.answers(seller.address)
        assert holders(seller) == HELD

        os.kill(daemon.pid, stop)
        await until(lambda: not daemon.running)

        assert await daemon.stop() == 0
        assert holders(seller) == GIVEN_BACK
        log = daemon.log.read_text()
    assert "Traceback" not in log
    assert SECRET not in log
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert (events[-1], events.count("daemon.started")) == ("daemon.stopped", 1)


async def test_a_second_daemon_refuses_and_a_standby_takes_over_when_the_first_is_killed(seller: Seller) -> None:
    async with AsyncExitStack() as processes:
        first = await processes.enter_async_context(running(seller.daemon()))
        await first.answers(seller.address)
        standby = await processes.enter_async_context(running(seller.daemon("--standby", name="standby")))
        await until(lambda: "daemon.standing_by" in standby.log.read_text())
        refused = await asyncio.to_thread(seller.types, "run", *C)

        assert refused.code == EXIT_BUSY
        assert f"another syncd (process {first.pid} on" in refused.all
        assert "--standby" in refused.all
        assert first.running
        assert holders(seller) == HELD

        first.kill()
        await standby.answers(seller.address)

        assert await standby.stop() == 0
        assert holders(seller) == GIVEN_BACK


async def test_an_address_in_use_is_told_and_the_leases_given_back(seller: Seller) -> None:
    with socket.create_server(("127.0.0.1", seller.port)):
        said = await asyncio.to_thread(seller.types, "run", *C)

    assert said.code == EXIT_FAILED
    assert f"('127.0.0.1', {seller.port})" in said.all
    assert holders(seller) == GIVEN_BACK

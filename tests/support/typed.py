"""A seller in a folder, where commands run as a person types them, and the book that a daemon would have written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, text

from adapters.contract import OrderState
from syncd import config as settings
from syncd.bootstrap import open_world
from syncd.catalogue.items import import_items
from syncd.db.database import Database
from syncd.db.tables import listing
from syncd.orders.book import Incoming
from syncd.orders.inbox import Arrived, insert_arrived
from syncd.orders.take_in import apply_batch
from syncd.stock.import_stock import import_stock
from tests.support.commands import Commands

CONFIG = """
[database]
url = "sqlite:///syncd.db"

[http]
port = {port}

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
SECRET = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


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
class Typist:
    """Types commands in a folder. Whatever happens, they show neither a traceback nor a secret."""

    folder: Path
    commands: Commands
    secrets: dict[str, str] = field(default_factory=lambda: {"SHOP_SECRET": SECRET})

    def types(self, *arguments: str) -> Said:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCD_", "CREDENTIALS_"))}
        environment = {**kept, **self.secrets, "COLUMNS": "220", "NO_COLOR": "1"}
        said = Said(*self.commands.run(arguments, self.folder, environment))
        assert "Traceback" not in said.all, said.err
        assert not any(value in said.all for value in self.secrets.values())
        return said

    def writes(self, name: str, *lines: str) -> str:
        (self.folder / name).write_text("\n".join(lines) + "\n")
        return name

    def asks(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "syncd.db")) as connection:
            return connection.execute(query).fetchall()

    def dump(self) -> list[str]:
        """The whole database as SQL."""
        with closing(sqlite3.connect(self.folder / "syncd.db")) as connection:
            return list(connection.iterdump())

    def does(self, *statements: str) -> None:
        """Change the database behind everybody's back."""
        with closing(sqlite3.connect(self.folder / "syncd.db")) as connection, connection:
            for statement in statements:
                connection.execute(statement)


class Book:
    """What a daemon would have written into the database of a folder's configuration."""

    def __init__(self, folder: Path, *skus: str) -> None:
        self._folder = folder
        self.world = open_world(settings.load(folder / "syncd.toml"))
        self.db: Database = self.world.db
        self.account_id = self.world.ids.accounts["shop"]
        self.orders = 0
        items = folder / "items.csv"
        items.write_text("\n".join(["sku,title", *(f"{code},{code.title()}" for code in skus)]) + "\n")
        import_items(self.db, items, self.world.clock.now())

    def counts(self, code: str, pieces: int) -> None:
        now = self.world.clock.now()
        path = self._folder / "stock.csv"
        path.write_text(f"sku,warehouse,on_hand\n{code},hamburg,{pieces}\n")
        import_stock(self.db, path, now, now - timedelta(hours=1))

    def takes_in(self, *orders: OrderState, body: bytes = b"{}") -> None:
        self.db.transact_now(self._take_in, orders, body)

    def _take_in(self, connection: Connection, orders: Sequence[OrderState], body: bytes) -> None:
        now = self.world.clock.now()
        for order in orders:
            self.orders += 1
            key = f"{order.channel_order_id}/{self.orders}"
            insert_arrived(connection, [Arrived(self.account_id, key, "orders/create", "poll", body)], now)
            inbox_id = connection.execute(text("SELECT max(id) FROM inbox")).scalar_one()
            incoming = Incoming(self.account_id, inbox_id, "poll", key, order)
            apply_batch(connection, (incoming,), self.world.views, now)

    def lists(self, name: str, *skus: str) -> None:
        self.db.transact_now(self._list, name, skus)

    def _list(self, connection: Connection, name: str, skus: Sequence[str]) -> None:
        head: dict[str, Any] = {"account_id": self.account_id, "channel_sku": f"item/{name}", "line_key": name}
        connection.execute(insert(listing).values(**head, channel_location="main", code=name, budget_key=name))
        for code in skus:
            connection.execute(
                text(
                    "INSERT INTO listing_component (listing_id, sku_id, units)"
                    " SELECT l.id, s.id, 1 FROM listing l, sku s WHERE l.code = :name AND s.code = :code"
                ),
                {"name": name, "code": code},
            )

"""What a replay must remember of its file, on disk: a scratch SQLite file, so that memory does not grow with it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from syncd.catalogue.codes import normalise
from syncd.db.types import from_micros, to_micros
from syncd.simulation.replay.reasons import Reason
from syncd.simulation.replay.sift import Line

_TABLES: Final = """
CREATE TABLE sku (norm TEXT PRIMARY KEY, code TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE line (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, ord TEXT NOT NULL, sku TEXT NOT NULL, quantity INT NOT NULL,
    at INT NOT NULL, customer TEXT NOT NULL, country TEXT NOT NULL, channel TEXT NOT NULL, ends INT, free INT NOT NULL
);
CREATE TABLE ord (
    name TEXT PRIMARY KEY, at INT NOT NULL, account TEXT NOT NULL, country TEXT NOT NULL, ends INT,
    order_id TEXT, shown_name TEXT
) WITHOUT ROWID;
CREATE TABLE ord_line (
    ord TEXT NOT NULL, sku TEXT NOT NULL, quantity INT NOT NULL, lines INT NOT NULL, sold INT NOT NULL DEFAULT 0,
    PRIMARY KEY (ord, sku)
) WITHOUT ROWID;
CREATE TABLE taken_back (line INT NOT NULL, ord TEXT NOT NULL, sku TEXT NOT NULL, units INT NOT NULL);
CREATE TABLE booked (account TEXT NOT NULL, name TEXT NOT NULL, units INT NOT NULL);
CREATE TABLE had (account TEXT NOT NULL, name TEXT NOT NULL, units INT NOT NULL);
CREATE TABLE told (reason TEXT PRIMARY KEY, lines INT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class ToPlace:
    """An order to be placed; `lines` are (sku, quantity, lines of the file)."""

    at: datetime
    name: str
    account: str
    country: str
    lines: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class ToTakeBack:
    """A line that takes back units of earlier orders; `parts` are (order, sku, units)."""

    at: datetime
    parts: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class ToEnd:
    """An order that the file says was cancelled as a whole."""

    at: datetime
    name: str


Step = ToPlace | ToTakeBack | ToEnd


@dataclass(frozen=True, slots=True)
class Wish:
    """A SKU with what all orders want of it."""

    code: str
    units: int


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """What the channel made of an order: `account` and its id there."""

    account: str
    order_id: str


class Scratch:
    """Take lines in, then `arrange` once, then play the steps."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16000;" + _TABLES)
        self._db.execute("BEGIN")

    def close(self) -> None:
        self._db.close()

    # --- taking in ------------------------------------------------------------------------------------------------

    def add(self, number: int, line: Line, cells: list[str]) -> bool:
        """False for a line that is there already, to the last cell."""
        norm = normalise(line.sku)
        self._db.execute("INSERT OR IGNORE INTO sku VALUES (?, ?)", (norm, line.sku))
        done = self._db.execute(
            "INSERT OR IGNORE INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                hashlib.blake2b("\x1f".join(cells).encode(), digest_size=12).digest(),
                line.order,
                norm,
                line.quantity,
                to_micros(line.at),
                line.customer,
                line.country,
                line.channel,
                None if line.cancelled_at is None else to_micros(line.cancelled_at),
                max(0, line.quantity),
            ),
        )
        return done.rowcount == 1

    def count(self, reason: Reason, lines: int = 1) -> None:
        if lines:
            self._db.execute(
                "INSERT INTO told VALUES (?, ?) ON CONFLICT (reason) DO UPDATE SET lines = lines + excluded.lines",
                (reason.name, lines),
            )

    def told(self) -> dict[Reason, int]:
        return {Reason[name]: lines for name, lines in self._db.execute("SELECT reason, lines FROM told")}

    # --- arranging ------------------------------------------------------------------------------------------------

    def arrange(self, account_of: Callable[[str, str], str]) -> None:
        """Make orders of lines, each for the account that `account_of(order, channel)` says; match what comes back."""
        self._db.create_function("account_of", 2, account_of, deterministic=True)
        self._db.execute(
            "INSERT INTO ord SELECT ord, min(at), account_of(ord, min(channel)), min(country), max(ends), NULL, NULL"
            " FROM line WHERE quantity > 0 GROUP BY ord"
        )
        self._db.execute(
            "INSERT INTO ord_line SELECT ord, sku, sum(quantity), count(*), 0 FROM line WHERE quantity > 0"
            " GROUP BY ord, sku"
        )
        self._db.execute("CREATE INDEX bought ON line (customer, sku, at) WHERE quantity > 0")
        self._match()
        self._db.execute("CREATE INDEX ord_at ON ord (at)")
        self._db.execute("CREATE INDEX back ON taken_back (line)")
        self._db.execute("COMMIT")

    def _match(self) -> None:
        """Cover each cancellation by earlier lines of the same customer and code, the latest first."""
        returned = self._db.execute(
            "SELECT id, sku, -quantity, at, customer FROM line WHERE quantity < 0 ORDER BY at, id"
        )  # sorted before the first comes, so that what is changed meanwhile does not matter
        unmatched = 0
        for number, sku, units, at, customer in returned:
            parts = self._cover(sku, units, at, customer) if customer else []
            if not parts:
                unmatched += 1
            for line, order, part in parts:
                self._db.execute("UPDATE line SET free = free - ? WHERE id = ?", (part, line))
                self._db.execute("INSERT INTO taken_back VALUES (?, ?, ?, ?)", (number, order, sku, part))
        self.count(Reason.UNMATCHED, unmatched)

    def _cover(self, sku: str, units: int, at: int, customer: str) -> list[tuple[int, str, int]]:
        parts = []
        bought = self._db.execute(
            "SELECT id, ord, free FROM line WHERE customer = ? AND sku = ? AND at <= ? AND quantity > 0 AND free > 0"
            " ORDER BY at DESC, id DESC",
            (customer, sku, at),
        )
        for line, order, free in bought:
            part = min(units, free)
            parts.append((line, order, part))
            units -= part
            if not units:
                return parts
        return []

    # --- what is there --------------------------------------------------------------------------------------------

    def wishes(self) -> Iterator[Wish]:
        found = self._db.execute(
            "SELECT sku.code, sum(quantity) FROM ord_line JOIN sku ON sku.norm = ord_line.sku GROUP BY sku.norm"
            " ORDER BY sku.norm"
        )
        for code, units in found:
            yield Wish(code, units)

    def span(self) -> tuple[datetime, datetime] | None:
        """The instants of the first and the last order."""
        first, last = self._db.execute("SELECT min(at), max(at) FROM ord").fetchone()
        return None if first is None else (from_micros(first), from_micros(last))

    def amounts(self) -> tuple[int, int]:
        """(orders, lines of the file that are still to be played)"""
        orders = self._db.execute("SELECT count(*) FROM ord").fetchone()[0]
        lines = self._db.execute("SELECT coalesce(sum(lines), 0) FROM ord_line").fetchone()[0]
        back = self._db.execute("SELECT count(DISTINCT line) FROM taken_back").fetchone()[0]
        return orders, lines + back

    def nameless(self) -> int:
        """Lines of orders without a customer: nothing can be taken back of them."""
        found: int = self._db.execute("SELECT count(*) FROM line WHERE customer = ''").fetchone()[0]
        return found

    # --- playing --------------------------------------------------------------------------------------------------

    def steps(self) -> Iterator[Step]:
        """Everything that is to be done, in time."""
        found = self._db.execute(
            "SELECT at, 0, name, account, country FROM ord"
            " UNION ALL SELECT line.at, 1, line.id, '', '' FROM line WHERE id IN (SELECT line FROM taken_back)"
            " UNION ALL SELECT ends, 2, name, '', '' FROM ord WHERE ends IS NOT NULL AND ends >= at ORDER BY 1, 2, 3"
        )
        for micros, kind, key, account, country in found:
            at = from_micros(micros)
            if kind == 0:
                yield ToPlace(at, key, account, country, self._lines(key))
            elif kind == 1:
                yield ToTakeBack(at, self._parts(key))
            else:
                yield ToEnd(at, key)

    def _lines(self, order: str) -> tuple[tuple[str, int, int], ...]:
        found = self._db.execute(
            "SELECT code, quantity, lines FROM ord_line JOIN sku ON sku.norm = sku WHERE ord = ? ORDER BY sku", (order,)
        )
        return tuple(found.fetchall())

    def _parts(self, line: int) -> tuple[tuple[str, str, int], ...]:
        found = self._db.execute(
            "SELECT ord, code, units FROM taken_back JOIN sku ON norm = sku WHERE line = ? ORDER BY 1, 2", (line,)
        )
        return tuple(found.fetchall())

    def note_placed(self, name: str, order_id: str, shown_name: str, sold: Mapping[str, int]) -> None:
        self._db.execute("UPDATE ord SET order_id = ?, shown_name = ? WHERE name = ?", (order_id, shown_name, name))
        self._db.executemany(
            "UPDATE ord_line SET sold = ? WHERE ord = ? AND sku = ?",
            [(units, name, normalise(code)) for code, units in sold.items()],
        )

    def placed(self, name: str) -> PlacedOrder | None:
        found = self._db.execute("SELECT account, order_id FROM ord WHERE name = ?", (name,)).fetchone()
        return None if found is None or found[1] is None else PlacedOrder(*found)

    def sold(self, name: str, code: str) -> int:
        """What the buyer still has of it, in units."""
        found = self._db.execute("SELECT sold FROM ord_line WHERE ord = ? AND sku = ?", (name, normalise(code)))
        row = found.fetchone()
        return 0 if row is None else int(row[0])

    def sold_in_all(self, name: str) -> int:
        found = self._db.execute("SELECT coalesce(sum(sold), 0) FROM ord_line WHERE ord = ?", (name,)).fetchone()
        return int(found[0])

    def set_sold(self, name: str, code: str, units: int) -> None:
        self._db.execute("UPDATE ord_line SET sold = ? WHERE ord = ? AND sku = ?", (units, name, normalise(code)))

    def end(self, name: str) -> None:
        self._db.execute("UPDATE ord_line SET sold = 0 WHERE ord = ?", (name,))

    # --- comparing ------------------------------------------------------------------------------------------------

    def take_book(self, account: str, orders: Iterable[tuple[str, int]]) -> None:
        """Take in what the book has of an account: (name, units) an order."""
        self._db.executemany("INSERT INTO booked VALUES (?, ?, ?)", [(account, *order) for order in orders])

    def take_channel(self, account: str, orders: Iterable[tuple[str, int]]) -> None:
        """Take in what an account's channel has: (name, units that its buyer still has) an order."""
        self._db.executemany("INSERT INTO had VALUES (?, ?, ?)", [(account, *order) for order in orders])

    def accepted(self, account: str) -> int:
        """How many orders the account's channel took."""
        found = self._db.execute("SELECT count(order_id) FROM ord WHERE account = ?", (account,)).fetchone()
        return int(found[0])

    def wrong_orders(self) -> Iterator[str]:
        """Every order that is not in the book exactly once with the units that its buyer still has.

        What was placed is compared with what the channel has, and that with the book.
        """
        self._db.execute("CREATE INDEX IF NOT EXISTS ord_shown ON ord (account, shown_name)")
        self._db.execute("CREATE INDEX IF NOT EXISTS had_name ON had (account, name)")
        self._db.execute("CREATE INDEX IF NOT EXISTS booked_name ON booked (account, name)")
        yield from self._not_as_placed()
        for account, name, times in self._db.execute(
            "SELECT o.account, o.shown_name, count(b.name) FROM ord o"
            " LEFT JOIN booked b ON b.account = o.account AND b.name = o.shown_name"
            " WHERE o.order_id IS NOT NULL GROUP BY 1, 2 HAVING count(b.name) <> 1"
        ):
            yield f"{account}: order {name} is in the book {times} times"
        for account, name in self._db.execute(
            "SELECT account, name FROM booked b WHERE NOT EXISTS"
            " (SELECT 1 FROM ord o WHERE o.account = b.account AND o.shown_name = b.name)"
        ):
            yield f"{account}: order {name} is in the book, and nobody placed it"
        for account, name, has, booked in self._db.execute(
            "SELECT h.account, h.name, h.units, b.units FROM had h"
            " JOIN booked b ON b.account = h.account AND b.name = h.name WHERE h.units <> b.units"
        ):
            yield f"{account}: of order {name} the buyer has {has} units, and the book {booked}"

    def _not_as_placed(self) -> Iterator[str]:
        for account, name, left, has in self._db.execute(
            "SELECT o.account, o.shown_name, (SELECT coalesce(sum(sold), 0) FROM ord_line WHERE ord = o.name) AS kept,"
            " h.units FROM ord o LEFT JOIN had h ON h.account = o.account AND h.name = o.shown_name"
            " WHERE o.order_id IS NOT NULL AND h.units IS NOT kept"
        ):
            shown = "does not have it" if has is None else f"has {has}"
            yield f"{account}: of order {name} the buyer was left {left} units, and the channel {shown}"
        for account, name in self._db.execute(
            "SELECT account, name FROM had h WHERE NOT EXISTS"
            " (SELECT 1 FROM ord o WHERE o.account = h.account AND o.shown_name = h.name)"
        ):
            yield f"{account}: the channel has order {name}, and nobody placed it"

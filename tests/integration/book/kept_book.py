"""A book with an order of every kind and numbers that are shown, and ways to corrupt it that no code of ours has."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, make_url, text

from syncd.db.database import Database
from syncd.db.engine import is_sqlite
from syncd.db.lease import Lease, acquire
from syncd.leases import SCHEDULER
from syncd.publishing.store.claim import Claimed, claim
from syncd.publishing.store.rows import Rules
from syncd.publishing.store.settle import Outcome, settle
from syncd.reconcile.auditor import AGAIN, Auditor
from tests.support.builders import NOW, Seller, a_seller, an_order

LATER = NOW + timedelta(hours=1)
_CHECKS = (
    ("level", "ck_level_covered"),
    ("level", "ck_level_reserved"),
    ("reservation", "ck_reservation_quantity"),
    ("line_component", "ck_line_component_units"),
)


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at: datetime = LATER

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def a_kept_book(db: Database) -> Seller:
    """Orders that wait, lack units, were cancelled, sent in part and sent; every listing shows what it should."""
    stock = {"RED-CLOCK": 20, "STAND": 20, "LAMP": 10, "RARE": 1}
    seller = a_seller(db, stock, listings={"KIT": {"RED-CLOCK": 1, "STAND": 2}})
    for code, sku_id in seller.skus.items():
        seller.does(f"INSERT INTO sku_alias (normalised_code, sku_id) VALUES ('{code.lower()}', {sku_id})")
    seller.takes_in(
        an_order(order_id="plain", quantity=2),
        an_order(order_id="kit", sku="KIT", quantity=1),
        an_order(order_id="sent", sku="LAMP", quantity=2),
        an_order(order_id="part", sku="LAMP", quantity=2),
        an_order(order_id="short", sku="RARE", quantity=3),
        an_order(order_id="gone", quantity=3),
    )
    seller.takes_in(
        an_order(order_id="sent", sku="LAMP", quantity=2, fulfilled=2, minute=1),
        an_order(order_id="part", sku="LAMP", quantity=2, fulfilled=1, minute=1),
        an_order(order_id="gone", quantity=0, cancelled=True, minute=1),
    )
    publish(seller, NOW + timedelta(minutes=2), "first")
    return seller


def publish(seller: Seller, now: datetime, key: str) -> Claimed:
    """Claim what is due as the publisher does, and let the channel take what is written."""
    claimed = seller.db.transact_now(_claim, seller, now, key)
    if claimed.push is not None:
        done = [Outcome(row.listing_id, "applied") for row in claimed.push.rows]
        seller.db.transact_now(settle, rules_of(seller, now), key, done, now)
    return claimed


def _claim(connection: Connection, seller: Seller, now: datetime, key: str) -> Claimed:
    return claim(connection, _rules(connection, seller, now), key, lambda rows: "{}", 100, now)


def rules_of(seller: Seller, now: datetime) -> Rules:
    return seller.db.transact_now(_rules, seller, now)


def _rules(connection: Connection, seller: Seller, now: datetime) -> Rules:
    lease = acquire(connection, "account:shop", "this test", now)
    assert isinstance(lease, Lease)
    account_id = seller.accounts["shop"].account_id
    return Rules(account_id, "shop", "available", 100, 60.0, 60.0, 1.0, 600.0, 300.0, lease)


def an_auditor(db: Database, time: Time, pages: int = 250, again: int = AGAIN) -> Auditor:
    lease = db.transact_now(acquire, SCHEDULER, "this test", NOW)
    assert isinstance(lease, Lease)
    return Auditor(db, time, lambda: replace(lease), pages, again)


def corrupt(db: Database, *statements: str) -> None:
    """Change the book as no code of ours could: without triggers, foreign keys and checks."""
    if not is_sqlite(db.url):
        with db.writer.begin() as connection:
            for table, check in _CHECKS:
                connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {check}"))
            for statement in ("SET LOCAL session_replication_role = replica", *statements):
                connection.execute(text(statement))
        return
    with closing(sqlite3.connect(make_url(db.url).database or "")) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for trigger in ("movement_no_update", "movement_no_delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()

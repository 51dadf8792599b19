"""Buyers' data: in two places only, through a whole run, and gone from there when somebody asks or time is up."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
import structlog
from sqlalchemy import Connection, select

from adapters.contract import Address
from syncd.accounts.erasure import erase_bodies, erase_recipient, find_bodies, find_erasable
from syncd.db.database import Database
from syncd.db.tables import metadata
from syncd.insight.decisions import list_decisions
from syncd.insight.explain_order import explain_order
from syncd.insight.listings import list_listings
from syncd.insight.orders import find_order, list_orders
from syncd.insight.recent import read_recent
from syncd.insight.status import read_status
from syncd.insight.stock import list_stock
from syncd.logging import OURS, configure
from syncd.orders.inbox import Arrived, insert_arrived
from syncd.reconcile.tidy import tidy
from tests.support.builders import NOW, Seller, a_seller, an_order
from tests.support.outside import shipping
from tests.support.shop import a_seller_with_shops

BUYER = {
    "name": "Zebedee Quillfeather",
    "address1": "Xylophone Crescent 99",
    "address2": "Flat Wobbegong",
    "city": "Uppsalaholm",
    "zip": "29614",
    "country": "DE",
    "phone": "+49 40 5550199377",
}
MORE = {"email": "zebedee@quillfeather.example", "note": "ring at Quillfeather, +49 40 5550199377"}
TELLING = (
    "Zebedee",
    "Quillfeather",
    "quillfeather",
    "Xylophone",
    "Wobbegong",
    "Uppsalaholm",
    "29614",
    "5550199377",
)
MAY_HOLD = ("recipient", "inbox")


def tables_that_tell(connection: Connection) -> set[str]:
    """Tables in which anything of the buyer stands, bytes included."""
    found = set()
    for table in metadata.tables.values():
        for row in connection.execute(select(table)):
            text = " ".join(
                value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in row
            )
            if any(word in text for word in TELLING):
                found.add(table.name)
    return found


def everything_read(connection: Connection) -> str:
    """What pages, commands and programs are shown."""
    orders = list_orders(connection, None, 100)
    shown = [
        orders,
        list_stock(connection, 0, 100),
        list_listings(connection, 0, 100),
        list_decisions(connection, None, 100),
        [explain_order(connection, each.id) for each in orders.rows],
        read_status(connection, NOW).to_json(),
    ]
    return msgspec.json.encode(shown).decode()


@contextmanager
def a_log() -> Iterator[io.StringIO]:
    """The daemon's own log from debug on, and afterwards what was there before."""
    loggers = [logging.getLogger(name) for name in ("", *OURS, "aiohttp.server")]
    before = [(each, each.level, each.handlers[:], each.filters[:]) for each in loggers]
    stream = io.StringIO()
    configure("debug", "json", stream)
    try:
        yield stream
    finally:
        logging.captureWarnings(False)
        for logger, level, handlers, filters in before:
            logger.setLevel(level)
            logger.handlers, logger.filters = handlers, filters
        structlog.reset_defaults()


async def test_through_a_whole_run_a_buyer_stands_in_two_tables_and_nowhere_else(db: Database) -> None:
    """Taken in by webhook and poll, allocated, oversold, edited, shipped, cancelled; and news that cannot be read."""
    with a_log() as log:
        async with a_seller_with_shops(db, {"RED-CLOCK": 3}) as seller:
            alpha, beta = seller.shops["alpha"], seller.shops["beta"]

            def tell_more(told: dict[str, Any]) -> None:
                told |= {**MORE, "customer": {"first_name": "Zebedee", "last_name": "Quillfeather", **MORE}}

            def spoil(told: dict[str, Any]) -> None:
                tell_more(told)
                told["line_items"] = "Zebedee Quillfeather"

            alpha.post.garble = tell_more
            first = await alpha.sells(quantity=2, ship_to=BUYER)
            gone = await beta.sells(quantity=3, ship_to=BUYER)
            await seller.works()
            seller.counts(20)
            for _ in range(3):
                await seller.minute()
            await alpha.sells(quantity=2, ship_to=BUYER)
            await seller.minute()
            await alpha.edits(first, 1)
            await seller.minute()
            await alpha.fulfils(first)
            await beta.cancels(gone)
            alpha.post.garble = spoil
            await alpha.sells(quantity=1, ship_to=BUYER)
            for _ in range(3):
                await seller.minute()

            kinds = {row["kind"] for row in seller.rows("SELECT kind FROM alert")}
            assert {"oversold", "parked_event"} <= kinds
            assert {row["state"] for row in seller.rows("SELECT state FROM sales_order")} == {
                "open",
                "fulfilled",
                "cancelled",
            }
            assert db.read_now(tables_that_tell) == set(MAY_HOLD)
            shown = db.read_now(everything_read)
    said = log.getvalue()
    assert "order" in said
    assert "#100" in shown or "RED-CLOCK" in shown
    for word in TELLING:
        assert word not in said
        assert word not in shown


async def test_what_a_warehouse_is_asked_to_send_stands_nowhere_else(db: Database) -> None:
    with a_log() as log:
        it = shipping(db)
        to = Address(BUYER["name"], (BUYER["address1"], BUYER["address2"]), BUYER["city"], None, BUYER["zip"], "DE")
        it.takes_in(replace(an_order(), ship_to=to))
        await it.sends()
        it.takes_in(replace(an_order(minute=1, cancelled=True), ship_to=to))
        await it.sends()

        assert [asked.ship_to.name for asked in it.warehouse.asked] == [BUYER["name"]]
        assert db.read_now(tables_that_tell) == {"recipient"}
    assert not any(word in log.getvalue() for word in TELLING)


# --- erasing --------------------------------------------------------------------------------------------------


def a_buyer(db: Database) -> Seller:
    """An order of the distinctive buyer, with an applied event, one that waits, and another buyer's event."""
    seller = a_seller(db)
    to = Address(BUYER["name"], (BUYER["address1"],), BUYER["city"], None, BUYER["zip"], "DE")
    seller.takes_in(replace(an_order(order_id="gid://shopify/Order/7001"), ship_to=to), an_order(order_id="8002"))
    bodies = (b'{"id": 7001, "to": "Zebedee"}', b'{"id": 8002, "to": "Ada"}', b'{"id": 7001, "to": "Zebedee again"}')

    def arrive(connection: Connection) -> None:
        shop = seller.accounts["shop"].account_id
        insert_arrived(
            connection,
            [Arrived(shop, f"event/{n}", "orders/updated", "webhook", body) for n, body in enumerate(bodies)],
            NOW,
        )

    db.transact_now(arrive)
    seller.does(
        "UPDATE inbox SET state = 'applied', settled_at = received_at WHERE event_key IN ('event/0', 'event/1')",
        "UPDATE sales_order SET name = '#7001' WHERE channel_order_id = 'gid://shopify/Order/7001'",
    )
    return seller


def erase(db: Database, name: str = "#7001") -> bool:
    order_id = db.read_now(find_order, name)
    bodies, _ = db.read_now(find_bodies, order_id, 0)
    erased = db.transact_now(erase_bodies, bodies.settled + bodies.waiting, NOW)
    return db.transact_now(erase_recipient, order_id, erased, NOW)


def test_an_erasure_takes_the_recipient_and_the_bodies_and_leaves_one_row_in_the_journal(db: Database) -> None:
    seller = a_buyer(db)
    order_id = db.read_now(find_order, "#7001")
    found, after = db.read_now(find_bodies, order_id, 0)
    assert (len(found.settled), len(found.waiting), found.asked, after) == (1, 1, (), None)
    assert db.read_now(find_erasable, order_id).fields == ("name", "street", "city", "postcode", "country")

    assert erase(db)

    (row,) = seller.rows("SELECT * FROM recipient WHERE order_id = :order_id", order_id=order_id)
    assert [row[name] for name in ("name", "street", "city", "province", "postcode", "country")] == [None] * 6
    assert row["erased_at"] is not None
    (noted,) = db.read_now(list_decisions, None, 10, "erasure").rows
    assert (noted.order_id, noted.inputs["fields"], noted.outcome) == (
        order_id,
        ["name", "street", "city", "postcode", "country"],
        {"recipient": True, "bodies": 1, "asked": 1},
    )
    assert seller.rows("SELECT name FROM recipient WHERE name IS NOT NULL")[0]["name"] == "Ada Buyer"
    kept = {row["event_key"]: row["body"] for row in seller.rows("SELECT event_key, body FROM inbox")}
    assert kept["event/0"] is None
    assert kept["event/1"] is not None
    assert kept["event/2"] is not None
    (told,) = [each for each in db.read_now(read_recent).decisions if each.kind == "erasure"]
    assert told.outcome == "the buyer's data erased, 1 event when it is taken in"


def test_events_that_wait_when_a_buyer_is_erased_lose_their_bodies_once_they_are_taken_in(db: Database) -> None:
    seller = a_buyer(db)
    erase(db)

    def bodies() -> dict[str, bytes | None]:
        return {row["event_key"]: row["body"] for row in seller.rows("SELECT event_key, body FROM inbox")}

    db.transact_now(tidy, 100, NOW)
    waits = bodies()
    seller.does("UPDATE inbox SET state = 'applied', settled_at = received_at WHERE event_key = 'event/2'")
    done = db.transact_now(tidy, 100, NOW)
    again = db.transact_now(tidy, 100, NOW)

    assert waits["event/2"] is not None
    assert bodies()["event/2"] is None
    assert bodies()["event/1"] is not None
    assert (done["asked_bodies_erased"], again["asked_bodies_erased"]) == (1, 0)


def test_erasing_again_changes_and_notes_nothing(db: Database) -> None:
    a_buyer(db)
    assert erase(db)

    assert not erase(db)

    assert len(db.read_now(list_decisions, None, 10, "erasure").rows) == 1


def test_what_comes_in_after_an_erasure_brings_nothing_back(db: Database) -> None:
    seller = a_buyer(db)
    order = replace(an_order(order_id="gid://shopify/Order/7001", minute=5, quantity=2))
    erase(db)

    seller.takes_in(order)

    told = seller.rows("SELECT event_key, erase_asked_at FROM inbox ORDER BY id DESC LIMIT 1")
    assert [row["erase_asked_at"] is not None for row in told] == [True], "its body goes when all is tidied"
    (row,) = seller.rows(
        "SELECT r.name FROM recipient r JOIN sales_order o ON o.id = r.order_id WHERE o.name = '#7001'"
        " OR o.channel_order_id = 'gid://shopify/Order/7001'"
    )
    assert row["name"] is None
    assert sum(seller.reserved("gid://shopify/Order/7001").values()) == 2


def test_an_order_without_a_recipient_is_closed_to_one_that_comes_later(db: Database) -> None:
    seller = a_seller(db)
    seller.takes_in(replace(an_order(), ship_to=None))

    assert erase(db, "#1001")
    seller.takes_in(an_order(minute=1))

    assert [row["name"] for row in seller.rows("SELECT name FROM recipient")] == [None]


def test_the_decision_of_an_erased_order_still_derives_again(db: Database) -> None:
    a_buyer(db)
    erase(db)

    told = db.read_now(explain_order, db.read_now(find_order, "#7001"))

    assert told.allocations[0].derives_again
    assert told.allocations[0].to_postcode_prefix == "29"
    assert told.recipient_erased_at == NOW


@pytest.mark.parametrize(("days", "kept"), [(30.0, True), (7.0, False)])
def test_how_long_a_recipient_is_kept_can_be_said(db: Database, days: float, kept: bool) -> None:
    seller = a_seller(db)
    seller.takes_in(an_order(fulfilled=1, fulfilled_minute=1))

    db.transact_now(tidy, 100, NOW + timedelta(days=10), days)

    assert bool(seller.rows("SELECT 1 FROM recipient WHERE name IS NOT NULL")) is kept


# --- in time, and in steps ------------------------------------------------------------------------------------


def orders_of_three_months(db: Database) -> Seller:
    """An order a day for 90 days: every third cancelled, every tenth still open, the others sent at once."""
    seller = a_seller(db, {"RED-CLOCK": 500})
    for day in range(90):
        fate = {"cancelled": True} if day % 3 == 0 else {} if day % 10 == 1 else {"fulfilled": 1, "fulfilled_minute": 1}
        seller.takes_in(an_order(order_id=str(day), **fate))
    day = 86_400_000_000
    seller.does(
        *(
            f"UPDATE sales_order SET {each} = {each} + {day} * CAST(channel_order_id AS BIGINT)"
            for each in ("first_applied_at", "version_at", "last_shipped_at")
        )
    )
    return seller


def kept(seller: Seller) -> set[int]:
    query = (
        "SELECT o.channel_order_id AS day FROM recipient r JOIN sales_order o ON o.id = r.order_id"
        " WHERE r.name IS NOT NULL"
    )
    return {int(row["day"]) for row in seller.rows(query)}


def tidied(db: Database, limit: int, at: datetime) -> list[int]:
    """How many recipients each step of a run has looked at, as the job goes on as long as one is full."""
    looked_at: list[int] = []
    while not looked_at or looked_at[-1] >= limit:
        looked_at.append(db.transact_now(tidy, limit, at)["recipients_looked_at"])
    return looked_at


def test_recipients_are_erased_in_steps_and_only_what_is_old_is_looked_at(db: Database) -> None:
    seller = orders_of_three_months(db)
    still_open = {day for day in range(90) if day % 10 == 1 and day % 3}

    first = tidied(db, 7, NOW + timedelta(days=69.5))
    assert kept(seller) == {day for day in range(90) if day >= 40 or day in still_open}
    second = tidied(db, 7, NOW + timedelta(days=69.5, hours=1))
    third = tidied(db, 7, NOW + timedelta(days=69.5, hours=2))
    later = tidied(db, 7, NOW + timedelta(days=69.5, hours=25))

    assert sum(first) == 90, "the first run of a day goes to the end"
    assert sum(second) == sum(third) == len([day for day in still_open if day < 40])
    assert sum(later) == len(kept(seller)) + 1
    assert kept(seller) == {day for day in range(90) if day >= 41 or day in still_open}


def test_an_order_that_had_left_long_before_it_came_in_is_erased_within_a_day(db: Database) -> None:
    seller = a_seller(db)
    tidied(db, 7, NOW)
    seller.takes_in(an_order(fulfilled=1, fulfilled_minute=1))
    seller.does("UPDATE sales_order SET version_at = 1, last_shipped_at = NULL")

    tidied(db, 7, NOW + timedelta(hours=2))
    assert len(seller.rows("SELECT 1 FROM recipient WHERE name IS NOT NULL")) == 1
    tidied(db, 7, NOW + timedelta(hours=24))

    assert seller.rows("SELECT 1 FROM recipient WHERE name IS NOT NULL") == []

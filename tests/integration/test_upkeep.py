"""What waits in vain is given up and told, and alerts that nobody's work closes end all the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from syncd.accounts.store import AccountSetup, Identities, WarehouseSetup, sync_parties
from syncd.alerts import given_up
from syncd.alerts.deliveries import Outgoing, enqueue
from syncd.alerts.losses import close_old_losses
from syncd.alerts.overdue import Known
from syncd.alerts.store import Alert, open_alerts
from syncd.alerts.upkeep import Upkeep
from syncd.db.database import Database
from syncd.db.lease import Lease, acquire
from syncd.db.tables import inbox, outbox
from syncd.leases import SCHEDULER
from tests.integration.test_telling import Time
from tests.support.builders import NOW

DAY = timedelta(days=1)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def ids(db: Database) -> Identities:
    accounts = [AccountSetup(key, "shopify", "priority", 0, None, ("own",)) for key in ("shop", "gone")]
    places = [WarehouseSetup(key, key, "own", "DE", "20095", "UTC") for key in ("own", "closed-down")]
    return db.transact_now(sync_parties, accounts, places, NOW)


@pytest.fixture
def known(ids: Identities) -> Known:
    """The configuration has one account, one warehouse and one webhook."""
    return Known(
        frozenset(["erp"]),
        frozenset(["order.allocated"]),
        frozenset([ids.accounts["shop"]]),
        frozenset([ids.warehouses["own"]]),
    )


def an_upkeep(db: Database, time: Time, known: Known) -> Upkeep:
    lease = db.transact_now(acquire, SCHEDULER, "one", NOW, 10**9)
    assert isinstance(lease, Lease)
    return Upkeep(db, time, lambda: lease, time.now, known)


@pytest.fixture
def upkeep(db: Database, time: Time, known: Known) -> Upkeep:
    return an_upkeep(db, time, known)


def put(db: Database, at: Time, keys: Iterable[str], route: str = "erp") -> None:
    db.transact_now(enqueue, [Outgoing(route, key, "order.allocated", "{}") for key in keys], at.at)


def put_stock(db: Database, at: Time, key: str) -> None:
    db.transact_now(enqueue, [Outgoing("erp", key, "stock.changed", "{}", "stock/1/1")], at.at)


def rows(db: Database, query: str) -> list[Any]:
    return [tuple(row) for row in db.read_now(lambda connection: connection.execute(text(query)).all())]


def is_open(db: Database) -> list[str]:
    return [key for (key,) in rows(db, "SELECT key FROM alert WHERE closed_at IS NULL ORDER BY key")]


# --- what waits in vain -------------------------------------------------------------------------------------


async def test_events_for_a_receiver_that_is_dead_for_days_are_given_up_and_told(
    db: Database, time: Time, upkeep: Upkeep
) -> None:
    put(db, time, (f"old-{n}" for n in range(1_234)))
    time.at += 2 * DAY
    put(db, time, ["new"])
    await upkeep.run()
    assert is_open(db) == [], "three days are not over"

    time.at += DAY + timedelta(minutes=1)
    await upkeep.run()

    assert rows(db, "SELECT key FROM delivery WHERE state = 'waiting'") == [("new",)]
    assert rows(db, "SELECT count(*), max(body) FROM delivery WHERE state = 'failed'") == [(1_234, "")]
    [(key, detail)] = rows(db, "SELECT key, detail FROM alert")
    assert key == "messages_lost:erp"
    assert detail.startswith("1,234 messages: ")


async def test_no_more_than_so_many_wait_for_one_route(
    db: Database, time: Time, upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_up, "MOST_WAITING", 100)
    put(db, time, (f"{n:04}" for n in range(1_300)))
    put_stock(db, time, "stock")

    await upkeep.run()

    left = rows(db, "SELECT key FROM delivery WHERE state = 'waiting' ORDER BY id")
    assert left == [*((f"{n:04}",) for n in range(1_200, 1_300)), ("stock",)], "the newest stay, and the stock"
    assert is_open(db) == ["messages_lost:erp"]


async def test_news_of_stock_is_as_old_as_its_newest(db: Database, time: Time, upkeep: Upkeep) -> None:
    put_stock(db, time, "first")
    time.at += timedelta(days=2.9)
    put_stock(db, time, "second")
    time.at += timedelta(days=1)
    await upkeep.run()
    assert rows(db, "SELECT key, state FROM delivery") == [("second", "waiting")]

    time.at += timedelta(days=2.1)
    await upkeep.run()
    assert rows(db, "SELECT key, state FROM delivery") == [("second", "failed")]


async def test_a_loss_is_over_a_day_after_the_last(db: Database, time: Time, upkeep: Upkeep) -> None:
    put(db, time, ["old"])
    time.at += timedelta(days=3.1)
    await upkeep.run()
    time.at += timedelta(hours=23)
    await upkeep.run()
    assert is_open(db) == ["messages_lost:erp"]

    time.at += timedelta(hours=2)
    await upkeep.run()

    assert is_open(db) == []
    assert db.transact_now(close_old_losses, time.at) == 0


async def test_what_waits_for_a_route_that_is_gone_goes(db: Database, time: Time, upkeep: Upkeep) -> None:
    put(db, time, (f"{n}" for n in range(700)), route="former")
    put(db, time, ["mine"])

    await upkeep.run()

    assert rows(db, "SELECT route, count(*) FROM delivery WHERE state = 'waiting' GROUP BY route") == [("erp", 1)]


async def test_events_of_the_last_webhook_go_with_it(db: Database, time: Time, known: Known) -> None:
    def happens(connection: Any) -> None:
        events = [{"topic": "order.allocated", "body": "{}", "at": NOW} for _ in range(1_100)]
        connection.execute(insert(outbox), events)

    db.transact_now(happens)
    await an_upkeep(db, time, known).run()
    assert rows(db, "SELECT count(*) FROM outbox") == [(1_100,)], "a webhook still wants them"

    await an_upkeep(db, time, replace(known, topics=frozenset())).run()

    assert rows(db, "SELECT count(*) FROM outbox") == [(0,)]


def test_what_is_given_up_is_found_by_an_index(db: Database) -> None:
    plans = []
    for query in (
        "SELECT id FROM delivery WHERE route = 'erp' AND state = 'waiting' AND created_at < 5"
        " ORDER BY created_at LIMIT 500",
        "SELECT id FROM delivery WHERE route = 'erp' AND state = 'waiting' AND subject IS NULL"
        " ORDER BY id DESC LIMIT 1 OFFSET 100000",
    ):
        if db.url.startswith("sqlite"):
            plans.append(" ".join(str(row[-1]) for row in rows(db, f"EXPLAIN QUERY PLAN {query}")))
        else:

            def explained(connection: Any, query: str = query) -> str:
                connection.execute(text("SET LOCAL enable_seqscan = off"))
                return "\n".join(connection.execute(text(f"EXPLAIN {query}")).scalars())

            plans.append(db.transact_now(explained))

    assert "ix_delivery_waiting_created" in plans[0]
    assert "ix_delivery_waiting_plain" in plans[1] or "uq_delivery_subject (route=? AND subject=?)" in plans[1]
    assert not any("TEMP B-TREE" in plan or "Sort" in plan for plan in plans)


# --- alerts that nobody closes ------------------------------------------------------------------------------


async def test_alerts_of_what_the_configuration_has_no_more_are_closed(
    db: Database, time: Time, upkeep: Upkeep, ids: Identities
) -> None:
    def of_account(kind: str, key: str) -> Alert:
        return Alert(f"{kind}:{ids.accounts[key]}", kind, "", "", ids.accounts[key])

    def of_warehouse(kind: str, key: str) -> Alert:
        return Alert(f"{kind}:{ids.warehouses[key]}", kind, "", "", warehouse_id=ids.warehouses[key])

    stay = [
        of_account("channel_down", "shop"),
        of_account("oversold", "gone"),
        of_warehouse("warehouse_down", "own"),
        Alert("route_down:erp", "route_down", "", ""),
    ]
    go = [
        *(of_account(kind, "gone") for kind in ("channel_down", "auth_expired", "queue_down", "listing_refused")),
        *(of_warehouse(kind, "closed-down") for kind in ("warehouse_down", "unknown_codes")),
        Alert("route_down:former", "route_down", "", ""),
    ]
    db.transact_now(open_alerts, [*stay, *go], NOW)

    await upkeep.run()

    assert is_open(db) == sorted(each.key for each in stay)


async def test_a_parked_event_is_told_until_nothing_is_left_of_it(
    db: Database, time: Time, upkeep: Upkeep, ids: Identities
) -> None:
    def arrives(connection: Any) -> None:
        usual = {"account_id": ids.accounts["shop"], "topic": "orders/create", "way": "webhook", "received_at": NOW}
        for number, state, body in ((1, "parked", b"?"), (2, "parked", None), (3, "applied", b"{}")):
            connection.execute(insert(inbox).values(id=number, event_key=f"{number}", state=state, body=body, **usual))
        open_alerts(
            connection,
            [Alert(f"parked_event:{n}", "parked_event", "", "", ids.accounts["shop"]) for n in range(1, 5)],
            NOW,
        )

    db.transact_now(arrives)

    await upkeep.run()

    assert is_open(db) == ["parked_event:1"]

"""What a person is shown, read from a real book on both engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, event, insert, text

from syncd.accounts.store import AccountSetup, Identities, WarehouseSetup, set_state, sync_parties
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.database import Database
from syncd.db.tables import cursor, dirty_listing, hold, inbox, level, push_batch, sku
from syncd.insight.status import COUNTED_TO, LEVELS_SUMMED_TO, AccountStatus, Status, read_status
from syncd.insight.store import add_lags, add_tallies
from tests.support.builders import NOW, a_database, a_seller, an_order

POSTGRES = pytest.param("postgresql", marks=pytest.mark.postgres)
ACCOUNTS = tuple(AccountSetup(key, "shopify", "priority", 0, None, ("own",)) for key in ("shop", "outlet"))
WAREHOUSES = (
    WarehouseSetup("own", "Back room", "own", "DE", "20095", "UTC"),
    WarehouseSetup("reno", "Reno", "3pl", "US", "89502", "UTC"),
)


@pytest.fixture(params=["sqlite", POSTGRES])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with a_database(request.param, tmp_path) as database:
        yield database


@pytest.fixture
def ids(db: Database) -> Identities:
    return db.transact_now(sync_parties, ACCOUNTS, WAREHOUSES, NOW - timedelta(days=3))


def put(db: Database, table: Table, *rows: dict[str, Any]) -> None:
    db.transact_now(lambda connection: [connection.execute(insert(table).values(row)) for row in rows])


def run(db: Database, statement: str, **values: Any) -> None:
    db.transact_now(lambda connection: connection.execute(text(statement), values))


def status_of(db: Database) -> Status:
    return db.read_now(read_status, NOW)


def account_of(db: Database, key: str = "shop") -> AccountStatus:
    (found,) = (each for each in status_of(db).accounts if each.key == key)
    return found


def list_items(db: Database, ids: Identities, count: int) -> None:
    """Listings 1 to `count` of the shop."""
    run(
        db,
        "INSERT INTO listing (id, account_id, channel_sku, channel_location, line_key, budget_key)"
        " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
        " SELECT i, :account, CAST(i AS TEXT), 'main', 'k', 'b' FROM n",
        count=count,
        account=ids.accounts["shop"],
    )


def dirty(listing_id: int, ids: Identities, *, due_in_s: float, waits_for: str | None = None) -> dict[str, Any]:
    return {
        "listing_id": listing_id,
        "account_id": ids.accounts["shop"],
        "urgency": listing_id % 2,
        "due_at": NOW + timedelta(seconds=due_in_s),
        "waits_for": waits_for,
    }


# --- accounts -------------------------------------------------------------------------------------------------


def test_an_empty_database_has_nothing_to_tell(db: Database) -> None:
    status = status_of(db)

    assert (status.accounts, status.warehouses, status.alerts, status.open_alerts) == ((), (), (), 0)
    assert (status.inbox.new, status.inbox.parked, status.inbox.oldest_new_at) == (0, 0, None)


def test_a_new_account_observes_and_has_never_been_polled(db: Database, ids: Identities) -> None:
    shop = account_of(db)

    assert (shop.channel, shop.state, shop.polled_to, shop.horizon_at) == ("shopify", "observing", None, None)
    assert shop.orders_in == {"webhook": 0, "queue": 0, "poll": 0, "fetch": 0}
    assert shop.totals["oversold_units"] == 0
    assert shop.lags == {}
    assert [each.key for each in status_of(db).accounts] == ["outlet", "shop"]


def test_an_account_shows_its_state_its_polls_and_its_totals(db: Database, ids: Identities) -> None:
    account_id = ids.accounts["shop"]
    polled = NOW - timedelta(seconds=42)
    db.transact_now(set_state, account_id, "live", NOW - timedelta(hours=1))
    put(db, cursor, {"account_id": account_id, "stream": "orders", "polled_to": polled, "moved_at": NOW})
    db.transact_now(
        add_tallies,
        {
            ("account:shop", "orders_in.webhook"): 7,
            ("account:shop", "orders_in.poll"): 2,
            ("account:shop", "oversold_units"): 3,
            ("account:outlet", "oversold_units"): 1,
        },
    )

    shop = account_of(db)

    assert (shop.state, shop.state_changed_at) == ("live", NOW - timedelta(hours=1))
    assert shop.polled_to == polled
    assert shop.orders_in == {"webhook": 7, "queue": 0, "poll": 2, "fetch": 0}
    assert shop.totals["oversold_units"] == 3
    assert shop.to_json(NOW)["polled_to_age_s"] == 42.0


def test_lags_are_told_as_quantiles(db: Database, ids: Identities) -> None:
    samples = [(ids.accounts["shop"], "placed_to_book.webhook", seconds) for seconds in (1.0, 2.0, 3.0, 100.0)]
    db.transact_now(add_lags, [*samples, (ids.accounts["outlet"], "placed_to_shown", 5.0)])

    lags = account_of(db).lags

    assert list(lags) == ["placed_to_book.webhook"]
    told = lags["placed_to_book.webhook"].to_json()
    assert told["count"] == 4
    assert 2.0 <= told["p50_s"] <= 2.2
    assert 100.0 <= told["p99_s"] <= 110.0


def test_the_backlog_tells_what_is_due_and_what_the_others_wait_for(db: Database, ids: Identities) -> None:
    list_items(db, ids, 6)
    put(
        db,
        dirty_listing,
        dirty(1, ids, due_in_s=0),
        dirty(2, ids, due_in_s=-60, waits_for=None),
        dirty(3, ids, due_in_s=60, waits_for="certification"),
        dirty(4, ids, due_in_s=60, waits_for="certification"),
        dirty(5, ids, due_in_s=60, waits_for="unmapped"),
        dirty(6, ids, due_in_s=60),
    )

    backlog = account_of(db).backlog

    assert backlog.due == 2
    assert backlog.waiting == {"certification": 2, "its time": 1, "unmapped": 1}
    assert account_of(db, "outlet").backlog.due == 0


def test_a_backlog_is_counted_no_further_than_a_person_wants_to_know(db: Database, ids: Identities) -> None:
    list_items(db, ids, COUNTED_TO + 50)
    run(
        db,
        "INSERT INTO dirty_listing (listing_id, account_id, urgency, due_at) SELECT id, account_id, 0, 0 FROM listing",
    )

    assert account_of(db).backlog.due == COUNTED_TO + 1

    run(db, "UPDATE dirty_listing SET due_at = 9000000000000000, waits_for = 'certification'")

    assert account_of(db).backlog.waiting == {"certification": COUNTED_TO + 1}


def test_writes_on_their_way_and_units_held_back_belong_to_their_account(db: Database, ids: Identities) -> None:
    list_items(db, ids, 2)
    times = {"created_at": NOW, "sent_at": NOW, "settle_by": NOW}
    put(
        db,
        push_batch,
        {"key": "a", "account_id": ids.accounts["shop"], **times},
        {"key": "b", "account_id": ids.accounts["shop"], "state": "settled", **times},
    )
    span = {"kind": "shortfall", "from_at": NOW, "to_at": NOW, "expires_at": NOW, "opened_at": NOW}
    put(
        db,
        hold,
        {"listing_id": 1, "quantity": 3, **span},
        {"listing_id": 2, "quantity": 2, **span},
        {"listing_id": 2, "quantity": 9, "closed_at": NOW, **span},
    )

    shop, outlet = account_of(db), account_of(db, "outlet")

    assert (shop.pushes_in_flight, shop.open_holds, shop.held_units) == (1, 2, 5)
    assert (outlet.pushes_in_flight, outlet.open_holds, outlet.held_units) == (0, 0, 0)


# --- the inbox, alerts and warehouses ------------------------------------------------------------------------


def test_the_inbox_tells_how_much_waits_and_how_long(db: Database, ids: Identities) -> None:
    states = ["applied", "new", "new", "hinted", "parked", "ignored"]
    put(
        db,
        inbox,
        *(
            {
                "account_id": ids.accounts["shop"],
                "event_key": f"e{number}",
                "topic": "orders/create",
                "way": "webhook",
                "state": state,
                "received_at": NOW - timedelta(seconds=60 - number),
            }
            for number, state in enumerate(states)
        ),
    )

    told = status_of(db).to_json()["inbox"]

    assert (told["new"], told["hinted"], told["parked"]) == (2, 1, 1)
    assert told["oldest_new_age_s"] == 59.0


def test_the_newest_open_alerts_are_told_and_all_are_counted(db: Database, ids: Identities) -> None:
    for number in range(60):
        alert = Alert(f"k{number}", "oversold", "a buyer waits", f"order {number}", ids.accounts["shop"])
        db.transact_now(open_alerts, [alert], NOW - timedelta(minutes=100 - number))
    db.transact_now(open_alerts, [Alert("k58", "oversold", "a buyer waits", "order 58")], NOW)
    db.transact_now(close_alerts, ["k59"], NOW)

    status = status_of(db)

    assert status.open_alerts == 59
    assert [each.key for each in status.alerts] == [f"k{number}" for number in range(58, 8, -1)]
    assert (status.alerts[0].account, status.alerts[0].times) == ("shop", 2)
    assert (status.alerts[0].opened_at, status.alerts[0].last_seen_at) == (NOW - timedelta(minutes=42), NOW)


def test_a_warehouse_tells_the_sum_of_its_levels(db: Database, ids: Identities) -> None:
    put(db, sku, {"id": 1, "code": "RED-CLOCK"}, {"id": 2, "code": "BLUE-CLOCK"})
    own = ids.warehouses["own"]
    put(
        db,
        level,
        {"sku_id": 1, "warehouse_id": own, "on_hand": 5, "reserved": 2},
        {"sku_id": 2, "warehouse_id": own, "on_hand": 3, "unavailable": 1, "reserved": 3, "short": 1},
    )
    db.transact_now(add_tallies, {("warehouse:own", "units_reserved"): 12})

    status = status_of(db)
    told = {each.key: each.to_json(status.at) for each in status.warehouses}

    assert told["own"]["stock"] == {"on_hand": 8, "unavailable": 1, "reserved": 5, "short": 1}
    assert told["own"]["units_reserved"] == 12
    assert told["reno"]["stock"] == {"on_hand": 0, "unavailable": 0, "reserved": 0, "short": 0}


def test_levels_are_not_summed_where_there_are_too_many(db: Database, ids: Identities) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) SELECT i"
    run(db, f"INSERT INTO sku (id, code) {numbers}, CAST(i AS TEXT) FROM n", count=LEVELS_SUMMED_TO + 1)
    own = ids.warehouses["own"]
    run(db, "INSERT INTO level (sku_id, warehouse_id, on_hand) SELECT id, :own, 1 FROM sku", own=own)

    assert {each.stock for each in status_of(db).warehouses} == {None}

    run(db, "DELETE FROM level WHERE sku_id = 1")

    assert {each.stock.on_hand for each in status_of(db).warehouses if each.stock} == {LEVELS_SUMMED_TO, 0}


# --- as a whole -----------------------------------------------------------------------------------------------


def test_real_orders_show_up(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})
    seller.takes_in(an_order(order_id="1", quantity=2))
    seller.takes_in(an_order(order_id="2", quantity=4), way="poll")

    (shop,) = status_of(db).accounts

    assert shop.orders_in == {"webhook": 1, "queue": 0, "poll": 1, "fetch": 0}
    assert shop.totals["oversold_units"] == 1
    assert {kind: lag.count for kind, lag in shop.lags.items()} == {
        "placed_to_book.poll": 1,
        "placed_to_book.webhook": 1,
    }
    assert shop.backlog.due == 1


def test_the_state_is_plain_json(db: Database, ids: Identities) -> None:
    db.transact_now(open_alerts, [Alert("k", "oversold", "a buyer waits", "order 1")], NOW)

    told = status_of(db).to_json()

    assert json.loads(json.dumps(told)) == told
    assert (told["at"], told["counted_to"]) == ("2026-11-27T10:00:00Z", COUNTED_TO)
    assert told["alerts"][0]["opened_at"] == "2026-11-27T10:00:00Z"
    assert set(told["accounts"][0]) >= {"key", "state", "backlog", "totals", "lags", "orders_in"}


def test_neither_history_nor_buyers_are_read(db: Database, ids: Identities) -> None:
    statements: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    def watched(connection: Connection) -> None:
        event.listen(connection, "before_cursor_execute", note)
        read_status(connection, NOW)

    db.read_now(watched)

    assert len(statements) < 25
    for table in ("movement", "sales_order", "order_line", "decision", "push_row", "recipient", "body"):
        assert not any(table in statement for statement in statements), table

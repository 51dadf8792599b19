"""Orders, stock and alerts reach webhooks: in the transaction that causes them, and only where somebody listens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, text

from syncd.alerts.deliveries import Outgoing, Tried, claim, enqueue, settle
from syncd.alerts.events import HookRule, hand_out
from syncd.alerts.messenger import LEASE
from syncd.alerts.outbox import TOPICS
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.database import TOPICS_OPTION, Database
from syncd.db.lease import Lease, acquire
from tests.support.builders import NOW, a_line, a_seller, an_order

ERP = HookRule("erp", frozenset(TOPICS))


@pytest.fixture
def lease(db: Database) -> Lease:
    taken = db.transact_now(acquire, LEASE, "one", NOW, 10**6)
    assert isinstance(taken, Lease)
    return taken


@pytest.fixture
def listening(db: Database) -> Database:
    """The database of a seller who has a webhook for everything."""
    db.writer.update_execution_options(**{TOPICS_OPTION: frozenset(TOPICS)})
    return db


def told(db: Database, lease: Lease, *hooks: HookRule, seed: str = "s") -> list[dict[str, Any]]:
    """What waits for the endpoints once everything is handed out."""
    while db.transact_now(hand_out, lease, hooks or (ERP,), seed, NOW):
        continue
    rows = db.read_now(
        lambda connection: connection.execute(
            text("SELECT route, body FROM delivery WHERE state = 'waiting' ORDER BY id")
        ).all()
    )
    return [{"route": row.route, **msgspec.json.decode(row.body)} for row in rows]


@pytest.fixture
def statements(db: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(db.writer, "before_cursor_execute", note)
    yield seen
    event.remove(db.writer, "before_cursor_execute", note)


def test_an_order_tells_what_it_reserved_and_how_stock_changed(listening: Database, lease: Lease) -> None:
    seller = a_seller(listening, {"RED-CLOCK": 5})
    told(listening, lease, HookRule("nobody", frozenset()))

    seller.takes_in(an_order(quantity=2))
    events = told(listening, lease)

    by_type = {each["type"]: each["data"] for each in events}
    assert by_type["order.allocated"] == {
        "account": "shop",
        "channel_order_id": "1001",
        "name": "#1001",
        "reserved": [{"warehouse": "hamburg", "units": 2}],
        "short": 0,
    }
    stock = by_type["stock.changed"]
    assert (stock["sku"], stock["warehouse"]) == ("RED-CLOCK", "hamburg")
    assert (stock["on_hand"], stock["reserved"], stock["available"]) == (5, 2, 3)


def test_nothing_of_a_buyer_leaves_by_a_webhook(listening: Database, lease: Lease) -> None:
    seller = a_seller(listening, {"RED-CLOCK": 5})
    seller.takes_in(an_order(quantity=9))

    said = msgspec.json.encode(told(listening, lease)).decode()

    assert "20095" not in said
    assert "oversold" in said


def test_an_alert_is_told_once_when_it_opens_and_once_when_it_closes(listening: Database, lease: Lease) -> None:
    alert = Alert("disk_low", "disk_low", "i", "m", subject="x", units=3)
    listening.transact_now(open_alerts, [alert], NOW)
    listening.transact_now(open_alerts, [alert], NOW + timedelta(seconds=5))
    listening.transact_now(close_alerts, ["disk_low", "another"], NOW + timedelta(seconds=9))
    listening.transact_now(close_alerts, ["disk_low"], NOW + timedelta(seconds=10))

    opened, closed = told(listening, lease)

    assert (opened["type"], closed["type"]) == ("alert.opened", "alert.closed")
    assert opened["data"]["severity"] == "critical"
    assert closed["data"]["closed_at"] == (NOW + timedelta(seconds=9)).isoformat()
    assert told(listening, lease) == [opened, closed], "nothing is handed out twice"


def test_each_endpoint_gets_the_topics_that_it_wants(listening: Database, lease: Lease) -> None:
    listening.transact_now(open_alerts, [Alert("disk_low", "disk_low", "i", "m")], NOW)
    listening.transact_now(close_alerts, ["disk_low"], NOW)

    only_closed = HookRule("pager", frozenset(["alert.closed"]))

    assert [(e["route"], e["type"]) for e in told(listening, lease, ERP, only_closed)] == [
        ("erp", "alert.opened"),
        ("erp", "alert.closed"),
        ("pager", "alert.closed"),
    ]


def test_of_a_level_only_the_newest_state_waits(listening: Database, lease: Lease) -> None:
    seller = a_seller(listening, {"RED-CLOCK": 50})
    for number in range(20):
        seller.takes_in(an_order(order_id=f"A{number}"))
        told(listening, lease, seed=f"s{number}")

    stock = [each["data"] for each in told(listening, lease) if each["type"] == "stock.changed"]

    assert [each["reserved"] for each in stock] == [20]


def test_what_is_replaced_while_it_is_sent_goes_on_waiting(db: Database, lease: Lease) -> None:
    def put(key: str) -> None:
        db.transact_now(enqueue, [Outgoing("erp", key, "stock.changed", key, "stock/1/1")], NOW)

    put("old")
    [under_way] = db.transact_now(claim, lease, "erp", 5, NOW, NOW + timedelta(seconds=30))
    put("new")
    done = Tried(under_way.id, under_way.key, "sent", None, NOW)
    db.transact_now(settle, lease, [done], None, NOW)

    [again] = db.transact_now(claim, lease, "erp", 5, NOW + timedelta(seconds=31), NOW + timedelta(seconds=60))
    assert again.key == "new"


def test_without_a_webhook_nothing_is_written_or_asked(db: Database, statements: list[str]) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})
    seller.takes_in(an_order(quantity=7))

    assert not [each for each in statements if "outbox" in each or "delivery" in each]


def test_a_batch_costs_one_statement_a_topic(listening: Database, statements: list[str]) -> None:
    seller = a_seller(listening, {"RED-CLOCK": 500, "BLUE-CLOCK": 500})
    statements.clear()

    seller.takes_in(
        *(an_order(a_line(quantity=1), a_line("BLUE-CLOCK", line_id="2"), order_id=f"{n}") for n in range(40))
    )

    assert len([each for each in statements if "INSERT INTO outbox" in each]) == 2


def test_a_rolled_back_transaction_tells_nobody(listening: Database, lease: Lease) -> None:
    def breaks(connection: Any) -> None:
        open_alerts(connection, [Alert("disk_low", "disk_low", "i", "m")], NOW)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        listening.transact_now(breaks)

    assert told(listening, lease) == []


def test_many_events_are_handed_out_in_bounded_steps(listening: Database, lease: Lease) -> None:
    alerts = [Alert(f"k{n}", "unmapped", "i", "m") for n in range(1_200)]
    listening.transact_now(open_alerts, alerts, NOW)

    steps = []
    while step := listening.transact_now(hand_out, lease, (ERP,), "s", NOW):
        steps.append(step)

    assert steps == [500, 500, 200]

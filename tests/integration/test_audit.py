"""The audit finds a true book clean, and names by its rule what somebody did to it behind our back."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from adapters.contract import Problem
from adapters.warehouse import ShipmentState, ShipmentStatus
from syncd.db.database import Database
from syncd.db.lease import Lease, acquire
from syncd.fulfilment.due import mark_sending
from syncd.fulfilment.plan import plan_shipments
from syncd.fulfilment.settle import note_shipment
from syncd.fulfilment.survey import Outside, survey
from syncd.publishing.store.claim import claim
from syncd.publishing.store.rows import Rules
from syncd.reconcile import lanes
from syncd.reconcile.audit import CHECKS, SWEEPS, AuditReport, Standing, audit, audit_async
from syncd.reconcile.checks import Check
from syncd.reconcile.lanes import audit_in_lanes
from syncd.reconcile.pages import read_page
from syncd.reconcile.sweeps import Sweep, read_sweep
from tests.integration.book.kept_book import corrupt
from tests.integration.conftest import copied
from tests.support import postgres
from tests.support.builders import NOW, Seller, a_line, a_seller, an_order


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database of its own for each test: corrupting one takes its triggers and indexes away."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def busy_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("busy") / "syncd.db"
    shutil.copyfile(sqlite_template, file)
    _become_busy(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def busy_postgresql(postgres_template: str) -> str:
    url = postgres.create_database(template=postgres_template)
    _become_busy(url)
    return url


def _become_busy(url: str) -> None:
    db = Database(url)
    a_busy_seller(db)
    db.close()


@pytest.fixture
def busy(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A busy seller's book, a copy for each test."""
    with copied(request.getfixturevalue(f"busy_{engine_name}"), tmp_path) as url:
        database = Database(url)
        yield database
        database.close()


def a_busy_seller(db: Database) -> Seller:
    """A book with an order of every kind, one of them being sent from outside, and a write in flight."""
    stock = {"hamburg": {"RED-CLOCK": 9, "STAND": 4}, "berlin": {"RED-CLOCK": 2, "STAND": 6}, "leeds": {"LAMP": 9}}
    places = {"hamburg": "own", "berlin": "3pl", "leeds": "3pl"}
    seller = a_seller(db, stock, listings={"KIT": {"RED-CLOCK": 1, "STAND": 2}}, warehouses=places)
    seller.takes_in(
        an_order(order_id="open", quantity=2),
        an_order(order_id="kit", sku="KIT", quantity=3),
        an_order(order_id="unmapped", sku="UNHEARD-OF", quantity=2),
        an_order(order_id="parked", quantity=1),
        an_order(order_id="vanished", quantity=1),
        an_order(order_id="cancelled", quantity=1),
        an_order(order_id="sent", quantity=2),
        an_order(order_id="short", quantity=9, placed_minute=1, problems=(Problem("currency", "unknown"),)),
    )
    seller.takes_in(
        an_order(a_line(parked="is not a number"), order_id="parked", minute=1),
        an_order(a_line(quantity=1, line_id="2"), order_id="vanished", minute=1),
        an_order(order_id="cancelled", quantity=0, cancelled=True, minute=1),
        an_order(order_id="sent", quantity=2, fulfilled=1, minute=1),
    )
    seller.counts("RED-CLOCK", 4, at=NOW + timedelta(hours=1))
    ship_lamps(seller)
    db.transact_now(_write_numbers, seller)
    return seller


def ship_lamps(seller: Seller) -> None:
    """The lamps of four orders are to be sent: planned, sent, accepted, and accepted and half cancelled since."""
    seller.takes_in(*(an_order(order_id=name, sku="LAMP", quantity=2) for name in ("told", "taken", "recalled")))
    seller.takes_in(an_order(a_line("LAMP", 2), replace(a_line("LAMP", line_id="2"), by_channel=True), order_id="plan"))
    seller.db.transact_now(_plan_and_send, seller, NOW + timedelta(minutes=2))
    seller.takes_in(an_order(order_id="recalled", sku="LAMP", quantity=1, minute=1))


def _plan_and_send(connection: Connection, seller: Seller, now: datetime) -> None:
    lease = acquire(connection, "warehouse:leeds", "this test", NOW)
    assert isinstance(lease, Lease)
    place = Outside(seller.warehouses["leeds"].warehouse_id, "leeds", seller.views())
    plan_shipments(connection, lease, place, survey(connection, place, 0.0, 9, now), 0.0, now)
    names = {row.name: row.reference for row in connection.execute(text(REQUESTS))}
    for name in ("#told", "#taken", "#recalled"):
        assert mark_sending(connection, lease, place, names[name], now)
    for name in ("#taken", "#recalled"):
        state = ShipmentState(names[name], "W-1", ShipmentStatus.ACCEPTED, {})
        note_shipment(connection, lease, place, state, now, now)


def _write_numbers(connection: Connection, seller: Seller) -> None:
    """Claim what is due as a publisher would: its write is stored, and in flight until somebody settles it."""
    lease = acquire(connection, "account:shop", "this test", NOW)
    assert isinstance(lease, Lease)
    account_id = seller.accounts["shop"].account_id
    rules = Rules(account_id, "shop", "available", 100, 60.0, 60.0, 1.0, 600.0, 300.0, lease)
    claimed = claim(connection, rules, "push-1", lambda rows: "{}", 100, NOW)
    assert claimed.push is not None


REQUESTS = "SELECT o.name, q.reference FROM shipment_request q JOIN sales_order o ON o.id = q.order_id"


def broken_rules(report: AuditReport) -> set[str]:
    return {rule for rule, broken in report.counted.items() if broken}


def test_a_book_with_orders_of_every_kind_is_clean(busy: Database) -> None:
    report = audit(busy)

    assert report.violations == ()
    assert report.clean
    assert not report.truncated
    assert [rule for rule, checked in report.checked.items() if not checked] == ["hold.quantity"]


def test_an_empty_book_is_clean(db: Database) -> None:
    report = audit(db)

    assert report.clean
    assert set(report.checked.values()) == {0}


HAMBURG = "warehouse_id = (SELECT id FROM warehouse WHERE key = 'hamburg')"
CLOCK = "sku_id = (SELECT id FROM sku WHERE code = 'RED-CLOCK')"
LINE = "(SELECT l.id FROM order_line l JOIN sales_order o ON o.id = l.order_id WHERE o.channel_order_id = '{}')"
OPEN, SHORT, SENT = (LINE.format(name) for name in ("open", "short", "sent"))
TAKEN_LINE, RECALLED = LINE.format("taken"), LINE.format("recalled")
ORDER = "(SELECT id FROM sales_order WHERE channel_order_id = '{}')"
TAKEN, OPEN_ORDER = ORDER.format("taken"), ORDER.format("open")
A_RESERVATION = "INSERT INTO reservation (order_line_id, sku_id, warehouse_id, stage, quantity)"
A_SHORTAGE = "INSERT INTO shortage (order_line_id, sku_id, quantity, reason, opened_at)"

CORRUPTIONS: dict[str, tuple[str, set[str], str]] = {
    "lost update of reserved": (
        f"UPDATE level SET reserved = reserved - 1, short = short - 1 WHERE {CLOCK} AND {HAMBURG}",
        {"level.fold", "level.reserved"},
        "lost",
    ),
    "missing movement": (
        f"DELETE FROM movement WHERE seq = 2 AND {CLOCK} AND {HAMBURG}",
        {"level.seq", "level.fold"},
        "missing",
    ),
    "missing newest movement": (
        "DELETE FROM movement WHERE kind = 'count' AND seq > 1",
        {"level.seq", "level.fold"},
        "missing",
    ),
    "movement without an update of its level": (
        "INSERT INTO movement (sku_id, warehouse_id, seq, kind, cause_key, actor, at)"
        f" SELECT sku_id, warehouse_id, seq + 1, 'adjustment', 'x', 'nobody', 0 FROM level WHERE {CLOCK} AND {HAMBURG}",
        {"level.seq"},
        "lost",
    ),
    "hand-edited level": (
        f"UPDATE level SET on_hand = on_hand + 100, short = 0 WHERE {CLOCK} AND {HAMBURG}",
        {"level.fold"},
        "by hand",
    ),
    "wrong short": (f"UPDATE level SET short = 77 WHERE {CLOCK} AND {HAMBURG}", {"level.short"}, "by hand"),
    "deleted level": (
        f"DELETE FROM level WHERE {CLOCK} AND {HAMBURG}",
        {"reservation.orphan", "movement.level"},
        "level was deleted",
    ),
    "reservation of what the line is not made of": (
        f"{A_RESERVATION} SELECT {OPEN}, s.id, w.id, 'shipped', 1 FROM sku s, warehouse w"
        " WHERE s.code = 'STAND' AND w.key = 'berlin'",
        {"reservation.orphan"},
        "not made of this SKU",
    ),
    "reservation of a deleted line": (
        f"{A_RESERVATION} SELECT 987654, s.id, w.id, 'shipped', 1 FROM sku s, warehouse w"
        " WHERE s.code = 'STAND' AND w.key = 'berlin'",
        {"reservation.orphan"},
        "line was deleted",
    ),
    "vanished reservation": (
        f"DELETE FROM reservation WHERE order_line_id = {OPEN}",
        {"level.reserved", "line.cover"},
        "without its release",
    ),
    "edit without its release": (
        f"UPDATE order_line SET quantity = 1 WHERE id = {OPEN}",
        {"line.cover"},
        "without its release",
    ),
    "cancellation that freed nothing": (
        f"UPDATE order_line SET quantity = 0 WHERE id = {OPEN};UPDATE sales_order SET state = 'cancelled'",
        {"line.cover"},
        "cancelled",
    ),
    "shortage that stayed when its units came": (
        f"UPDATE shortage SET quantity = quantity + 1 WHERE order_line_id = {SHORT}",
        {"line.cover"},
        "the shortage stayed",
    ),
    "unmapped line without its shortage": (
        "DELETE FROM shortage WHERE sku_id IS NULL",
        {"line.unmapped"},
        "no shortage says so",
    ),
    "shortage of a SKU that the line is not made of": (
        f"{A_SHORTAGE} SELECT {OPEN}, id, 1, 'oversold', 0 FROM sku WHERE code = 'STAND'",
        {"shortage.orphan"},
        "not made of this SKU",
    ),
    "shortage without a SKU on a mapped line": (
        f"{A_SHORTAGE} SELECT {OPEN}, NULL, 1, 'unmapped', 0",
        {"shortage.orphan"},
        "was mapped",
    ),
    "shipment booked twice": (
        f"UPDATE reservation SET quantity = quantity + 1 WHERE stage = 'shipped' AND order_line_id = {SENT}",
        {"line.shipped"},
        "twice",
    ),
    "in-flight cell without a push": (
        "DELETE FROM push_batch;DELETE FROM push_row",
        {"cell.push"},
        "does not exist",
    ),
    "in-flight cell of a settled push": (
        "UPDATE push_batch SET state = 'settled';DELETE FROM push_row",
        {"cell.push"},
        "is over",
    ),
    "push that a cell does not name": (
        "UPDATE cell SET in_flight_key = NULL",
        {"push.cell"},
        "does not wait for",
    ),
    "second push of a cell": (
        "INSERT INTO push_batch (key, account_id, created_at, sent_at, settle_by)"
        " SELECT 'push-2', account_id, created_at, sent_at, settle_by FROM push_batch;"
        "INSERT INTO push_row (key, listing_id, cell, value) SELECT 'push-2', listing_id, cell, value FROM push_row",
        {"push.cell"},
        "two writes",
    ),
    "push without rows": (
        "DELETE FROM push_row;UPDATE cell SET in_flight_key = NULL",
        {"push.empty"},
        "rows of a write",
    ),
    "component of a deleted SKU": (
        "UPDATE listing_component SET sku_id = 987654 WHERE units = 2",
        {"listing.component"},
        "SKU was deleted",
    ),
    "units reserved for what the channel ships itself": (
        f"UPDATE order_line SET by_channel = 1 WHERE id = {OPEN}",
        {"line.cover"},
        "from stock of its own",
    ),
    "shortage of what the channel ships itself": (
        "UPDATE order_line SET by_channel = 1 WHERE line_key = 'UNHEARD-OF'",
        {"line.unmapped"},
        "wants less",
    ),
    "shrunk order that nobody recalls": (
        "UPDATE shipment_request SET cancel_wanted_at = NULL",
        {"line.cover"},
        "nobody asks it to stop",
    ),
    "shrunk order that holds more than was asked for": (
        f"UPDATE reservation SET quantity = 2 WHERE stage = 'held' AND order_line_id = {RECALLED};"
        f"DELETE FROM reservation WHERE stage = 'accepted' AND order_line_id = {RECALLED}",
        {"line.cover"},
        "without its release",
    ),
    "accepted units of a request that ended": (
        f"UPDATE shipment_request SET state = 'cancelled', settled_at = 1 WHERE order_id = {TAKEN}",
        {"reservation.asked"},
        "nothing ever ends them",
    ),
    "accepted request of submitted units": (
        f"UPDATE reservation SET quantity = 2 - quantity WHERE stage <> 'held' AND order_line_id = {TAKEN_LINE}",
        {"reservation.asked"},
        "counts these pieces wrongly",
    ),
    "more reserved than was asked for": (
        f"UPDATE shipment_request_line SET pieces = 1 WHERE order_line_id = {TAKEN_LINE}",
        {"reservation.asked"},
        "waits for nothing",
    ),
    "reserved units that have all left": (
        f"UPDATE shipment_request_line SET shipped = pieces WHERE order_line_id = {TAKEN_LINE}",
        {"reservation.asked"},
        "still reserved",
    ),
    "request opened again": (
        f"UPDATE shipment_request SET settled_at = 1 WHERE order_id = {TAKEN}",
        {"shipment.state"},
        "opened again",
    ),
    "ended request without its end": (
        f"UPDATE shipment_request SET state = 'shipped' WHERE order_id = {TAKEN}",
        {"shipment.state", "reservation.asked"},
        "nobody noted when",
    ),
    "sent request without its sending": (
        "UPDATE shipment_request SET submitted_at = NULL WHERE state = 'submitted'",
        {"shipment.state"},
        "nobody noted when it was sent",
    ),
    "accepted request without its number": (
        "UPDATE shipment_request SET warehouse_shipment_id = NULL",
        {"shipment.state"},
        "nobody noted when it was accepted",
    ),
    "recall of what was never sent": (
        "UPDATE shipment_request SET cancel_wanted_at = 1 WHERE state = 'planned'",
        {"shipment.state"},
        "instead of being dropped",
    ),
    "cancellation of what is wanted": (
        f"UPDATE shipment_request SET cancel_sent_at = 1 WHERE order_id = {TAKEN}",
        {"shipment.state"},
        "what the order wants",
    ),
    "request for nothing": (
        "DELETE FROM shipment_request_line WHERE request_id IN"
        " (SELECT id FROM shipment_request WHERE state = 'planned')",
        {"shipment.state", "reservation.asked"},
        "asks for nothing",
    ),
    "lines of a deleted request": (
        "DELETE FROM shipment_request WHERE state = 'planned'",
        {"shipment.pieces", "reservation.asked"},
        "its lines were not",
    ),
    "request for another order's line": (
        f"UPDATE shipment_request SET order_id = {OPEN_ORDER} WHERE state = 'planned'",
        {"shipment.pieces", "reservation.asked"},
        "somebody else",
    ),
    "more gone than asked for": (
        f"UPDATE shipment_request_line SET shipped = 3 WHERE order_line_id = {TAKEN_LINE}",
        {"shipment.pieces", "reservation.asked"},
        "more is noted as gone",
    ),
    "request for units that nobody reserved": (
        "UPDATE shipment_request_line SET pieces = 3 WHERE request_id IN"
        " (SELECT id FROM shipment_request WHERE state = 'planned')",
        {"shipment.pieces"},
        "does not hold there",
    ),
    "empty hold left open": (
        "INSERT INTO hold (listing_id, quantity, kind, from_at, to_at, expires_at, opened_at)"
        " SELECT id, 0, 'shortfall', 0, 0, 0, 0 FROM listing",
        {"hold.quantity"},
        "not closed",
    ),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corrupted_book_is_named_by_its_rule(busy: Database, name: str) -> None:
    statements, rules, cause = CORRUPTIONS[name]
    corrupt(busy, *statements.split(";"))

    report = audit(busy)

    assert broken_rules(report) == rules
    assert any(cause in violation.likely_cause for violation in report.violations)


def test_an_order_that_came_in_another_case_is_named_with_its_twin(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 9})
    seller.takes_in(an_order(order_id="gid://shopify/Order/1"), an_order(order_id="gid://shopify/Order/2"))
    seller.takes_in(an_order(order_id="gid://shopify/order/2", minute=1))

    report = audit(db)

    assert broken_rules(report) == {"order.case"}
    (twin,) = report.violations
    assert {twin.found, twin.expected} == {"gid://shopify/Order/2", "gid://shopify/order/2"}


@pytest.mark.parametrize("twin", ["AB-1", "ab-1"])
def test_the_same_order_id_of_two_accounts_or_of_one_order_is_no_twin(db: Database, twin: str) -> None:
    seller = a_seller(db, {"RED-CLOCK": 9}, accounts=("shop", "outlet"))
    seller.takes_in(an_order(order_id="AB-1"), account="shop")
    seller.takes_in(an_order(order_id=twin), account="outlet")

    assert audit(db).clean


def test_a_shortage_noted_twice_is_named(busy: Database) -> None:
    columns = "order_line_id, sku_id, quantity, reason, opened_at"
    corrupt(
        busy,
        "DROP INDEX uq_shortage_open",
        "DROP INDEX uq_shortage_open_unmapped",
        f"INSERT INTO shortage ({columns}) SELECT {columns} FROM shortage WHERE closed_at IS NULL",
    )

    report = audit(busy)

    assert broken_rules(report) == {"shortage.duplicate", "line.cover", "line.unmapped"}
    assert report.counted["shortage.duplicate"] == 3


def test_a_violation_tells_what_is_wrong_and_the_last_movements(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 9})
    for number in range(6):
        seller.takes_in(an_order(order_id=f"10{number}"))
    corrupt(db, "UPDATE level SET reserved = 2")

    fold, reserved = audit(db).violations

    key = {"sku_id": seller.skus["RED-CLOCK"], "warehouse_id": seller.warehouses["hamburg"].warehouse_id}
    assert (fold.rule, fold.subject) == ("level.fold", key)
    assert fold.found == {"on_hand": 9, "unavailable": 0, "reserved": 2}
    assert fold.expected == {"on_hand": 9, "unavailable": 0, "reserved": 6}
    assert [movement["seq"] for movement in fold.movements] == [7, 6, 5, 4, 3]
    assert (reserved.found, reserved.expected) == (2, 6)


def test_a_violation_of_a_line_tells_the_movements_of_that_line_only(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 9})
    seller.takes_in(an_order(order_id="1"), an_order(order_id="2"))
    seller.takes_in(an_order(order_id="1", quantity=3, minute=1))
    corrupt(db, "UPDATE order_line SET quantity = 2 WHERE quantity = 3")

    (violation,) = audit(db).violations

    assert violation.subject["channel_order_id"] == "1"
    assert [movement["d_reserved"] for movement in violation.movements] == [2, 1]


def test_every_violation_is_counted_and_the_first_of_each_rule_are_told(db: Database) -> None:
    seller = a_seller(db, {f"SKU-{number}": 1 for number in range(7)})
    corrupt(db, "UPDATE level SET short = 1")

    report = audit(db, most=5)

    assert report.counted["level.short"] == len(seller.skus) == 7
    assert len(report.violations) == 5
    assert report.truncated


def test_a_report_is_plain_json(busy: Database) -> None:
    corrupt(busy, "UPDATE level SET on_hand = on_hand + 50, short = 0")

    told = json.loads(json.dumps(audit(busy).to_json()))

    assert not told["clean"]
    assert told["counted"]["level.fold"] == 5
    assert told["violations"][0]["movements"][0]["at"].startswith("2026-11-27T")


async def test_inside_the_daemon_the_report_is_the_same(busy: Database) -> None:
    corrupt(busy, "UPDATE level SET short = short + 1")

    assert await audit_async(busy) == audit(busy)


def test_two_rules_at_once_report_the_same(busy: Database) -> None:
    corrupt(busy, "UPDATE level SET short = short + 1", "UPDATE order_line SET quantity = quantity + 1")
    told: list[tuple[str, int, int]] = []

    report = audit_in_lanes(busy, lambda rule, done, in_all: told.append((rule, done, in_all)), most=3)

    assert report == audit(busy, most=3)
    assert {rule: done for rule, done, _ in told} == {rule: n for rule, n in report.checked.items() if n}


def test_two_rules_at_once_go_on_from_wherever_they_stood(busy: Database) -> None:
    corrupt(busy, "UPDATE level SET short = short + 1", "UPDATE order_line SET quantity = quantity + 1")
    stood: list[Standing] = []
    whole = audit_in_lanes(busy, keep=stood.append)

    assert len(stood) > len(SWEEPS) // 2
    for each in (stood[0], stood[len(stood) // 2], stood[-1]):
        assert audit_in_lanes(busy, begin=Standing.from_json(json.loads(json.dumps(each.to_json())))) == whole


BROKEN = "SELECT nothing FROM nowhere WHERE {page}"


def with_broken(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a rule be one that no database can ask."""
    for place, sweep in enumerate(SWEEPS):
        asked = tuple(
            (replace(check, statement=BROKEN) if check.rule == rule else check, named) for check, named in sweep.asked
        )
        if asked != sweep.asked:
            broken = replace(sweep, asked=asked)
            monkeypatch.setattr(lanes, "SWEEPS", (*SWEEPS[:place], broken, *SWEEPS[place + 1 :]))


@pytest.mark.parametrize("rule", ["line.unmapped", "listing.shown"])
def test_a_rule_that_cannot_run_stops_no_other(busy: Database, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    corrupt(busy, "UPDATE level SET short = short + 1", "UPDATE order_line SET quantity = quantity + 1")
    whole = audit(busy)
    with_broken(rule, monkeypatch)

    report = audit_in_lanes(busy)

    assert set(report.failed) == {rule}
    assert not report.clean
    assert {name: n for name, n in report.counted.items() if name != rule} == {
        name: n for name, n in whole.counted.items() if name != rule
    }


def test_a_run_that_goes_on_forgets_no_rule_that_could_not_run(busy: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with_broken("line.unmapped", monkeypatch)
    stood: list[Standing] = []
    whole = audit_in_lanes(busy, keep=stood.append)

    last = Standing.from_json(json.loads(json.dumps(stood[-1].to_json())))

    assert set(whole.failed) == {"line.unmapped"}
    for begin in (stood[0], last):
        assert audit_in_lanes(busy, begin=begin) == whole
    assert audit(busy, begin=last).failed == whole.failed


def test_where_a_run_of_an_older_version_stood_is_read(busy: Database) -> None:
    stood: list[Standing] = []
    audit_in_lanes(busy, keep=stood.append)
    older = stood[-1].to_json()
    del older["failed"]

    assert audit_in_lanes(busy, begin=Standing.from_json(json.loads(json.dumps(older)))).clean


def test_where_a_sieve_fails_its_rules_are_asked_one_by_one(busy: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    corrupt(busy, "UPDATE level SET short = short + 1")
    whole = audit(busy)
    monkeypatch.setattr(lanes, "SWEEPS", (replace(SWEEPS[0], sieve=BROKEN), *SWEEPS[1:]))
    stood: list[Standing] = []

    report = audit_in_lanes(busy, keep=stood.append)

    assert report.failed == {}
    assert report.counted == whole.counted
    assert sorted(map(str, report.violations)) == sorted(map(str, whole.violations))
    assert audit_in_lanes(busy, begin=stood[0]).counted == whole.counted


def test_every_rule_is_asked_by_one_sweep() -> None:
    assert sorted(rule for sweep in SWEEPS for rule in sweep.rules) == sorted(check.rule for check in CHECKS)


@pytest.mark.parametrize("sweep", [sweep for sweep in SWEEPS if sweep.sieve], ids=lambda sweep: sweep.name)
def test_pages_of_a_sweep_go_through_every_key_once(busy: Database, sweep: Sweep) -> None:
    corrupt(busy, "UPDATE level SET short = short + 1", "UPDATE order_line SET quantity = quantity + 1")
    whole = busy.read_now(read_sweep, sweep, None)
    small = replace(sweep, pages=replace(sweep.pages, page=1))

    after, keys, broken = None, 0, []
    while (page := busy.read_now(read_sweep, small, after)).last is not None:
        after, keys = page.last, keys + page.keys
        broken += [(check.rule, row) for check, rows in page.broken for row in rows]

    assert keys == whole.keys
    key = lambda each: (each[0], *map(str, each[1].values()))  # noqa: E731 - only here
    assert sorted(broken, key=key) == sorted(((c.rule, row) for c, rows in whole.broken for row in rows), key=key)


def test_progress_is_told_up_to_the_whole(busy: Database) -> None:
    told: list[tuple[str, int, int]] = []

    report = audit(busy, lambda rule, done, in_all: told.append((rule, done, in_all)))

    assert {rule: done for rule, done, _ in told} == {rule: n for rule, n in report.checked.items() if n}
    assert all(done == in_all for _, done, in_all in told)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.rule)
def test_pages_go_through_every_key_once(busy: Database, check: Check) -> None:
    whole = busy.read_now(read_page, check, None)
    small = replace(check, page=1)

    after, seen = None, []
    while (page := busy.read_now(read_page, small, after)).last is not None:
        after = page.last
        seen.append(after)

    assert len(seen) == len(set(seen)) == whole.keys
    assert seen == sorted(seen)


def test_what_the_daemon_does_meanwhile_is_never_taken_for_drift(db: Database) -> None:
    seller = a_seller(db, {"RED-CLOCK": 30})
    working = threading.Thread(target=_trade, args=(seller,))

    working.start()
    reports = []
    while working.is_alive():
        reports.append(audit(db))
    working.join()

    assert [violation for report in reports for violation in report.violations] == []
    assert audit(db).checked["line.cover"] == 30


def _trade(seller: Seller) -> None:
    for number in range(15):
        order_id = f"{number}"
        seller.takes_in(an_order(order_id=order_id, quantity=3), an_order(order_id=f"B{number}", quantity=1))
        seller.takes_in(an_order(order_id=order_id, quantity=2, fulfilled=number % 2, minute=1))
        if number % 3 == 0:
            seller.takes_in(an_order(order_id=order_id, quantity=number % 2, cancelled=True, minute=2))

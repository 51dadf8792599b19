"""Every alert is opened once and closed when what it tells of is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import httpx
import pytest

from syncd.alerts.kinds import KINDS
from syncd.simulation.checker.alert_causes import Cause
from syncd.simulation.checker.alerts import (
    PROOFS,
    AlertRow,
    Alerts,
    Proof,
    alerts_tell_what_is,
    drift_has_a_cause,
    each_cause_is_told_once,
    every_alert_has_a_cause,
    every_outage_was_told,
    no_alert_is_open_twice,
    poison_is_told,
    read_alerts,
)
from syncd.simulation.checker.bounds import Bounds
from syncd.simulation.checker.failures import FailedRequests, Failures
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings, Outage
from tests.simulation.checker.builders import VENDORS, at
from tests.simulation.checker.conftest import Spoilt, rules

NOW = at(86_400)
IDS = {"main-shop": 1, "bob": 3}


def an_alert(
    kind: str, opened: float, closed: float | None = None, subject: str = "1", owner: str = "main-shop"
) -> AlertRow:
    return AlertRow(f"{kind}:{subject}", kind, at(opened), None if closed is None else at(closed), owner)


def told(*rows: AlertRow, causes: Sequence[Cause] = (), grounds: dict[str, frozenset[str]] | None = None) -> Alerts:
    by_kind = {"oversold": tuple(causes)}
    present: dict[str, frozenset[str]] = {kind: frozenset() for kind, proof in PROOFS.items() if proof is Proof.PRESENT}
    known = {kind: frozenset[str]() for kind, proof in PROOFS.items() if proof is Proof.GROUND} | (grounds or {})
    return Alerts(rows, by_kind, present, known, IDS)


def look(verdict: Verdict, *rows: AlertRow, grounds: dict[str, frozenset[str]] | None = None) -> set[str]:
    alerts = told(*rows, grounds=grounds)
    no_alert_is_open_twice(alerts, NOW, verdict)
    alerts_tell_what_is(alerts, NOW, verdict)
    return rules(verdict)


def test_an_alert_that_opens_and_closes_again_and_again_is_fine(verdict: Verdict) -> None:
    assert look(verdict, an_alert("channel_down", 0, 60), an_alert("channel_down", 100, 160)) == set()


def test_two_rows_over_one_time_are_found(verdict: Verdict) -> None:
    assert look(verdict, an_alert("channel_down", 0, 60), an_alert("channel_down", 50, 70)) == {"alerts.twice"}


def test_an_alert_that_ended_before_it_began_is_found(verdict: Verdict) -> None:
    assert look(verdict, an_alert("channel_down", 60, 0)) == {"alerts.times"}


def test_clocks_may_be_a_little_apart(verdict: Verdict) -> None:
    assert look(verdict, an_alert("channel_down", 60, 59.5)) == set()


@pytest.mark.parametrize("kind", ["channel_down", "warehouse_down", "queue_down", "listing_unreadable", "disk_low"])
def test_an_alert_whose_cause_is_gone_is_found(verdict: Verdict, kind: str) -> None:
    assert look(verdict, an_alert(kind, 0)) == {"alerts.over"}


def test_what_a_person_must_act_on_stays(verdict: Verdict) -> None:
    grounds = {"shipment_too_late": frozenset(("shipment_too_late:1",))}

    assert look(verdict, an_alert("shipment_too_late", 0), grounds=grounds) == set()
    assert look(verdict, an_alert("shipment_too_late", 0)) == {"alerts.over"}


def test_every_kind_that_the_daemon_opens_has_its_proof() -> None:
    assert PROOFS.keys() == KINDS.keys()


def test_a_kind_that_no_rule_knows_is_found(verdict: Verdict) -> None:
    assert "alerts.unknown" in look(verdict, an_alert("coffee_low", 0, 10))


# --- each cause that the book has, told once ------------------------------------------------------------------------


def oversold(since: float, until: float | None, *, certain: bool = True, dated: bool = True) -> Cause:
    return Cause("oversold:1", at(since), None if until is None else at(until), certain, dated)


def once(verdict: Verdict, causes: Sequence[Cause], *rows: AlertRow) -> set[str]:
    each_cause_is_told_once(told(*rows, causes=causes), NOW, verdict)
    return rules(verdict)


def test_each_cause_with_a_row_of_its_own_is_fine(verdict: Verdict) -> None:
    causes = oversold(0, 60), oversold(100, None)

    assert once(verdict, causes, an_alert("oversold", 0, 60), an_alert("oversold", 100)) == set()


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ((), "alerts.untold"),
        ((an_alert("oversold", 0, 300), an_alert("oversold", 300, 600)), "alerts.flapping"),
        ((an_alert("oversold", 0),), "alerts.over"),
        ((an_alert("oversold", 0, 5000),), "alerts.times"),
        ((an_alert("oversold", 0, 600), an_alert("oversold", 900, 1000)), "alerts.unfounded"),
    ],
)
def test_what_was_short_for_ten_minutes_and_is_not_told_so_is_found(
    verdict: Verdict, rows: tuple[AlertRow, ...], found: str
) -> None:
    assert once(verdict, [oversold(0, 600)], *rows) == {found}


def test_an_alert_closed_while_its_cause_lasts_is_found(verdict: Verdict) -> None:
    assert once(verdict, [oversold(0, None)], an_alert("oversold", 0, 600)) == {"alerts.untold"}


def test_what_need_not_be_told_may_be_told_once(verdict: Verdict) -> None:
    cause = oversold(0, 600, certain=False, dated=False)

    assert once(verdict, [cause]) == set()
    assert once(verdict, [cause], an_alert("oversold", 200, 400)) == set()
    assert once(verdict, [cause], an_alert("oversold", 200, 300), an_alert("oversold", 310, 400)) == {"alerts.flapping"}


def short_alert(spoilt: Spoilt, verdict: Verdict) -> set[str]:
    """What is found where a level is short by 3 pieces from its next movement on."""
    place = (
        "SELECT sku_id, warehouse_id, seq, on_hand - unavailable - reserved FROM level WHERE warehouse_id = 1 LIMIT 1"
    )
    sku, warehouse, seq, free = spoilt.ask(place)
    spoilt.sql(
        "INSERT INTO movement (sku_id, warehouse_id, seq, kind, d_on_hand, d_unavailable, d_reserved, cause_key, actor,"
        " at) SELECT sku_id, warehouse_id, ?, 'count', ?, 0, 0, 'a count', 'somebody', at + 1 FROM movement"
        " WHERE sku_id = ? AND warehouse_id = ? AND seq = ?",
        *(seq + 1, -free - 3, sku, warehouse, seq),
    )
    each_cause_is_told_once(spoilt.read(read_alerts), NOW, verdict)
    return rules(verdict)


def test_missing_pieces_that_nobody_tells_of_are_found(spoilt: Spoilt, verdict: Verdict) -> None:
    assert short_alert(spoilt, verdict) == {"alerts.untold"}


def test_a_parked_event_that_nobody_tells_of_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    spoilt.sql("UPDATE inbox SET state = 'parked' WHERE id = (SELECT min(id) FROM inbox WHERE settled_at IS NOT NULL)")

    each_cause_is_told_once(spoilt.read(read_alerts), NOW, verdict)

    assert rules(verdict) == {"alerts.untold"}


# --- no alert without a cause ---------------------------------------------------------------------------------------


def grounded(verdict: Verdict, *rows: AlertRow, failed: Sequence[float] = ()) -> set[str]:
    failures = Failures({"main-shop": [at(seconds) for seconds in failed]}, {"fba": "main-shop"})
    every_alert_has_a_cause(told(*rows), failures, NOW, verdict)
    return rules(verdict)


@pytest.mark.parametrize("kind", ["audit_violation", "disk_low", "unknown_codes", "route_down", "shipment_too_late"])
def test_what_nothing_here_causes_is_found_though_it_is_over(verdict: Verdict, kind: str) -> None:
    assert grounded(verdict, an_alert(kind, 0, 60)) == {"alerts.unfounded"}


def test_each_alert_of_a_vendor_needs_a_failure_of_its_own(verdict: Verdict) -> None:
    rows = an_alert("channel_down", 60, 100), an_alert("channel_down", 200, 300)

    assert grounded(verdict, *rows, failed=[50, 190]) == set()
    assert grounded(verdict, *rows, failed=[50, 70]) == {"alerts.unfounded"}


def test_a_warehouse_that_a_channel_runs_fails_with_it(verdict: Verdict) -> None:
    assert grounded(verdict, an_alert("warehouse_down", 60, 90, owner="fba"), failed=[50]) == set()
    assert grounded(verdict, an_alert("warehouse_down", 60, 90, owner="bob"), failed=[50]) == {"alerts.unfounded"}


def test_where_nobody_watches_requests_nobody_is_blamed(verdict: Verdict) -> None:
    every_alert_has_a_cause(told(an_alert("channel_down", 0, 60)), None, NOW, verdict)

    assert rules(verdict) == set()


@pytest.mark.parametrize(
    ("response", "failed"),
    [
        (None, True),
        (httpx.Response(503, text="<html>"), True),
        (httpx.Response(207, text="{}"), True),
        (httpx.Response(200, text='{"orders": [{"id"'), True),
        (httpx.Response(200, text='{"errors":[{"message":"no"}]}'), True),
        (httpx.Response(200, text='{"orders": []}'), False),
        (httpx.Response(204), False),
    ],
)
def test_requests_that_failed_are_noted(response: httpx.Response | None, failed: bool) -> None:
    noted: dict[str, list[datetime]] = {}
    watcher = FailedRequests({8001: "main-shop"}, lambda: at(0), noted)

    for client, port in (("daemon-1", 8001), (None, 8001), ("daemon-1", 9999)):
        watcher.over(client, httpx.Request("GET", f"http://127.0.0.1:{port}/"), response)

    assert noted == ({"main-shop": [at(0)]} if failed else {})


@pytest.mark.parametrize(("sent", "taken", "fine"), [(2, 2, True), (3, 1, True), (3, 3, False), (1, 1, False)])
def test_poison_is_told_as_often_as_it_was_taken(verdict: Verdict, sent: int, taken: int, fine: bool) -> None:
    happenings = Happenings(poisoned=Counter({"main-shop": sent}), poison_taken=Counter({"main-shop": taken}))
    rows = an_alert("parked_event", 0), an_alert("parked_event", 5, subject="2")

    poison_is_told(told(*rows), happenings, NOW, verdict)

    assert rules(verdict) == (set() if fine else {"alerts.poison"})


def test_parked_news_that_nobody_spoilt_are_found(verdict: Verdict) -> None:
    poison_is_told(told(an_alert("parked_event", 0)), Happenings(), NOW, verdict)

    assert rules(verdict) == {"alerts.poison"}


def test_drift_needs_a_number_that_somebody_raised(verdict: Verdict) -> None:
    rows = an_alert("drift", 60, 2000), an_alert("drift", 4000)

    drift_has_a_cause(told(*rows), {"main-shop": [at(10), at(3900)]}, NOW, verdict)
    assert rules(verdict) == set()
    drift_has_a_cause(told(*rows), {"main-shop": [at(10)], "ebay-us": [at(3900)]}, NOW, verdict)
    assert rules(verdict) == {"alerts.unfounded"}


# --- outages --------------------------------------------------------------------------------------------------------


def test_a_shortage_that_nobody_tells_of_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    line, sku = spoilt.ask("SELECT order_line_id, sku_id FROM reservation WHERE quantity > 0 LIMIT 1")
    spoilt.sql(
        "INSERT INTO shortage (order_line_id, sku_id, quantity, reason, opened_at) VALUES (?, ?, 1, 'oversold', 0)",
        line,
        sku,
    )

    each_cause_is_told_once(spoilt.read(read_alerts), NOW, verdict)

    assert rules(verdict) == {"alerts.untold"}


def outage_of(key: str, verdict: Verdict, *rows: AlertRow, lasted_s: float = 3600) -> set[str]:
    happenings = Happenings(outages=[Outage(key, at(0), at(lasted_s))])
    every_outage_was_told(told(*rows), happenings, VENDORS, Bounds(happenings), NOW, verdict)
    return rules(verdict)


def test_an_outage_that_one_alert_tells_of_is_fine(verdict: Verdict) -> None:
    assert outage_of("main-shop", verdict, an_alert("channel_down", 60, 3700)) == set()
    assert outage_of("bob", verdict, an_alert("warehouse_down", 60, 3700, "3")) == set()


@pytest.mark.parametrize("key", ["main-shop", "bob"])
def test_an_outage_that_nobody_tells_of_is_found(verdict: Verdict, key: str) -> None:
    assert outage_of(key, verdict) == {"alerts.outage"}


def test_an_outage_told_of_twice_is_found(verdict: Verdict) -> None:
    rows = an_alert("channel_down", 60, 1800), an_alert("channel_down", 1900, 3700)

    assert outage_of("main-shop", verdict, *rows) == {"alerts.outage"}


def test_a_short_outage_need_not_be_told_and_never_twice(verdict: Verdict) -> None:
    assert outage_of("main-shop", verdict, lasted_s=300) == set()
    rows = an_alert("channel_down", 60, 120), an_alert("channel_down", 130, 400)
    assert outage_of("main-shop", verdict, *rows, lasted_s=300) == {"alerts.outage"}

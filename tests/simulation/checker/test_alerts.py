"""Every alert is opened once and closed when what it tells of is over."""

from __future__ import annotations

import pytest

from syncd.simulation.checker.alerts import (
    AlertRow,
    Alerts,
    alerts_tell_what_is,
    every_outage_was_told,
    no_alert_is_open_twice,
    read_alerts,
)
from syncd.simulation.checker.bounds import Bounds
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.happenings import Happenings, Outage
from tests.simulation.checker.builders import VENDORS, at
from tests.simulation.checker.conftest import Spoilt, rules

NOW = at(86_400)
IDS = {"main-shop": 1, "bob": 3}


def an_alert(kind: str, opened: float, closed: float | None = None, subject: str = "1") -> AlertRow:
    return AlertRow(f"{kind}:{subject}", kind, at(opened), None if closed is None else at(closed))


def look(verdict: Verdict, *rows: AlertRow, due: dict[str, frozenset[str]] | None = None) -> set[str]:
    told = Alerts(rows, due or {}, IDS)
    no_alert_is_open_twice(told, NOW, verdict)
    alerts_tell_what_is(told, NOW, verdict)
    return rules(verdict)


def test_an_alert_that_opens_and_closes_again_and_again_is_fine(verdict: Verdict) -> None:
    assert look(verdict, an_alert("channel_down", 0, 60), an_alert("channel_down", 100, 160)) == set()


def test_two_rows_over_one_time_are_found(verdict: Verdict) -> None:
    assert look(verdict, an_alert("channel_down", 0, 60), an_alert("channel_down", 50, 70)) == {"alerts.twice"}


def test_an_alert_that_ended_before_it_began_is_found(verdict: Verdict) -> None:
    assert look(verdict, an_alert("channel_down", 60, 0)) == {"alerts.times"}


def test_clocks_may_be_a_little_apart(verdict: Verdict) -> None:
    assert look(verdict, an_alert("channel_down", 60, 59.5)) == set()


@pytest.mark.parametrize("kind", ["channel_down", "warehouse_down", "queue_down", "listing_unreadable", "oversold"])
def test_an_alert_whose_cause_is_gone_is_found(verdict: Verdict, kind: str) -> None:
    assert look(verdict, an_alert(kind, 0)) == {"alerts.over"}


@pytest.mark.parametrize("kind", ["parked_event", "shipment_too_late"])
def test_what_a_person_must_act_on_stays(verdict: Verdict, kind: str) -> None:
    assert look(verdict, an_alert(kind, 0)) == set()


def test_a_shortage_that_nobody_tells_of_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    line, sku = spoilt.ask("SELECT order_line_id, sku_id FROM reservation WHERE quantity > 0 LIMIT 1")
    spoilt.sql(
        "INSERT INTO shortage (order_line_id, sku_id, quantity, reason, opened_at) VALUES (?, ?, 1, 'oversold', 0)",
        line,
        sku,
    )

    alerts_tell_what_is(spoilt.read(read_alerts), NOW, verdict)

    assert rules(verdict) == {"alerts.untold"}


def outage_of(key: str, verdict: Verdict, *rows: AlertRow, lasted_s: float = 3600) -> set[str]:
    happenings = Happenings(outages=[Outage(key, at(0), at(lasted_s))])
    every_outage_was_told(Alerts(rows, {}, IDS), happenings, VENDORS, Bounds(happenings), NOW, verdict)
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


def test_a_short_outage_need_not_be_told(verdict: Verdict) -> None:
    assert outage_of("main-shop", verdict, lasted_s=120) == set()

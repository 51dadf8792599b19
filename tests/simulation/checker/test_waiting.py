"""Nothing waits longer than stated anywhere, and trouble extends what is stated."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.db.types import to_micros
from syncd.simulation.checker.bounds import AFTERMATH_S, Bounds
from syncd.simulation.checker.failures import Failures
from syncd.simulation.checker.reasons import VENDORS_FAULT
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.checker.waiting import nothing_waits_too_long, read_waiting
from syncd.simulation.happenings import Happenings, Outage, Spell
from tests.simulation.checker.builders import NOON, at
from tests.simulation.checker.conftest import Spoilt, go_short_with_more_elsewhere, rules

LONG_AGO_S = 7200.0


def look(
    spoilt: Spoilt, verdict: Verdict, happenings: Happenings | None = None, too_high: tuple[int, ...] = (1,)
) -> set[str]:
    now = spoilt.rest.truth.at
    waiting = spoilt.read(read_waiting, now)
    nothing_waits_too_long(waiting, too_high, now, Bounds(happenings or Happenings()), verdict)
    return rules(verdict)


def long_ago(spoilt: Spoilt) -> int:
    return to_micros(spoilt.rest.truth.at - timedelta(seconds=LONG_AGO_S))


def test_at_rest_nothing_waits(spoilt: Spoilt, verdict: Verdict) -> None:
    assert look(spoilt, verdict) == set()


@pytest.mark.parametrize("state", ["new", "hinted"])
def test_an_event_that_nobody_takes_in_is_found(spoilt: Spoilt, verdict: Verdict, state: str) -> None:
    spoilt.sql("UPDATE inbox SET state = ?, received_at = ? WHERE id = 1", state, long_ago(spoilt))

    assert look(spoilt, verdict) == {"waiting.event"}


def test_a_write_that_stays_in_flight_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    one = "(SELECT max(rowid) FROM push_batch)"
    spoilt.sql(f"UPDATE push_batch SET state = 'in_flight', created_at = ? WHERE rowid = {one}", long_ago(spoilt))

    assert look(spoilt, verdict) == {"waiting.write"}


def test_a_hold_that_outlives_its_time_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    ended = long_ago(spoilt)
    spoilt.sql(
        "INSERT INTO hold (listing_id, quantity, kind, from_at, to_at, expires_at, opened_at)"
        " VALUES (1, 1, ?, ?, ?, ?, ?)",
        "shortfall",
        *[ended] * 4,
    )

    assert look(spoilt, verdict) == {"waiting.hold"}


@pytest.mark.parametrize("table", ["cursor", "warehouse_cursor"])
def test_a_cursor_that_does_not_move_is_found(spoilt: Spoilt, verdict: Verdict, table: str) -> None:
    spoilt.sql(f"UPDATE {table} SET moved_at = ?", long_ago(spoilt))

    assert look(spoilt, verdict) == {"waiting.cursor"}


def dirty(spoilt: Spoilt, waits_for: str | None, since: int | None, due: int) -> None:
    spoilt.sql(
        "INSERT INTO dirty_listing (listing_id, account_id, due_at, since_at, waits_for) VALUES (1, 1, ?, ?, ?)",
        due,
        since,
        waits_for,
    )


def test_a_listing_that_is_due_and_not_looked_at_is_found(spoilt: Spoilt, verdict: Verdict) -> None:
    dirty(spoilt, None, None, long_ago(spoilt))

    assert look(spoilt, verdict) == {"waiting.listing"}


def test_a_sale_that_is_not_shown_is_found_however_often_its_listing_is_put_off(
    spoilt: Spoilt, verdict: Verdict
) -> None:
    dirty(spoilt, "a write is in flight", long_ago(spoilt), to_micros(spoilt.rest.truth.at) + 1)

    assert look(spoilt, verdict) == {"waiting.sale"}


def test_a_listing_that_waits_to_show_more_hides_no_sale(spoilt: Spoilt, verdict: Verdict) -> None:
    dirty(spoilt, "certification", long_ago(spoilt), to_micros(spoilt.rest.truth.at) + 1)

    assert look(spoilt, verdict, too_high=()) == set()


REASONS = {
    "the account is not live": "UPDATE account SET state = 'paused' WHERE id = 1",
    "unmapped": "DELETE FROM listing_component WHERE listing_id = 1",
    "an order line of this listing is parked": (
        "UPDATE order_line SET parked = 'quantity', listing_id = 1 WHERE id = (SELECT min(id) FROM order_line)"
    ),
    "a warehouse does not tell its level any more": (
        "UPDATE warehouse_item SET unnamed_since_at = 0"
        " WHERE sku_id = (SELECT sku_id FROM listing_component WHERE listing_id = 1)"
    ),
    "the levels of bob are not known": "UPDATE warehouse_cursor SET polled_to = 0 WHERE stream = 'stock'",
}
"""What a sale may wait behind, and what makes it true."""


@pytest.mark.parametrize("reason", REASONS)
def test_a_sale_behind_what_only_people_can_change_may_wait(spoilt: Spoilt, verdict: Verdict, reason: str) -> None:
    dirty(spoilt, reason, long_ago(spoilt), to_micros(spoilt.rest.truth.at) + 1)
    spoilt.sql(REASONS[reason])

    assert look(spoilt, verdict) == set()


@pytest.mark.parametrize("reason", [*REASONS, "the levels of nobody are not known", "the weather"])
def test_a_reason_that_the_book_knows_nothing_of_excuses_nothing(spoilt: Spoilt, verdict: Verdict, reason: str) -> None:
    spoilt.sql("UPDATE account SET state_changed_at = 0")
    spoilt.sql("UPDATE warehouse_cursor SET moved_at = ? WHERE stream = 'stock'", long_ago(spoilt))
    dirty(spoilt, reason, long_ago(spoilt), to_micros(spoilt.rest.truth.at) + 1)

    assert "waiting.sale" in look(spoilt, verdict)


def test_a_reason_that_has_just_ended_excuses_what_waited_until_then(spoilt: Spoilt, verdict: Verdict) -> None:
    dirty(spoilt, "the account is not live", long_ago(spoilt), to_micros(spoilt.rest.truth.at) + 1)
    spoilt.sql("UPDATE account SET state_changed_at = ? WHERE id = 1", to_micros(spoilt.rest.truth.at) - 1)

    assert look(spoilt, verdict) == set()


@pytest.mark.parametrize("reason", sorted(VENDORS_FAULT))
def test_a_channel_is_to_blame_only_where_it_has_failed(spoilt: Spoilt, reason: str) -> None:
    now = spoilt.rest.truth.at
    dirty(spoilt, reason, long_ago(spoilt), to_micros(now) + 1)
    waiting = spoilt.read(read_waiting, now)

    def found(failures: Failures | None) -> set[str]:
        verdict = Verdict()
        nothing_waits_too_long(waiting, (1,), now, Bounds(Happenings()), verdict, failures)
        return rules(verdict)

    assert found(Failures({"ebay-us": [now]}, {})) == {"waiting.sale"}
    assert found(Failures({"main-shop": [now - timedelta(minutes=5)]}, {})) == set()
    assert found(None) == set(), "nobody has watched"


@pytest.mark.parametrize(
    ("state", "instant"),
    [("planned", "planned_at"), ("submitted", "submitted_at"), ("accepted", "cancel_wanted_at")],
)
def test_a_shipment_request_that_nobody_goes_on_with_is_found(
    spoilt: Spoilt, verdict: Verdict, state: str, instant: str
) -> None:
    now = to_micros(spoilt.rest.truth.at)
    spoilt.sql(
        "INSERT INTO shipment_request (warehouse_id, order_id, reference, state, planned_at, submitted_at)"
        " VALUES (1, 1, 'ours', ?, ?, ?)",
        state,
        now,
        now,
    )
    spoilt.sql(f"UPDATE shipment_request SET {instant} = ? WHERE reference = 'ours'", long_ago(spoilt))

    assert look(spoilt, verdict) == {"waiting.request"}


def moves(spoilt: Spoilt, after_s: float) -> set[str]:
    """Orders whose units have waited too long to be moved, so long after everything had come to rest."""
    now, verdict = spoilt.rest.truth.at + timedelta(seconds=after_s), Verdict()
    nothing_waits_too_long(spoilt.read(read_waiting, now), (), now, Bounds(Happenings()), verdict)
    return {each.subject for each in verdict.findings if each.rule == "waiting.move"}


def test_units_that_are_short_and_could_be_sent_from_elsewhere_are_found_after_a_while(spoilt: Spoilt) -> None:
    assert moves(spoilt, LONG_AGO_S) == set()

    order = go_short_with_more_elsewhere(spoilt)

    assert any(f" {order} in " in each for each in moves(spoilt, LONG_AGO_S))
    spoilt.sql("UPDATE reservation SET stage = 'submitted' WHERE stage = 'held' AND quantity > 0")
    assert moves(spoilt, LONG_AGO_S) == set(), "a warehouse that was asked to send them keeps them"


def test_units_that_have_just_come_free_elsewhere_may_wait(spoilt: Spoilt) -> None:
    order = go_short_with_more_elsewhere(spoilt)
    now = to_micros(spoilt.rest.truth.at + timedelta(seconds=LONG_AGO_S))
    spoilt.sql(
        "INSERT INTO movement (sku_id, warehouse_id, seq, kind, d_on_hand, d_unavailable, d_reserved, cause_key,"
        " actor, at) SELECT sku_id, warehouse_id, seq + 1, 'receipt', 1, 0, 0, 'came ' || sku_id || warehouse_id,"
        " 'test', ? FROM level",
        now,
    )

    assert not any(f" {order} in " in each for each in moves(spoilt, LONG_AGO_S))


def test_an_outage_of_its_vendor_excuses_what_waits_and_that_of_another_does_not(spoilt: Spoilt) -> None:
    now = spoilt.rest.truth.at
    spoilt.sql("UPDATE cursor SET moved_at = ? WHERE account_id = 1", long_ago(spoilt))
    for account, blamed in (("main-shop", set()), ("amazon-us", {"waiting.cursor"})):
        outage = Outage(account, now - timedelta(seconds=LONG_AGO_S), now - timedelta(seconds=60))
        assert look(spoilt, found := Verdict(), Happenings(outages=[outage])) == blamed, found.findings


def test_spells_extend_what_is_due_by_as_long_as_they_last_within_it() -> None:
    bounds = Bounds(
        Happenings(spells=[Spell("locked", None, at(-50), at(20)), Spell("locked", None, at(10_000), at(10_100))])
    )

    assert bounds.due(NOON, 100) == at(100 + 5 + 20 + AFTERMATH_S)


def test_a_warehouse_that_a_channel_runs_shares_its_trouble() -> None:
    happenings = Happenings(outages=[Outage("amazon-us", at(10), at(60))])

    assert Bounds(happenings, run_by={"fba": "amazon-us"}).due(NOON, 100, "fba") == at(100 + 5 + 50 + AFTERMATH_S)
    assert Bounds(happenings).due(NOON, 100, "fba") == at(100 + 5)


def test_spells_at_the_same_time_are_granted_once() -> None:
    bounds = Bounds(
        Happenings(spells=[Spell("locked", None, at(10), at(60))], outages=[Outage("ebay-us", at(20), at(60))])
    )

    assert bounds.due(NOON, 100, "ebay-us") == at(100 + 5 + 50 + AFTERMATH_S)
    assert bounds.due(NOON, 100, "ebay-us") == bounds.due(NOON, 100)


def test_a_daemon_that_died_is_granted_the_time_until_another_took_over() -> None:
    happenings = Happenings()
    happenings.begin_life(at(-1000)).end(at(10))
    happenings.begin_life(at(40))

    assert Bounds(happenings).due(NOON, 100) == at(100 + 5 + 50)

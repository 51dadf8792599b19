"""Where nothing goes wrong, nothing is found, and the checker has looked at a lot."""

from __future__ import annotations

from tests.simulation.checker.conftest import AtRest, Spoilt


def test_a_calm_run_has_no_findings(at_rest: AtRest) -> None:
    assert at_rest.outcome.findings == []
    assert at_rest.outcome.quiet_after_s is not None


def test_the_checker_saw_orders_on_every_channel_and_numbers_change(at_rest: AtRest) -> None:
    truth = at_rest.truth
    assert {account for account, _ in truth.orders} == {"main-shop", "amazon-us", "ebay-us"}
    assert {"opening", "sale", "write"} <= {change.why for change in truth.changes}
    assert len([change for change in truth.changes if change.why == "write"]) > 50


def test_the_log_and_the_truth_agree_on_what_every_listing_shows(at_rest: AtRest) -> None:
    shown = {change.listing: change.after for change in at_rest.truth.changes}

    assert shown == dict(at_rest.truth.shown)


def test_each_change_of_a_listing_begins_where_the_last_ended(at_rest: AtRest) -> None:
    shown: dict[tuple[str, str, str], int] = {}
    for change in at_rest.truth.changes:
        assert change.before == shown.get(change.listing, 0), change
        shown[change.listing] = change.after


def test_the_book_has_an_order_for_everything_sold(spoilt: Spoilt) -> None:
    assert spoilt.book().orders.keys() == {key for key, order in spoilt.rest.truth.orders.items() if order.paid}

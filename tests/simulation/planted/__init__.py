"""Bugs that the simulation must find, each in a file of its own: which rules catch it, and where it is looked for."""

from __future__ import annotations

from types import ModuleType

from tests.simulation.planted import (
    accepted_as_applied,
    alert_never_closed,
    below_zero_raised_to_zero,
    cancelled_unit_freed_at_once,
    compared_with_last_time,
    cursor_before_orders,
    delta_pushed,
    echo_answered_with_a_push,
    first_useless_row_ends_the_batch,
    gap_between_windows,
    grounds,
    kit_held_in_listing_units,
    local_time_as_utc,
    lost_reply_written_anew,
    message_deleted_before_commit,
    number_from_a_cache,
    one_unit_too_few,
    order_eats_two_holds,
    order_without_its_reservation,
    partial_poll_as_whole,
    poison_fails_its_batch,
    raise_without_certification,
    raw_read_compared,
    second_daemon_unfenced,
    sent_again_without_looking,
    sent_before_stored,
    shortfall_not_held,
    stale_write_repeated,
    tokens_fetched_by_everybody,
    twice_in_the_parcel,
    two_names_for_an_order,
    webhook_before_commit,
)
from tests.simulation.planted.bug import Ground, PlantedBug


def _bug(module: ModuleType, caught_by: str, ground: Ground, *seeds: int) -> PlantedBug:
    """`caught_by`: rules, with blanks in between."""
    name = module.__name__.rpartition(".")[2]
    return PlantedBug(name, module.planted, tuple(caught_by.split()), ground, seeds or (1, 2, 3))


BUGS = (
    _bug(two_names_for_an_order, "orders.twice", grounds.CALM_SHOP),
    _bug(order_without_its_reservation, "stock.demand", grounds.POWER_CUTS),
    _bug(cursor_before_orders, "orders.missing orders.state", grounds.OUTAGES, 1, 3),
    _bug(partial_poll_as_whole, "orders.missing orders.state", grounds.OUTAGES, 1, 3),
    _bug(local_time_as_utc, "orders.missing", grounds.LOST_NEWS),
    _bug(gap_between_windows, "orders.missing", grounds.LOST_NEWS),
    _bug(webhook_before_commit, "acknowledged.not_durable", grounds.CALM_SHOP),
    _bug(message_deleted_before_commit, "acknowledged.not_durable", grounds.CALM_AMAZON),
    _bug(delta_pushed, "shown.undecided", grounds.LOST_REPLIES),
    _bug(number_from_a_cache, "shown.sellable", grounds.CALM_SHOP),
    _bug(one_unit_too_few, "shown.too_low", grounds.CALM_SHOP),
    _bug(raise_without_certification, "relist", grounds.HIDDEN_SALES),
    _bug(echo_answered_with_a_push, "stock.physical", grounds.CALM_SHOPS),
    _bug(first_useless_row_ends_the_batch, "orders.missing", grounds.LOST_NEWS),
    _bug(poison_fails_its_batch, "waiting.event", grounds.POISON),
    _bug(tokens_fetched_by_everybody, "tokens.at_once", grounds.POWER_CUTS),
    _bug(second_daemon_unfenced, "writes.fenced", grounds.FROZEN),
    _bug(raw_read_compared, "relist", grounds.HIDDEN_SALES),
    _bug(shortfall_not_held, "relist", grounds.UNPAID),
    _bug(order_eats_two_holds, "relist", grounds.UNPAID),
    _bug(stale_write_repeated, "writes.restless", grounds.HIDDEN_FOR_A_WHILE, 2, 1, 3),
    _bug(sent_before_stored, "shown.undecided", grounds.CUTS_AT_REPLIES),
    _bug(lost_reply_written_anew, "blamed.nobody_raised", grounds.LOST_REPLIES),
    _bug(accepted_as_applied, "blamed.nobody_raised", grounds.CALM_AMAZON),
    _bug(compared_with_last_time, "shown.sellable", grounds.TYPED_OVER, 2, 4, 5),
    _bug(below_zero_raised_to_zero, "writes.raised_to_zero", grounds.BACK_ORDERS),
    _bug(kit_held_in_listing_units, "shown.promised", grounds.UNPAID_PACKS, 3, 4, 5),
    _bug(sent_again_without_looking, "shipments.state", grounds.WITH_3PL),
    _bug(twice_in_the_parcel, "shipments.too_many", grounds.WITH_3PL),
    _bug(cancelled_unit_freed_at_once, "audit.line.cover", grounds.WITH_3PL),
    _bug(alert_never_closed, "alerts.over", grounds.OUTAGES, 1, 3),
)

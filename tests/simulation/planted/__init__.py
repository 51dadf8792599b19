"""Bugs that the simulation must find, each in a file of its own, and where each is looked for."""

from __future__ import annotations

from types import ModuleType

from tests.simulation.planted import (
    accepted_as_applied,
    alert_never_closed,
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
    order_without_its_reservation,
    partial_poll_as_whole,
    raise_without_certification,
    raw_read_compared,
    second_daemon_unfenced,
    sent_again_without_looking,
    sent_before_stored,
    shortfall_not_held,
    stale_write_repeated,
    tokens_fetched_by_everybody,
    two_names_for_an_order,
    webhook_before_commit,
)
from tests.simulation.planted.bug import Ground, PlantedBug


def _bug(module: ModuleType, ground: Ground, *seeds: int) -> PlantedBug:
    return PlantedBug(module.__name__.rpartition(".")[2], module.planted, ground, seeds or (1, 2, 3))


BUGS = (
    _bug(two_names_for_an_order, grounds.CALM_SHOP),
    _bug(order_without_its_reservation, grounds.POWER_CUTS),
    _bug(cursor_before_orders, grounds.OUTAGES, 1, 3),
    _bug(partial_poll_as_whole, grounds.OUTAGES, 1, 3),
    _bug(local_time_as_utc, grounds.LOST_NEWS),
    _bug(gap_between_windows, grounds.LOST_NEWS),
    _bug(webhook_before_commit, grounds.CALM_SHOP),
    _bug(message_deleted_before_commit, grounds.CALM_AMAZON),
    _bug(delta_pushed, grounds.LOST_REPLIES),
    _bug(number_from_a_cache, grounds.CALM_SHOP),
    _bug(raise_without_certification, grounds.HIDDEN_SALES),
    _bug(echo_answered_with_a_push, grounds.CALM_SHOPS),
    _bug(first_useless_row_ends_the_batch, grounds.LOST_NEWS),
    _bug(tokens_fetched_by_everybody, grounds.POWER_CUTS),
    _bug(second_daemon_unfenced, grounds.FROZEN),
    _bug(raw_read_compared, grounds.HIDDEN_SALES),
    _bug(shortfall_not_held, grounds.UNPAID),
    _bug(stale_write_repeated, grounds.HIDDEN_FOR_A_WHILE, 2, 1, 3),
    _bug(sent_before_stored, grounds.CUTS_AT_REPLIES),
    _bug(lost_reply_written_anew, grounds.LOST_REPLIES),
    _bug(accepted_as_applied, grounds.CALM_AMAZON),
    _bug(compared_with_last_time, grounds.TYPED_OVER, 2, 4, 5),
    _bug(kit_held_in_listing_units, grounds.UNPAID_PACKS, 4, 3, 5),
    _bug(sent_again_without_looking, grounds.WITH_3PL),
    _bug(cancelled_unit_freed_at_once, grounds.WITH_3PL),
    _bug(alert_never_closed, grounds.OUTAGES, 1, 3),
)

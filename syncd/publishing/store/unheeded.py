"""Numbers that a channel takes and never shows: told, and forgiven once the listing shows what it should."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.publishing.cells import Cell, Reading
from syncd.publishing.plain import is_unheeded
from syncd.publishing.store.cells import save_cells
from syncd.publishing.store.holds import open_holds
from syncd.publishing.store.rows import Rules


def note_unheeded(connection: Connection, rules: Rules, readings: Mapping[int, Reading], now: datetime) -> None:
    """Tell of numbers that the channel takes and never shows, until it shows one."""
    deaf = [i for i, reading in readings.items() if is_unheeded(reading.cell, now)]
    open_alerts(
        connection,
        [
            Alert(
                _key(rules, listing_id),
                "listing_unheeded",
                "it goes on showing another number; it is not raised for an hour",
                f"{rules.account} accepts the number of listing {listing_id} and does not show it: look for a problem"
                " of this listing there",
                rules.account_id,
            )
            for listing_id in deaf
        ],
        now,
    )
    heard = [i for i, reading in readings.items() if reading.confirmed or not reading.cell.unheeded]
    close_alerts(connection, [_key(rules, listing_id) for listing_id in heard], now)


def forgive_unheeded(
    connection: Connection,
    rules: Rules,
    shows_right: Sequence[int],
    cells: Mapping[tuple[int, str], Cell],
    now: datetime,
) -> None:
    """No number of these listings waits to be shown any more, unless it is right only for what is held back."""
    unheeded = [at for i in shows_right if (at := cells.get((i, rules.cell))) is not None and at.unheeded]
    if not unheeded:
        return
    held = open_holds(connection, [at.listing_id for at in unheeded])
    forgiven = [at for at in unheeded if at.listing_id not in held]
    save_cells(connection, [replace(at, unheeded=0, unheeded_at=None) for at in forgiven])
    close_alerts(connection, [_key(rules, at.listing_id) for at in forgiven], now)


def _key(rules: Rules, listing_id: int) -> str:
    return f"unheeded:{rules.account_id}:{listing_id}"

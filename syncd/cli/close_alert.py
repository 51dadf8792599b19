"""`syncd alert close KEY`: show an open alert, say whether its cause still stands, ask, and close it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import typer
from rich.console import Console

from syncd import config as settings
from syncd.alerts.standing import Standing, find_open, open_keys, standing
from syncd.alerts.store import close_alerts
from syncd.bootstrap import open_database
from syncd.clock import clock_from
from syncd.errors import SyncdError, suggest

_NEAR_AMONG: Final = 5_000


class UnknownAlert(SyncdError):
    """No open alert has that key."""

    def __init__(self, key: str, known: list[str]) -> None:
        otherwise = "`syncd alert list` shows every key" if known else "None is open"
        super().__init__(f"no open alert has the key {key!r}. {suggest(key, known, otherwise)}")


def close_alert(path: Path, key: str, console: Console, *, yes: bool) -> bool:
    """Close an alert after asking. Returns whether it is closed. Raises UnknownAlert, naming one like it."""
    config = settings.load(path)
    db = open_database(config)
    try:
        found = db.read_now(find_open, key)
        if found is None:
            raise UnknownAlert(key, db.read_now(open_keys, _NEAR_AMONG))
        console.print(f"{key}, open since {found.opened_at:%Y-%m-%d %H:%M} UTC", markup=False)
        console.print(f"  {found.message}", markup=False)
        _tell(db.read_now(standing, found), console)
        if not yes and not typer.confirm("Close it?"):
            console.print("it stays open")
            return False
        closed = db.transact_now(close_alerts, [key], clock_from(config.clock.record).now())
        console.print("closed" if closed else "it was closed meanwhile", style="green")
        return True
    finally:
        db.close()


def _tell(how: Standing, console: Console) -> None:
    if how.stands is False:
        console.print("  its cause is gone", style="dim")
    elif how.stands:
        console.print(f"  its cause still stands: {how.opens_again}", style="yellow", markup=False)
    else:
        console.print(f"  whether its cause still stands cannot be seen from here: {how.opens_again}", style="yellow")

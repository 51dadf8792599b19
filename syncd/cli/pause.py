"""`syncd pause` and `syncd resume`: stop everything that goes out for an account, and let it go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rich.console import Console
from sqlalchemy import Connection

from syncd import config as settings
from syncd.accounts.pause import Change, pause_account, resume_account
from syncd.bootstrap import visit_world


def pause(path: Path, key: str, console: Console) -> None:
    """Pause an account. Raises UnknownAccount."""
    done = _change(path, key, pause_account)
    if done.changed:
        console.print(
            f"{key} is paused: its orders are taken in and reserved, no number is written, nothing is sent for it",
            markup=False,
        )
    else:
        console.print(f"{key} was paused already", markup=False)
    console.print(f"`syncd resume {key}` lets it go on", style="dim", markup=False)


def resume(path: Path, key: str, console: Console) -> None:
    """Resume an account. Raises UnknownAccount."""
    done = _change(path, key, resume_account)
    if not done.changed:
        console.print(f"{key} is not paused: it is {done.after}", markup=False)
    elif done.after == "live":
        console.print(f"{key} is live again: a running daemon writes its numbers now", markup=False)
    else:
        console.print(f"{key} observes again: it was never live, `syncd go-live {key}` lets it write", markup=False)


def _change(path: Path, key: str, change: Callable[[Connection, int, datetime], Change]) -> Change:
    world = visit_world(settings.load(path))
    try:
        return world.db.transact_now(change, world.account_id(key), world.clock.now())
    finally:
        world.db.close()

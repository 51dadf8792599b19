"""`syncd erase order`: show what is known of an order's buyer, ask, and erase it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import typer
from rich.console import Console
from sqlalchemy import Connection

from syncd import config as settings
from syncd.accounts.erasure import (
    Bodies,
    Erasable,
    Erased,
    erase_bodies,
    erase_recipient,
    find_bodies,
    find_erasable,
)
from syncd.bootstrap import open_database
from syncd.cli.reading import at, find_account
from syncd.clock import clock_from
from syncd.db.database import Database
from syncd.insight.orders import find_order

_AT_ONCE = 500


def erase_order(path: Path, name: str, account: str | None, console: Console, *, yes: bool, dry: bool) -> bool:
    """Erase an order's buyer after asking. Returns whether nothing is left. Raises Unknown and Ambiguous."""
    config = settings.load(path)
    db = open_database(config)
    try:
        found = _find(db, name, account)
        _show(found, console)
        if dry or found.is_done:
            return True
        if not yes and not typer.confirm("Erase it for good?"):
            console.print("nothing was erased")
            return False
        _erase(db, found, clock_from(config.clock.record).now())
        _tell(found, _bodies(db, found.order_id), console)
        return True
    finally:
        db.close()


def _erase(db: Database, found: Erasable, now: datetime) -> None:
    """Look for events anew: some may have come while a person thought about it, or while the first were erased."""
    erased = _erase_bodies(db, found.order_id, now)
    db.transact_now(erase_recipient, found.order_id, erased, now)
    _erase_bodies(db, found.order_id, now)


def _erase_bodies(db: Database, order_id: int, now: datetime) -> Erased:
    bodies = _bodies(db, order_id)
    ids = bodies.settled + bodies.waiting
    erased = Erased()
    for start in range(0, len(ids), _AT_ONCE):
        erased += db.transact_now(erase_bodies, ids[start : start + _AT_ONCE], now)
    return erased


def _tell(found: Erasable, left: Bodies, console: Console) -> None:
    console.print(f"the buyer of {found.order} is erased", markup=False)
    if left.asked:
        console.print(
            f"  but for {_events(len(left.asked))} not taken in yet: a running daemon erases their bodies within the"
            " hour after that",
            style="yellow",
        )


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count} events"


def _find(db: Database, name: str, account: str | None) -> Erasable:
    order_id = db.read_now(_find_order, name, account)
    return replace(db.read_now(find_erasable, order_id), bodies=_bodies(db, order_id))


def _bodies(db: Database, order_id: int) -> Bodies:
    found = Bodies()
    after: int | None = 0
    while after is not None:
        more, after = db.read_now(find_bodies, order_id, after)
        found += more
    return found


def _find_order(connection: Connection, name: str, account: str | None) -> int:
    return find_order(connection, name, find_account(connection, account))


def _show(found: Erasable, console: Console) -> None:
    console.print(f"order {found.order} of {found.account} ({found.state}):", markup=False)
    if found.erased_at is not None:
        console.print(f"  its recipient was erased at {at(found.erased_at)}")
    elif found.fields:
        console.print(f"  its recipient's {', '.join(found.fields)}")
    else:
        console.print("  nothing of its recipient is known; nothing that comes later will be kept either")
    console.print(f"  {_events(len(found.bodies.settled))} with a body that names the order")
    console.print("  kept: lines, quantities, country and the first characters of its postcode", style="dim")
    if waiting := len(found.bodies.waiting) + len(found.bodies.asked):
        console.print(
            f"  {_events(waiting)} of it not taken in yet: their bodies are erased within the hour after that",
            style="yellow",
        )
    if found.state == "open" and found.fields:
        console.print("  it is open: without a recipient no 3PL can be asked to send it any more", style="yellow")

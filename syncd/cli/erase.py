"""`syncd erase order`: show what is known of an order's buyer, ask, and erase it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import typer
from rich.console import Console
from sqlalchemy import Connection

from syncd import config as settings
from syncd.accounts.erasure import Erasable, erase_bodies, erase_recipient, find_bodies, find_erasable
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
        if dry or not (found.fields or found.bodies or found.erased_at is None):
            return True
        if not yes and not typer.confirm("Erase it for good?"):
            console.print("nothing was erased")
            return False
        erased = 0
        for start in range(0, len(found.bodies), _AT_ONCE):
            erased += db.transact_now(erase_bodies, found.bodies[start : start + _AT_ONCE])
        now = clock_from(config.clock.record).now()
        db.transact_now(erase_recipient, found.order_id, erased, now)
        console.print(f"the buyer of {found.order} is erased", markup=False)
        return True
    finally:
        db.close()


def _find(db: Database, name: str, account: str | None) -> Erasable:
    order_id = db.read_now(_find_order, name, account)
    bodies: list[int] = []
    waiting = 0
    after: int | None = 0
    while after is not None:
        named, waits, after = db.read_now(find_bodies, order_id, after)
        bodies += named
        waiting += waits
    return replace(db.read_now(find_erasable, order_id), bodies=tuple(bodies), waiting=waiting)


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
    console.print(f"  {len(found.bodies)} events whose bodies name the order")
    console.print("  kept: lines, quantities, country and the first characters of its postcode", style="dim")
    if found.waiting:
        console.print(
            f"  {found.waiting} events of it are not taken in yet: their bodies go a week after they are, or run this"
            " again then",
            style="yellow",
        )
    if found.state == "open" and found.fields:
        console.print("  it is open: without a recipient no 3PL can be asked to send it any more", style="yellow")

"""`syncd receive`, `adjust` and `transfer`: what people enter of goods that came, went or broke."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from sqlalchemy import Connection

from syncd import config as settings
from syncd.bootstrap import visit_world
from syncd.chance import SystemRng
from syncd.cli.reading import as_json as print_json
from syncd.errors import SyncdError, suggest
from syncd.insight.stock import find_sku
from syncd.insight.unknown import Unknown
from syncd.stock.count_store import load_warehouses
from syncd.stock.entries import Entered, Entry, EntryKind, book_entry


class NameUnknown(SyncdError):
    """No SKU or warehouse is called so."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An entry as a person types it."""

    kind: EntryKind
    sku: str
    pieces: int
    warehouse: str
    reason: str
    key: str | None = None
    to: str | None = None
    damaged: bool = False
    is_done: bool = False


def enter(path: Path, wanted: Wanted, console: Console, *, as_json: bool) -> None:
    """Book an entry and print the levels it leads to. Raises NameUnknown, EntryRefused."""
    if wanted.kind is EntryKind.DAMAGE and wanted.damaged:
        raise typer.BadParameter("say --broke or --damaged, not both: broken pieces stay where they are")
    world = visit_world(settings.load(path))
    try:
        entry, keys = world.db.read_now(_named, wanted, wanted.key or str(SystemRng().uuid()))
        entered: Entered = world.db.transact_now(book_entry, entry, world.clock.now())
    finally:
        world.db.close()
    if as_json:
        print_json(_told(entry, entered, keys), console)
        return
    if entered.repeated:
        console.print(f"{entry.key} was booked before: nothing changed", style="yellow", markup=False)
    for warehouse_id, level in sorted(entered.levels.items()):
        stands = f"{level.on_hand} on hand, {level.unavailable} unavailable, {level.reserved} reserved"
        console.print(f"{wanted.sku} in {keys[warehouse_id]}: {stands}, {level.available} available", markup=False)
        if level.short:
            console.print(f"  {level.short} reserved units are not there: find them or cancel orders", style="yellow")


def _told(entry: Entry, entered: Entered, keys: dict[int, str]) -> dict[str, object]:
    names = ("on_hand", "unavailable", "reserved", "short", "available")
    levels = [
        {"warehouse": keys[warehouse_id]} | {name: getattr(level, name) for name in names}
        for warehouse_id, level in sorted(entered.levels.items())
    ]
    return {"key": entry.key, "repeated": entered.repeated, "levels": levels}


def _named(connection: Connection, wanted: Wanted, key: str) -> tuple[Entry, dict[int, str]]:
    try:
        sku_id = find_sku(connection, wanted.sku)
    except Unknown as err:
        raise NameUnknown(f"sku: {err}") from err
    warehouses = load_warehouses(connection)
    ids: list[int] = []
    for name in (wanted.warehouse, wanted.to):
        if name is None:
            continue
        if name not in warehouses:
            remedy = suggest(name, warehouses, f"Known are {', '.join(sorted(warehouses)) or 'none'}")
            raise NameUnknown(f"warehouse: none has the key {name}. {remedy}")
        if warehouses[name].kind == "fba":
            raise NameUnknown(f"warehouse: {name} is counted by Amazon: its stock comes from Amazon's own reports")
        ids.append(warehouses[name].warehouse_id)
    entry = Entry(
        key,
        wanted.kind,
        sku_id,
        ids[0],
        wanted.pieces,
        wanted.reason,
        f"cli:{getpass.getuser()}",
        ids[1] if len(ids) > 1 else None,
        wanted.damaged,
        wanted.is_done,
    )
    return entry, {each.warehouse_id: each.key for each in warehouses.values()}

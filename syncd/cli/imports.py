"""`syncd import …`: what went in, and every row that did not, by line and column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from syncd import config as settings
from syncd.bootstrap import open_channel, open_world
from syncd.catalogue.items import import_items
from syncd.catalogue.listings import import_listings
from syncd.catalogue.mapping_file import import_mapping, write_unmapped
from syncd.chance import SystemRng
from syncd.csv_rows import RowError
from syncd.stock.import_stock import import_stock

_SHOWN = 50


class Bar:
    """A progress bar that learns its total on the way."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=None)

    def __call__(self, done: int, total: int | None = None) -> None:
        self._progress.update(self._task, completed=done, total=total)


@contextmanager
def bar(console: Console, title: str) -> Iterator[Bar]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bar(progress, title)


def items(path: Path, file: Path, console: Console) -> bool:
    """Import items. Returns whether every row went in."""
    world = open_world(settings.load(path))
    try:
        with bar(console, "items") as progress:
            done = import_items(world.db, file, world.clock.now(), progress)
    finally:
        world.db.close()
    console.print(f"{done.new} new, {done.changed} changed, {done.unchanged} unchanged SKUs")
    if done.relisted:
        console.print(f"{done.relisted} listings are made of other parts now; open orders keep theirs")
    if done.to_map_again:
        console.print(f"{done.to_map_again} listings could be several kits: map them by hand", style="yellow")
    _show_ignored(done.ignored_columns, console)
    return _show_rejected(done.rejected, console)


def stock(path: Path, file: Path, as_of: str | None, console: Console) -> bool:
    """Import a stock count. Returns whether every row went in."""
    default = _instant(as_of) if as_of else None
    world = open_world(settings.load(path))
    try:
        with bar(console, "stock") as progress:
            done = import_stock(world.db, file, world.clock.now(), default, progress)
    finally:
        world.db.close()
    console.print(f"{done.counted} levels counted, {done.unchanged} were counted so already")
    _show_ignored(done.ignored_columns, console)
    if done.older:
        console.print(f"{len(done.older)} rows are older than what is known and changed nothing:", style="yellow")
        _show_rows(done.older, console)
    return _show_rejected(done.rejected, console)


async def listings(path: Path, key: str, unmapped: Path | None, mapping: Path | None, console: Console) -> None:
    """Import an account's listings, and a person's mapping of those that found no SKU."""
    config = settings.load(path, with_secrets=True)
    world = open_world(config)
    try:
        account_id = world.account_id(key)
        account = next(each for each in config.accounts if each.key == key)
        if mapping is not None:
            with bar(console, "mapping") as progress:
                by_hand = import_mapping(world.db, mapping, account_id, world.clock.now(), progress)
            console.print(f"{by_hand.mapped} listings mapped by hand, {by_hand.undecided} rows without a sku")
            _show_rejected(by_hand.rejected, console)
        channel = open_channel(account, world.clock, SystemRng())
        try:
            with console.status("reading the channel's listings"):
                done = await import_listings(world.db, channel, account_id, world.clock)
        finally:
            await channel.close()
    finally:
        world.db.close()
    console.print(f"{done.mapped} listings mapped, {done.changed} of them changed")
    if done.unmapped:
        target = unmapped or Path(f"unmapped-{key}.csv")
        write_unmapped(target, done.unmapped)
        console.print(
            f"{len(done.unmapped)} listings found no SKU: fill in the sku column of {target}, then run"
            f" `syncd import listings --from {key} --map {target}`",
            style="yellow",
            markup=False,
        )


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise typer.BadParameter(f"{text!r} is no instant with an offset: write one like 2026-11-22T08:00:00+01:00")
    return at


def _show_ignored(columns: Sequence[str], console: Console) -> None:
    if columns:
        console.print(f"columns not known and not used: {', '.join(columns)}", style="yellow", markup=False)


def _show_rejected(rejected: Sequence[RowError], console: Console) -> bool:
    if not rejected:
        return True
    console.print(f"{len(rejected)} rows did not go in; correct them and import the file again:", style="red")
    _show_rows(rejected, console)
    return False


def _show_rows(errors: Sequence[RowError], console: Console) -> None:
    for error in errors[:_SHOWN]:
        console.print(
            f"  line {error.line}, {error.column or 'row'}: {error.problem}. {error.remedy}",
            markup=False,
            highlight=False,
        )
    if len(errors) > _SHOWN:
        console.print(f"  and {len(errors) - _SHOWN} more")

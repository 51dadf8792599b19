"""`syncd demo`: invented shoppers for as long as one likes, or real orders from a file as fast as it goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from syncd.cli.duration import real_seconds
from syncd.errors import SyncdError

if TYPE_CHECKING:
    from syncd.simulation.replay.dates import DayOrder

MAX = "max"
_BOOK = "syncd.db"
_USUAL_SPEED = 60.0
_FASTEST = 600.0


class FolderInUse(SyncdError):
    """A demo needs a folder of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} has the files of an earlier run in it: name another folder, or delete this one. "
            f"They can still be looked at: syncd status -c {folder / 'syncd.toml'}"
        )


@dataclass(frozen=True, slots=True)
class DemoArguments:
    """As they were typed; None where they were not."""

    for_: str | None
    seed: int
    speed: str | None
    summary: Path | None
    folder: Path | None
    faults: bool
    picture: Path | None
    orders: Path | None
    told: Sequence[str]
    limit: int | None
    from_: str | None
    until: str | None
    zone: str
    dates: str | None
    database: str | None
    kills: int
    faithful: bool
    as_json: bool


def demo(arguments: DemoArguments, console: Console) -> bool:
    """Run it. Returns whether it ended as it must.

    Raises FolderInUse, and OrdersUnreadable for a file of orders that cannot be used.
    """
    if arguments.orders is not None:
        return _replay(arguments, arguments.orders, console)
    for option, given in _OF_ORDERS.items():
        if getattr(arguments, given):
            raise typer.BadParameter("it goes with --orders FILE only", param_hint=option)
    folder = _folder(arguments.folder)
    if folder is not None and (folder / _BOOK).exists():
        raise FolderInUse(folder)
    from syncd.simulation.demo import DemoOptions, run_demo

    options = DemoOptions(
        real_seconds(arguments.for_) if arguments.for_ is not None else None,
        arguments.seed,
        _speed(arguments.speed),
        folder,
        arguments.summary,
        arguments.faults,
        arguments.picture,
    )
    console.print("preparing a made-up seller")
    return asyncio.run(run_demo(options, console)).good


_OF_ORDERS = {
    "--map": "told",
    "--limit": "limit",
    "--from": "from_",
    "--until": "until",
    "--dates": "dates",
    "--database": "database",
    "--kill": "kills",
    "--faithful": "faithful",
    "--json": "as_json",
}


def _replay(arguments: DemoArguments, orders: Path, console: Console) -> bool:
    if arguments.speed not in (None, MAX):
        raise typer.BadParameter("orders from a file are played at --speed max", param_hint="--speed")
    if arguments.for_ is not None or arguments.picture is not None:
        hint = "--for" if arguments.for_ is not None else "--picture"
        problem = "it does not go with --orders; cut the file by --limit, --from, --until"
        raise typer.BadParameter(problem, param_hint=hint)
    from syncd.simulation.replay.columns import read_told
    from syncd.simulation.replay.load import Slice
    from syncd.simulation.replay.report import report_view
    from syncd.simulation.replay.run import ReplayOptions, replay

    try:
        told = read_told(arguments.told)
    except ValueError as err:
        raise typer.BadParameter(str(err), param_hint="--map") from err
    options = ReplayOptions(
        orders,
        arguments.seed,
        told,
        Slice(arguments.limit, _day("--from", arguments.from_), _day("--until", arguments.until)),
        _zone(arguments.zone),
        _day_order(arguments.dates),
        arguments.database,
        _folder(arguments.folder),
        arguments.kills,
        arguments.faithful,
    )
    report = asyncio.run(replay(options, Console(stderr=True) if arguments.as_json else console))
    if arguments.summary is not None:
        report.save(arguments.summary)
    if arguments.as_json:
        typer.echo(json.dumps(report.to_json(), indent=2))
    else:
        console.print(report_view(report))
    return report.good


def _folder(folder: Path | None) -> Path | None:
    """In full: relative paths of the configuration that is written there count from itself."""
    return None if folder is None else folder.resolve()


def _speed(text: str | None) -> float:
    try:
        speed = _USUAL_SPEED if text is None else float(text)
    except ValueError:
        remedy = "max goes with --orders FILE only" if text == MAX else f"{text!r} is not a number"
        raise typer.BadParameter(remedy, param_hint="--speed") from None
    if not 1.0 <= speed <= _FASTEST:
        raise typer.BadParameter(f"{speed:g} is not in the range 1<=x<={_FASTEST:g}", param_hint="--speed")
    return speed


def _day(option: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day: write it like 2026-11-27", param_hint=option) from None


def _day_order(text: str | None) -> DayOrder | None:
    from syncd.simulation.replay.dates import DayOrder

    try:
        return None if text is None else DayOrder(text)
    except ValueError:
        problem = f"{text!r} is neither of {', '.join(DayOrder)}"
        raise typer.BadParameter(problem, param_hint="--dates") from None


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        problem = f"{text!r} is not a time zone: write it like Europe/London"
        raise typer.BadParameter(problem, param_hint="--zone") from None

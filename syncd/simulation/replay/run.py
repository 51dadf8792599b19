"""`syncd demo --orders FILE`: read the file, play it, come to rest, judge."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
import time  # noqa: TID251 - how long real processes take
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from syncd.simulation.replay.dates import DayOrder
from syncd.simulation.replay.load import Loaded, Slice, dealer, load
from syncd.simulation.replay.play import Played, Player
from syncd.simulation.replay.report import Report, Timed, report_on
from syncd.simulation.replay.rest import come_to_rest
from syncd.simulation.replay.scratch import Scratch
from syncd.simulation.replay.seller import CAST
from syncd.simulation.replay.stage import ReplayStage, set_stage

_OPENS_BEFORE = timedelta(hours=1)
_JOBS_PLAYING, _JOBS_RESTING = 30, 600
"""How many times faster than in life jobs come at most: months pass in minutes, and what fell due is done once."""


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """As they were typed. `told`: columns by field; `kills`: so often the daemon is killed on the way.

    `day_order`: what dates begin with, where the file does not tell.
    """

    orders: Path
    seed: int
    told: Mapping[str, str] = field(default_factory=dict)
    part: Slice = field(default_factory=Slice)
    zone: tzinfo = UTC
    day_order: DayOrder | None = None
    database_url: str | None = None
    folder: Path | None = None
    kills: int = 0
    faithful: bool = False


async def replay(options: ReplayOptions, console: Console) -> Report:
    """Raises OrdersUnreadable for a file that cannot be used, before anything is started."""
    folder = options.folder or Path(tempfile.mkdtemp(prefix="syncd-replay-"))
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    scratch = Scratch(folder / "scratch.db")
    try:
        report = await _replay(options, folder, scratch, console)
    finally:
        scratch.close()
    if report.good and not report.stopped and options.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        config = folder / "syncd.toml"
        console.print(
            f"the book stays and can be looked at: syncd audit -c {config}, syncd status -c {config}. "
            "The marketplaces lived in memory and ended with the replay.",
            soft_wrap=True,
        )
    return report


async def _replay(options: ReplayOptions, folder: Path, scratch: Scratch, console: Console) -> Report:
    began = time.monotonic()
    stop = _stopped_by_signals()
    loaded = _read(options, scratch, console)
    span = scratch.span()
    assert span is not None, "a file without orders is refused"
    stage = await set_stage(
        folder,
        options.seed,
        scratch.wishes(),
        span[0] - _OPENS_BEFORE,
        options.database_url,
        webhooks=options.faithful,  # one a line and a number written: too many for months in minutes, and polls batch
    )
    console.print(f"status page: {stage.address}/status   (files in {folder})", soft_wrap=True)
    try:
        opened = time.monotonic()
        played = await _play(options, stage, scratch, stop, console)
        done = time.monotonic()
        if played.stopped:
            console.print("stopped: nothing more is ordered; waiting until everything has come to rest", style="yellow")
        stop.clear()  # a second Ctrl-C ends the waiting
        stage.board.set_job_speed(_JOBS_RESTING)
        with console.status("coming to rest") as status:
            awaited = await come_to_rest(stage, stop, lambda what: status.update(f"coming to rest: {what}"))
            rested = time.monotonic()
            status.update("looking whether all is as it must be")
            days = (stage.clock.now() - span[0]).total_seconds() / 86_400
            timed = Timed(opened - began, done - opened, rested - done, days)
            return await report_on(
                stage, scratch, loaded, played, timed, awaited, file=options.orders, faithful=options.faithful
            )
    finally:
        await stage.close()


def _stopped_by_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    return stop


def _read(options: ReplayOptions, scratch: Scratch, console: Console) -> Loaded:
    with console.status(f"reading {options.orders}") as status:
        loaded = load(
            options.orders,
            options.told,
            options.part,
            options.zone,
            scratch,
            lambda lines: status.update(f"reading {options.orders}: {lines:,} lines"),
            options.day_order,
        )
        scratch.arrange(dealer(options.seed, CAST.channels))
    orders, _ = scratch.amounts()
    console.print(f"{loaded.lines:,} lines, read as {loaded.source}: {orders:,} orders")
    if loaded.dates.order is not None:
        console.print(f"dates are read {loaded.dates}")
    return loaded


async def _play(
    options: ReplayOptions, stage: ReplayStage, scratch: Scratch, stop: asyncio.Event, console: Console
) -> Played:
    orders, lines = scratch.amounts()
    kills_at = tuple(orders * (number + 1) // (options.kills + 1) for number in range(options.kills))
    stage.board.set_job_speed(_JOBS_RESTING if options.faithful else _JOBS_PLAYING)
    player = Player(stage, scratch, kills_at, faithful=options.faithful)
    with _bar(console, lines, stage) as show:
        await player.play(stop, show)
    return player.played


@contextmanager
def _bar(console: Console, lines: int, stage: ReplayStage) -> Iterator[Callable[[Played], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("lines"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=False) as progress:
        task = progress.add_task("playing", total=lines)

        def show(played: Played) -> None:
            progress.update(task, completed=played.lines, description=f"{stage.clock.now():%Y-%m-%d}")

        yield show

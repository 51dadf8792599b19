"""`syncd demo`: the real daemon against real local marketplaces, with seeded shoppers, live in the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import tempfile
import time  # noqa: TID251 - how long real processes take
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.live import Live
from sqlalchemy import Connection

from syncd.insight.status import Status, read_status
from syncd.insight.store import read_tallies
from syncd.simulation.docks import docks_of
from syncd.simulation.outages import break_down
from syncd.simulation.packing import PackingTable
from syncd.simulation.picture import save_picture
from syncd.simulation.quiet import wait_for_quiet
from syncd.simulation.shelves import Shelves
from syncd.simulation.shoppers import Shoppers
from syncd.simulation.staff import Receiving, Typist
from syncd.simulation.stage import Stage, differing, set_stage, truths
from syncd.simulation.summary import Summary, Tallies, summarise
from syncd.simulation.verdict import summary_view
from syncd.simulation.view import live_view
from syncd.simulation.world import EVERY_VENDOR

__all__ = ["QUIET_WITHIN_S", "DemoOptions", "run_demo", "wait_for_quiet"]

QUIET_WITHIN_S = 6000.0
"""At most this many of the seller's seconds until everything has come to rest: a hold for an order that never comes
(900 s), an unknown write (900 s), the poll and index lag that certify a raise (480 s), and each of it twice."""

_REFRESH_S = 0.5


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`for_s` None: until Ctrl-C. Real seconds of shopping."""

    for_s: float | None
    seed: int
    speed: float
    folder: Path | None
    summary: Path | None
    faults: bool = True
    picture: Path | None = None


async def run_demo(options: DemoOptions, console: Console) -> Summary:
    """Set the stage, let shoppers buy, wait for quiet, and judge."""
    folder = options.folder or Path(tempfile.mkdtemp(prefix="syncd-demo-"))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    stage = await set_stage(
        folder, options.seed, options.speed, cast=EVERY_VENDOR, faults=options.faults, say=lambda s: console.print(s)
    )
    console.print(f"status page: {stage.address}/status   (files in {folder})")
    try:
        started = time.monotonic()
        last_view = await let_shop(stage, options, stop, console)
        shopping_s = time.monotonic() - started
        stop.clear()  # a second Ctrl-C ends the waiting
        awaited = await _come_to_rest(stage, stop, console)
        truth = await truths(stage)
        _keep(stage, truth)
        stage.note_peak()
        summary = await asyncio.to_thread(summarise, stage, truth, await differing(stage, truth), shopping_s, awaited)
    finally:
        await stage.close()
    _tell(summary, last_view, options, console)
    if summary.good and options.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    return summary


async def _come_to_rest(stage: Stage, give_up: asyncio.Event, console: Console) -> str:
    """Wait until nothing is on its way; what still was when the patience ended, or nothing."""
    awaited = ""
    with console.status("waiting until everything has come to rest") as status:

        def show(waiting: str) -> None:
            nonlocal awaited
            awaited = waiting
            status.update(f"coming to rest: {waiting}")

        quiet = await wait_for_quiet(stage, QUIET_WITHIN_S, show, give_up)
    return "" if quiet else awaited or "not even looked at"


def _keep(stage: Stage, truth: dict[str, dict[str, Any]]) -> None:
    """Keep what really happened beside the other files: what went wrong can be told from it afterwards."""
    (stage.folder / "truth.json").write_bytes(msgspec.json.encode(truth))
    (stage.folder / "happenings.json").write_bytes(msgspec.json.encode(stage.happenings))


def _tell(summary: Summary, last_view: Any, options: DemoOptions, console: Console) -> None:
    if not console.is_terminal:
        console.print()  # a terminal ends the live view's last line by itself
    console.print(summary_view(summary))
    for account, sku, shown, sellable in summary.differing:
        console.print(f"  {account} {sku} shows {shown}, sellable is {sellable}", style="red")
    for violation in summary.violations:
        console.print(f"  {violation}", style="red")
    if options.picture is not None:
        save_picture([last_view, summary_view(summary)], options.picture)
    if options.summary is not None:
        summary.save(options.summary)


async def let_shop(stage: Stage, options: DemoOptions, stop: asyncio.Event, console: Console) -> Any:
    """Let shoppers buy for as long as they may, then settle what is unpaid. Returns the last picture of it."""
    shoppers = Shoppers(stage.world, stage.shops, stage.clock, stage.happenings)
    began = time.monotonic()
    view: Any = ""
    async with _busy(_doings(stage, shoppers, options)) as doings:
        with Live(console=console, auto_refresh=False, transient=False) as live:
            while not stop.is_set():
                left = None if options.for_s is None else options.for_s - (time.monotonic() - began)
                if left is not None and left <= 0:
                    break
                _raise_failed(doings)
                view = await asyncio.to_thread(_view, stage, shoppers, left)
                live.update(view, refresh=True)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), min(_REFRESH_S, left) if left is not None else _REFRESH_S)
    await shoppers.payments.settle_all()
    return view


def _doings(stage: Stage, shoppers: Shoppers, options: DemoOptions) -> list[Coroutine[Any, Any, None]]:
    world, db, clock, happenings = stage.world, stage.setup.db, stage.clock, stage.happenings
    shopping_s = None if options.for_s is None else options.for_s * clock.speed
    shelves = Shelves(world)
    doings = [
        shoppers.shop(),
        shoppers.payments.settle_due(),
        shoppers.regrets.come_due(),
        PackingTable(db, clock, shoppers.parcels, stage.setup.ids.accounts, shelves, shoppers.lines_of).pack(),
        Receiving(world, db, clock, stage.folder, docks_of(stage), happenings, shelves).receive(),
        Typist(world, stage.shops, clock, happenings).type_numbers(),
    ]
    if options.faults:
        doings.append(break_down(world, stage.shops, clock, happenings, shopping_s))
    return doings


@asynccontextmanager
async def _busy(doings: list[Coroutine[Any, Any, None]]) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(each) for each in doings]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _raise_failed(doings: list[asyncio.Task[None]]) -> None:
    for doing in doings:
        if doing.done() and not doing.cancelled() and (err := doing.exception()) is not None:
            raise err


def _view(stage: Stage, shoppers: Shoppers, left: float | None) -> Any:
    now = stage.clock.now()
    status, tallies = stage.setup.db.read_now(_figures, now)
    until = "until Ctrl-C" if left is None else f"{left:.0f} s left"
    sales = shoppers.sales
    headline = f"{now:%a %H:%M} at {stage.clock.speed:g}x · {sum(sales.accepted.values())} bought, "
    headline += f"{sales.refused} found it sold out · {until}"
    down = [channel.key for channel in stage.world.channels if stage.happenings.down(channel.key, now)]
    return live_view(headline, stage.address, status, tallies, shoppers.payments.open, down)


def _figures(connection: Connection, now: datetime) -> tuple[Status, Tallies]:
    return read_status(connection, now), read_tallies(connection)

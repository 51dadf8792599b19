"""`syncd demo`: the real daemon against real local marketplaces, with seeded shoppers, live in the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from sqlalchemy import Connection, func, select

from syncd.accounts.store import account_states
from syncd.alerts.store import read_open
from syncd.chance import SeededRng
from syncd.db.tables import dirty_listing, hold, inbox, push_batch
from syncd.insight.store import read_lags, read_tallies
from syncd.simulation.files import write_stock
from syncd.simulation.picture import save_picture
from syncd.simulation.shoppers import Shoppers
from syncd.simulation.stage import Stage, differing, set_stage, truths
from syncd.simulation.summary import Summary, summarise
from syncd.simulation.view import live_view, summary_view
from syncd.stock.import_stock import import_stock

QUIET_WITHIN_S = 3600.0
"""At most this many of the seller's seconds until everything has come to rest."""

_RESTOCK_EVERY_S = 900.0
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
    stage = await set_stage(folder, options.seed, options.speed, faults=options.faults, say=lambda s: console.print(s))
    console.print(f"status page: {stage.address}/status   (files in {folder})")
    try:
        started = time.monotonic()
        last_view = await _let_shop(stage, options, stop, console)
        shopping_s = time.monotonic() - started
        with console.status("waiting until everything has come to rest"):
            quiet = await wait_for_quiet(stage, QUIET_WITHIN_S)
        truth = await truths(stage)
        stage.note_peak()
        summary = await asyncio.to_thread(summarise, stage, truth, shopping_s, quiet=quiet)
    finally:
        await stage.close()
    console.print(summary_view(summary))
    for account, sku, shown, sellable in summary.differing:
        console.print(f"  {account} {sku} shows {shown}, sellable is {sellable}", style="red")
    for violation in summary.violations:
        console.print(f"  {violation}", style="red")
    if options.picture is not None:
        save_picture([last_view, summary_view(summary)], options.picture)
    if options.summary is not None:
        summary.save(options.summary)
    if summary.good and options.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    return summary


async def _let_shop(stage: Stage, options: DemoOptions, stop: asyncio.Event, console: Console) -> Any:
    """Let shoppers buy for as long as they may. Returns the last picture of it."""
    shoppers = Shoppers(stage.world, stage.counters, stage.clock)
    doings = [
        asyncio.create_task(each) for each in (shoppers.shop(), shoppers.change_minds(), restock(stage, shoppers))
    ]
    began = time.monotonic()
    view: Any = ""
    try:
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
    finally:
        shoppers.stop()
        for doing in doings:
            doing.cancel()
        await asyncio.gather(*doings, return_exceptions=True)
    return view


def _raise_failed(doings: list[asyncio.Task[None]]) -> None:
    for doing in doings:
        if doing.done() and not doing.cancelled() and (err := doing.exception()) is not None:
            raise err


def _view(stage: Stage, shoppers: Shoppers, left: float | None) -> Any:
    states, tallies, lags, alerts = stage.setup.db.read_now(_live_figures)
    until = "until Ctrl-C" if left is None else f"{left:.0f} s left"
    sold = sum(shoppers.sales.accepted.values())
    now = stage.clock.now()
    refused = shoppers.sales.refused
    headline = f"{now:%a %H:%M} at {stage.clock.speed:g}x · {sold} bought, {refused} found it sold out · {until}"
    accounts = {shop.key: stage.setup.ids.accounts[shop.key] for shop in stage.world.shops}
    return live_view(headline, stage.address, accounts, states, tallies, lags, alerts)


def _live_figures(connection: Connection) -> tuple[dict[int, str], Any, Any, int]:
    return (
        account_states(connection),
        read_tallies(connection),
        read_lags(connection),
        len(read_open(connection)),
    )


async def restock(stage: Stage, shoppers: Shoppers) -> None:
    """Goods arrive now and then: staff count what stands on some shelves and import it."""
    rng = SeededRng(stage.world.seed, "restock")
    delivery = 0
    while not shoppers.stopped:
        await stage.clock.sleep(_RESTOCK_EVERY_S)
        delivery += 1
        articles = stage.world.plain
        chosen = sorted({articles[rng.randrange(len(articles))].sku for _ in range(6)})
        counted = {(sku, store): 10 + rng.randrange(30) for sku in chosen for store in ("east",)}
        now = stage.clock.now()
        path = write_stock(counted, now, stage.folder / f"delivery-{delivery}.csv")
        await asyncio.to_thread(import_stock, stage.setup.db, path, now)


async def wait_for_quiet(stage: Stage, within_s: float, progress: Callable[[str], None] | None = None) -> bool:
    """Wait until nothing is on its way anywhere and every listing is right, at most so many seller's seconds."""
    give_up_at = stage.clock.now().timestamp() + within_s
    while stage.clock.now().timestamp() < give_up_at:
        waiting = await asyncio.to_thread(stage.setup.db.read_now, _in_flight)
        if progress:
            progress(str(waiting))
        if not any(waiting.values()):
            truth = await truths(stage)
            settled = not any(int(told["deliveries_pending"]) for told in truth.values())
            if settled and not await asyncio.to_thread(_unfinished, stage, truth):
                return True
        await asyncio.sleep(0.5)
    return False


def _unfinished(stage: Stage, truth: dict[str, dict[str, Any]]) -> bool:
    taken = stage.setup.db.read_now(read_tallies)
    orders = sum(n for (_, name), n in taken.items() if name.startswith("orders_in."))
    return orders < sum(int(told["orders_accepted"]) for told in truth.values()) or bool(differing(stage, truth))


def _in_flight(connection: Connection) -> dict[str, int]:
    """What still waits: events, writes, holds that have not ended, numbers that are to change."""

    def count(statement: Any) -> int:
        return int(connection.execute(select(func.count()).select_from(statement.subquery())).scalar_one())

    return {
        "events": count(select(inbox.c.id).where(inbox.c.state.in_(("new", "hinted")))),
        "writes": count(select(push_batch.c.key).where(push_batch.c.state == "in_flight")),
        "holds": count(select(hold.c.id).where(hold.c.closed_at.is_(None))),
        "listings": count(
            select(dirty_listing.c.listing_id).where(
                (dirty_listing.c.waits_for.is_(None)) | (dirty_listing.c.waits_for == "certification")
            )
        ),
    }

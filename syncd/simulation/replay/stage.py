"""The stage of a replay: real sandboxes and a real daemon, each a process of its own, and one who leads their time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, select

from syncd import config as settings
from syncd.bootstrap import furnish_world, open_channels, open_database
from syncd.clock import start_record
from syncd.db.migrate import migrate
from syncd.db.tables import sales_order, sku
from syncd.errors import SyncdError
from syncd.insight.store import read_tallies
from syncd.simulation.files import secrets_of, settle_terms, write_config
from syncd.simulation.led.board import Board
from syncd.simulation.led.conductor import Conductor, LeadersClock
from syncd.simulation.processes import Process, ProcessFailed, free_ports
from syncd.simulation.replay.scratch import Wish
from syncd.simulation.replay.seller import CAST, make_seller
from syncd.simulation.scene import go_live_everywhere, import_all_listings, import_book
from syncd.simulation.shop_control import Placed, ShopCounter
from syncd.simulation.stage import Stage
from syncd.simulation.stands import stands_of, write_stands
from syncd.simulation.vendors import Json
from syncd.simulation.world import World, stands

_PART = "syncd.simulation.led.part"
_MARKETPLACE_SLOT, _DAEMON_SLOT = 0, 1
_LISTED_AT_ONCE = 500
_LIST_EVERY_S = 5.0
_ORDERS_AT_ONCE = 50  # an answer is garbage for a while before it is collected: small ones
_PATIENCE_S = 120.0  # the marketplaces have much to do at times
_RECORD_SPEED = 60.0  # of whoever looks into the folder afterwards


class NotEmpty(SyncdError):
    """The database is somebody's already."""


@dataclass(frozen=True, slots=True)
class NotServed:
    """The sandbox ships nothing to that country."""


@dataclass(frozen=True, slots=True)
class TooFew:
    """The channel shows less of a line than is wanted; `line` is its place."""

    line: int


class ReplayCounter(ShopCounter):
    """A counter that tells what is sold out, and its orders, which may be many, apart from the rest and in pages."""

    async def buy(self, lines: list[tuple[str, int]], ship_to: Mapping[str, str]) -> Placed | TooFew | NotServed:
        body = {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines], "ship_to": dict(ship_to)}
        answer = await self._http.post("/orders", json=body)
        if answer.status_code == httpx.codes.CONFLICT:
            field = str(answer.json()["error"]["field"])
            if field.startswith("lines["):
                return TooFew(int(field[len("lines[") :].partition("]")[0]))
        bad_request = answer.status_code == httpx.codes.BAD_REQUEST
        if bad_request and answer.json()["error"]["field"] == "ship_to.country":
            return NotServed()
        told = self._told(answer)
        return Placed(str(told["id"]), str(told["name"]))

    async def list_items(self, items: list[Json]) -> None:
        await self._post("items", {"items": items})

    async def truth(self) -> dict[str, Any]:
        return self._told(await self._http.get("/truth", params={"orders": 0}, timeout=_PATIENCE_S))

    async def orders(self) -> AsyncIterator[list[tuple[str, int]]]:
        """Every order that the channel has, some at a time: (name, units that its buyer still has)."""
        after, more = 0, True
        while more:
            asked = {"after": after, "limit": _ORDERS_AT_ONCE}
            told = self._told(await self._http.get("/truth/orders", params=asked, timeout=_PATIENCE_S))
            yield [(each["name"], sum(line["current_quantity"] for line in each["lines"])) for each in told["orders"]]
            after, more = after + len(told["orders"]), told["more"]


@dataclass(slots=True, kw_only=True)
class ReplayStage(Stage):
    """A stage whose time is led."""

    board: Board
    conductor: Conductor
    buyers: dict[str, ReplayCounter]

    async def start_daemon(self) -> None:
        self.lived = self.happenings.begin_life(self.clock.now())
        self.daemon = _part("daemon", self.config_file, self.folder, _DAEMON_SLOT, self.secrets)
        await self.daemon.answers(f"{self.address}/readyz")

    async def kill_daemon(self) -> None:
        """Power cut and start again, in the middle of whatever it does."""
        assert self.daemon is not None, "there is a daemon to kill"
        self.note_peak()
        self.daemon.kill()
        self.board.leave(_DAEMON_SLOT)
        if self.lived is not None:
            self.lived.end(self.clock.now())
        self.restarts += 1
        await self.start_daemon()

    async def orders_in(self) -> int:
        """How many orders the book has taken in."""
        tallies = await self.setup.db.read(read_tallies)
        return sum(n for (_, name), n in tallies.items() if name.startswith("orders_in."))

    async def news_pending(self) -> int:
        """How much news is on its way from the channels."""
        return sum([int((await each.stats())["webhooks"]["pending"]) for each in self.buyers.values()])

    def check(self) -> None:
        """Raises ProcessFailed where a process has died."""
        for process in (self.sandbox, self.daemon):
            if process is not None and not process.running:
                raise ProcessFailed(f"a process of the replay ended by itself:\n{process.tail()}")

    async def close(self) -> None:
        start_record(_RECORD_SPEED, self.clock.now()).save(self.folder / "clock.json")
        await Stage.close(self)
        self.conductor.close()
        self.board.close()


async def set_stage(
    folder: Path,
    seed: int,
    wishes: Iterable[Wish],
    begins_at: datetime,
    database_url: str | None = None,
    *,
    webhooks: bool = True,
) -> ReplayStage:
    """A seller with everything that the orders want, live on every channel at that instant.

    Without `webhooks` the channels cannot reach the daemon: it polls, and Amazon has its queue.
    """
    keys = [key for key, _ in stands(CAST)]
    *ports, port = free_ports(len(keys) + 1)
    world = make_seller(seed, wishes, dict(zip(keys, ports, strict=True)), webhooks=webhooks)
    start_record(_RECORD_SPEED, begins_at).save(folder / "clock.json")
    listed_later = _save_stands(world, folder / "shops.json")
    board = Board.create(folder / "time.board", begins_at)
    conductor = Conductor(board)
    sandbox = _part("marketplace", folder / "shops.json", folder, _MARKETPLACE_SLOT, {})
    try:
        stage = await _furnished(folder, world, port, board, conductor, sandbox, database_url)
        await _list_later(stage, listed_later)
    except BaseException:
        await sandbox.stop()
        raise
    conductor.check_by(stage.check)
    try:
        starting = asyncio.create_task(stage.start_daemon())
        import_book(stage)
        await starting
        os.environ.update(stage.secrets)
        await import_all_listings(stage, open_channels(stage.setup))
        await go_live_everywhere(stage)
    except BaseException:
        await stage.close()
        raise
    return stage


def _save_stands(world: World, path: Path) -> dict[str, list[Json]]:
    """Write what the marketplaces' process must know. Returns the items that are listed once it runs, by account."""
    opened, later = [], {}
    for stand in stands_of(world):
        items = stand.seed["items"]
        if stand.vendor == "amazon":
            later[stand.key] = items[_LISTED_AT_ONCE:]
            items = items[:_LISTED_AT_ONCE]
        opened.append(replace(stand, seed={**stand.seed, "items": items}))
    write_stands(world.seed, opened, path)
    return later


async def _list_later(stage: ReplayStage, items: Mapping[str, list[Json]]) -> None:
    """Amazon pages through no more than 2000 listings of one instant: nobody lists more than that at once."""
    for key, listed in items.items():
        for start in range(0, len(listed), _LISTED_AT_ONCE):
            await stage.clock.sleep(_LIST_EVERY_S)
            await stage.buyers[key].list_items(listed[start : start + _LISTED_AT_ONCE])


async def _furnished(
    folder: Path,
    world: World,
    port: int,
    board: Board,
    conductor: Conductor,
    sandbox: Process,
    database_url: str | None,
) -> ReplayStage:
    url = database_url or f"sqlite:///{folder / 'syncd.db'}"
    await asyncio.to_thread(migrate, url)
    buyers = {each.key: ReplayCounter(each.key, world.address(each.key)) for each in world.channels}
    for key in buyers:
        await sandbox.answers(f"{world.address(key)}/_control/stats")
    terms = settle_terms(world, {key: await counter.truth() for key, counter in buyers.items()})
    config_file = write_config(world, terms, folder, url, port)
    config = settings.load(config_file)
    clock = LeadersClock(conductor)
    db = open_database(config)
    if not db.read_now(_is_empty):
        db.close()
        raise NotEmpty("the database has orders or SKUs already: a replay needs one of its own, and changes no other")
    return ReplayStage(
        folder=folder,
        world=world,
        clock=clock,
        port=port,
        database_url=url,
        sandbox=sandbox,
        counters=list(buyers.values()),
        docks={},
        config_file=config_file,
        secrets=secrets_of(terms),
        setup=furnish_world(config, db, clock),
        board=board,
        conductor=conductor,
        buyers=buyers,
    )


def _is_empty(connection: Connection) -> bool:
    return not any(connection.execute(select(1).select_from(table).limit(1)).first() for table in (sku, sales_order))


def _part(what: str, file: Path, folder: Path, slot: int, secrets: Mapping[str, str]) -> Process:
    arguments = [what, str(file), str(folder / "time.board"), str(slot)]
    return Process(arguments, folder / f"{what}.log", env=secrets, module=_PART)

"""The daemon is killed fifty times under every vendor and both databases: nothing is lost, nothing is done twice.

What the simulation cannot see is seen here: threads, the file system, PostgreSQL's locks, sockets that die.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from rich.console import Console

from syncd.chance import SeededRng
from syncd.simulation.checker.check import check_at_rest
from syncd.simulation.demo import QUIET_WITHIN_S, DemoOptions, let_shop
from syncd.simulation.quiet import wait_for_quiet
from syncd.simulation.stage import Stage, set_stage
from syncd.simulation.world import EVERY_VENDOR
from tests.support import postgres

pytestmark = [pytest.mark.soak, pytest.mark.long, pytest.mark.timeout(1200)]

KILLS = 50
SEED = 33
REDELIVERED_WITHIN_S = 4 * 3600.0
"""The seller's seconds in which a shop goes on trying to deliver what nobody was there to take."""


async def cut_power(stage: Stage, stop: asyncio.Event) -> None:
    """Kill the daemon again and again, sometimes as soon as it stands."""
    rng = SeededRng(SEED, "cuts")
    try:
        for _ in range(KILLS):
            await asyncio.sleep(rng.uniform(0.0, 1.2))
            await stage.kill_daemon()
    finally:
        stop.set()


def is_whole(database: Path) -> bool:
    with sqlite3.connect(database) as connection:
        (told,) = connection.execute("PRAGMA integrity_check").fetchone()
    return bool(told == "ok")


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_fifty_power_cuts_lose_nothing(tmp_path: Path, engine: str) -> None:
    url = None if engine == "sqlite" else postgres.create_database()
    stage = await set_stage(tmp_path / "run", SEED, 60.0, cast=EVERY_VENDOR, database_url=url)
    try:
        stop = asyncio.Event()
        cutting = asyncio.create_task(cut_power(stage, stop))
        await let_shop(stage, DemoOptions(None, SEED, 60.0, stage.folder, None), stop, Console(quiet=True))
        await cutting
        awaited: list[str] = []
        assert await wait_for_quiet(stage, QUIET_WITHIN_S + REDELIVERED_WITHIN_S, awaited.append), awaited[-1:]
        verdict = await check_at_rest(stage)
        assert verdict.findings == []
        assert stage.restarts == KILLS
        assert engine != "sqlite" or is_whole(stage.folder / "syncd.db")
    finally:
        await stage.close()

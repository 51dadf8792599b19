"""A daemon whose work fails for ever says so, though each of its loops gets round and nothing else is wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from syncd import config as settings
from syncd.alerts import lateness
from syncd.bootstrap import World, open_world
from syncd.daemon import Daemon
from syncd.orders.intake import Intake

CONFIG = """
[database]
url = "{url}"
[http]
port = 0
[[warehouse]]
key = "main"
kind = "own"
country = "US"
"""


@pytest.fixture
async def world(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A seller whose daemon watches itself every moment instead of every minute."""
    monkeypatch.setattr(lateness, "EVERY_S", 0.3)
    monkeypatch.setattr(lateness, "SEEN_FOR", timedelta(seconds=0.2))
    monkeypatch.setattr(lateness, "LOOP_FAILING_S", 0.5)
    path = tmp_path / "syncd.toml"
    path.write_text(CONFIG.format(url=database_url))
    world = open_world(settings.load(path))
    yield world
    world.db.close()


def is_open(world: World) -> list[str]:
    query = "SELECT key FROM alert WHERE closed_at IS NULL ORDER BY key"
    return list(world.db.read_now(lambda connection: connection.execute(text(query)).scalars().all()))


async def until(true: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < give_up_at, "it did not come to pass"
        await asyncio.sleep(0.1)


async def test_an_intake_that_always_fails_is_told_until_it_works(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_: Intake) -> int:
        raise KeyError("a bug")

    drain = Intake.drain
    monkeypatch.setattr(Intake, "drain", fails)
    daemon = Daemon(world)
    await daemon.keeper.acquire()
    daemon.begin()
    await daemon.open_door()
    daemon.start()
    try:
        await until(lambda: is_open(world) == ["loop_failing:intake"])
        monkeypatch.setattr(Intake, "drain", drain)
        await until(lambda: is_open(world) == [])
    finally:
        await daemon.stop(1.0)
        await daemon.release()

"""Three channels, a 3PL and FBA in one run, with the daemon killed now and then: nothing lost, nothing done twice."""

from __future__ import annotations

import asyncio
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

pytestmark = [pytest.mark.soak, pytest.mark.timeout(420)]

SHOPPING_S = 15.0


async def cut_power(stage: Stage, kills: int) -> None:
    rng = SeededRng(3, "cuts")
    for _ in range(kills):
        await asyncio.sleep(rng.uniform(1.5, 4.0))
        await stage.kill_daemon()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_power_cuts_lose_nothing_on_any_channel_or_warehouse(tmp_path: Path, engine: str) -> None:
    url = None if engine == "sqlite" else postgres.create_database()
    stage = await set_stage(tmp_path / "run", 21, 60.0, cast=EVERY_VENDOR, database_url=url)
    try:
        options = DemoOptions(SHOPPING_S, 21, 60.0, stage.folder, None)
        cutting = asyncio.create_task(cut_power(stage, 4))
        await let_shop(stage, options, asyncio.Event(), Console(quiet=True))
        await cutting
        awaited = ""

        def note(waiting: str) -> None:
            nonlocal awaited
            awaited = waiting

        assert await wait_for_quiet(stage, QUIET_WITHIN_S, note), awaited
        assert (await check_at_rest(stage)).findings == []
        assert stage.restarts == 4
    finally:
        await stage.close()

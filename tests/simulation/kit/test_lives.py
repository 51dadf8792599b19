"""Whatever a process began ends with it, and waits while it is frozen."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from syncd.simulation.kit.life import Life, current_life
from tests.simulation.kit.machines import Machines, now, virtually, wired


def test_tasks_belong_to_the_life_that_began_them() -> None:
    async def main() -> list[str | None]:
        life = Life("daemon")
        seen: list[str | None] = []

        async def grandchild() -> None:
            seen.append(found.name if (found := current_life()) else None)

        async def child() -> None:
            await asyncio.create_task(grandchild())

        await life.begin(child())
        seen.append(found.name if (found := current_life()) else None)
        return seen

    assert virtually(main()) == ["daemon", None]


def test_whoever_is_ended_says_nothing_more() -> None:
    async def main() -> tuple[list[str], bool]:
        machines = Machines()
        await machines.open()
        life = Life("daemon")
        with wired(machines) as client:

            async def speak() -> None:
                await client.get("/first")
                try:
                    await asyncio.sleep(10.0)
                finally:
                    await client.get("/last-words")

            speaking = life.begin(speak())
            await asyncio.sleep(5.0)
            life.end()
            await asyncio.wait([speaking])
            await asyncio.sleep(60.0)
        return machines.heard, speaking.cancelled()

    assert virtually(main()) == (["/first"], True)


def test_a_frozen_life_goes_on_later_where_it_was() -> None:
    async def main() -> tuple[list[str], float]:
        machines = Machines()
        await machines.open()
        life = Life("daemon")
        with wired(machines) as client:

            async def speak() -> None:
                await client.get("/one")
                await client.get("/two")

            speaking = life.begin(speak())
            life.freeze()
            await asyncio.sleep(60.0)
            before = list(machines.heard)
            life.thaw()
            await speaking
        return [*before, "thawed", *machines.heard], now()

    heard, at = virtually(main())

    assert heard == ["thawed", "/one", "/two"]
    assert 60.0 < at < 62.0


def test_a_server_that_is_ended_refuses_connections() -> None:
    async def main() -> None:
        machines = Machines()
        await machines.open()
        machines.life.end()
        with wired(machines) as client:
            await client.get("/")

    with pytest.raises(httpx.ConnectError):
        virtually(main())

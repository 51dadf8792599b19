"""What the machine in life does with the signals it is sent."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from syncd.host import ThisMachine


@pytest.fixture
def hung_up() -> Iterator[list[int]]:
    """Catches a SIGHUP that nobody took, which would end this process."""
    seen: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _: seen.append(number))
    yield seen
    signal.signal(signal.SIGHUP, before)


async def test_a_reload_is_ignored_and_said_to_be(hung_up: list[int]) -> None:
    ended: list[bool] = []
    loop = asyncio.get_running_loop()
    ThisMachine().on_signal(lambda: ended.append(True))
    try:
        with capture_logs() as logs:
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0.05)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)

    assert (hung_up, ended) == ([], [])
    [line] = logs
    assert (line["event"], line["signal"]) == ("reload.ignored", "SIGHUP")
    assert "only `syncd run` takes a new configuration" in line["remedy"]


async def test_a_reload_is_asked_of_whoever_takes_one(hung_up: list[int]) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    ThisMachine().on_signal(lambda: None, asked.set)
    try:
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.wait_for(asked.wait(), 5)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)

    assert hung_up == []


async def test_who_serves_on_handed_on_sockets_is_there_before_the_other_has_gone() -> None:
    machine = ThisMachine()
    first = await machine.serve(_says("first"), "127.0.0.1", 0)
    second = await machine.serve_on(_says("second"), first.handed_on())
    assert second.address == first.address

    await first.stop()
    async with aiohttp.ClientSession() as http:
        answers = {await (await http.get(first.address, headers={"Connection": "close"})).text() for _ in range(5)}
    await second.stop()

    assert answers == {"second"}
    with pytest.raises(aiohttp.ClientConnectorError):
        async with aiohttp.ClientSession() as http:
            await http.get(first.address)


@pytest.mark.parametrize(("host", "written"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
async def test_the_address_of_the_page_can_be_opened(host: str, written: str) -> None:
    if host == "::1" and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    served = await ThisMachine().serve(_says("here"), host, 0)
    try:
        async with aiohttp.ClientSession() as http, http.get(served.address) as answer:
            said = await answer.text()
    finally:
        await served.stop()

    assert said == "here"
    assert served.address.startswith(f"http://{written}:")


async def test_an_address_that_is_taken_cannot_be_had_and_leaves_nothing_open() -> None:
    machine = ThisMachine()
    served = await machine.serve(_says("here"), "127.0.0.1", 0)
    port = int(served.address.rpartition(":")[2])

    with pytest.raises(OSError, match="address already in use"):
        await machine.serve(_says("too late"), "127.0.0.1", port)

    await served.stop()


def _says(word: str) -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=word)

    app = web.Application()
    app.router.add_get("/", answer)
    return app


def test_the_unit_starts_a_daemon_again_however_it_ended() -> None:
    unit = (Path(__file__).parents[2] / "systemd" / "syncd.service").read_text()

    assert "Restart=always" in unit.splitlines()


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as trying:
            trying.bind(("::1", 0))
    except OSError:
        return False
    return True

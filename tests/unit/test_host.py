"""What the machine in life does with the signals it is sent."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
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
    assert "restart syncd" in line["remedy"]


def test_the_unit_starts_a_daemon_again_however_it_ended() -> None:
    unit = (Path(__file__).parents[2] / "systemd" / "syncd.service").read_text()

    assert "Restart=always" in unit.splitlines()

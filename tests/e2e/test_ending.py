"""A real daemon that is asked to end does so within 20 s, whatever hangs, and loses nothing that it acknowledged."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncd.alerts.store import Alert, open_alerts
from syncd.clock import real_now
from syncd.simulation.processes import Process
from tests.support.running import Running, a_running_daemon, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

WITHIN_S = 20.0
MAIL = """
[[alerts.route]]
name = "mail"
kind = "email"
host = "127.0.0.1"
port = {silent}
security = "none"
from = "syncd@example.com"
to = ["ops@example.com"]
"""


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with a_running_daemon(tmp_path, MAIL) as made:
        yield made


async def seconds_to_end(running: Running) -> float:
    began = time.monotonic()
    assert await running.daemon.stop() == 0, running.daemon.tail()
    return time.monotonic() - began


async def test_silent_vendors_chats_and_mail_servers_keep_nobody(running: Running) -> None:
    oversold = Alert("oversold:1", "oversold", "1 unit", "order #1", subject="#1", units=1, orders=1)
    running.db.transact_now(open_alerts, [oversold], real_now())
    await until(lambda: running.asked >= {"POST /chat", "POST /admin", "mail"}, 60.0)
    codes = await asyncio.gather(*(running.sends(number) for number in range(20)))
    assert set(codes) == {200}

    assert await seconds_to_end(running) < WITHIN_S

    assert running.one("SELECT count(*) FROM inbox WHERE topic = 'orders/updated'") == 20
    assert running.one("SELECT count(*) FROM lease WHERE holder IS NOT NULL") == 0, "the next one need not wait"
    assert "stop.cut_short" in running.log()
    assert '"daemon.stopped"' in running.log()
    assert "daemon.cut_off" not in running.log()
    await running.starts_again()
    assert await running.sends(99) == 200


async def test_one_that_stands_by_heeds_signals_too(running: Running) -> None:
    log = running.folder / "standby.log"
    standby = Process(["run", "-c", str(running.file), "--standby"], log, env=running.environment)
    await until(lambda: "daemon.standing_by" in log.read_text())

    os.kill(standby.pid, signal.SIGHUP)
    await asyncio.sleep(0.5)
    assert standby.running, "there is nothing to reload yet"

    assert await standby.stop() == 0
    assert await running.sends(1) == 200


async def test_not_even_a_database_that_hangs_keeps_it(running: Running) -> None:
    assert await running.sends(1) == 200
    with running.db.writer.connect() as connection, connection.begin():  # nobody else writes as long as this lasts
        late = asyncio.create_task(running.sends(2))
        await asyncio.sleep(0.5)
        took_s = await seconds_to_end(running)
        await asyncio.gather(late, return_exceptions=True)

    assert took_s < WITHIN_S
    assert running.one("SELECT count(*) FROM inbox WHERE topic = 'orders/updated'") == 1
    assert late.exception() is not None or late.result() == 503, "what is not committed is never acknowledged"
    await running.starts_again()
    assert await running.sends(2) == 200

"""A real daemon is asked to take its configuration anew: all of it is taken, or nothing of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import httpx
import msgspec
import pytest

from syncd.cli import EXIT_CONFIG
from syncd.config.told import LAST_GOOD
from tests.support import postgres
from tests.support.commands import Commands
from tests.support.running import ANOTHER, Running, a_running_daemon, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    made = Commands()
    yield made
    made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.soak])])
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    url = postgres.create_database() if request.param == "postgresql" else None
    async with a_running_daemon(tmp_path, url=url) as made:
        yield made


async def test_a_reload_takes_everything_and_misses_no_webhook(running: Running) -> None:
    answers: list[int] = []
    sending = asyncio.gather(_keep_sending(running, answers, 0), _keep_sending(running, answers, 100_000, kept=True))
    await until(lambda: len(answers) > 5)
    running.writes("buffer = 1", 'buffer = 7\npolicy = "nearest"', ANOTHER.format(silent=running.silent))

    running.asks()
    told = await running.until_answered()

    assert told["reload"]["verdict"] == "taken"
    assert told["in_force_since"] == told["reload"]["at"]
    before = len(answers)
    await until(lambda: len(answers) > before + 5)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert set(answers) == {200}, "no webhook is refused on the way"
    assert running.one("SELECT count(*) FROM inbox WHERE topic = 'orders/updated'") >= len(answers)
    assert running.one("SELECT buffer FROM account WHERE key = 'shop'") == 7
    assert running.one("SELECT policy FROM account WHERE key = 'shop'") == "nearest"
    assert running.one("SELECT state FROM account WHERE key = 'second'") == "observing"
    assert held(running) == {"account:second", "account:shop", "messenger", "scheduler"}
    heard = running.heard
    reloading = next(number for number, each in enumerate(heard) if each.startswith("RELOADING=1\nMONOTONIC_USEC="))
    assert "READY=1" in heard[:reloading]
    assert "READY=1" in heard[reloading:]

    running.writes("[[alerts.route]]", "[[alerts.route]]\ndigest = false")
    running.asks()
    await running.until_answered(told["reload"]["at"])

    assert held(running) == {"account:shop", "messenger", "scheduler"}, "what is taken out is given back"
    assert running.one("SELECT buffer FROM account WHERE key = 'shop'") == 1


async def test_a_bad_file_is_refused_as_a_whole_with_everything_that_is_wrong(running: Running) -> None:
    running.writes("buffer = 1", 'buffer = 9\ncap = "many"\npolicy = "best"')
    running.file.write_text(running.file.read_text().replace('"OPS_URL"', '"NOT_THERE"'))

    running.asks()
    told = await running.until_answered()

    assert told["reload"]["verdict"].startswith("refused: ")
    keys = [problem.partition(":")[0] for problem in told["reload"]["problems"]]
    assert keys == ["account[shop].policy", "account[shop].cap", "alerts.route[ops].url_secret"]
    assert told["in_force_since"] < told["reload"]["at"]
    assert running.one("SELECT buffer FROM account WHERE key = 'shop'") == 1
    open_ones = "SELECT subject FROM alert WHERE kind = 'reload_refused' AND closed_at IS NULL"
    assert running.every(open_ones) == set(keys)
    assert await running.sends(1) == 200
    refused = [msgspec.json.decode(line) for line in running.log().splitlines() if "reload.refused" in line]
    assert [line["problems"] for line in refused] == [told["reload"]["problems"]], "all of it in one line"
    await until(lambda: any(each.startswith("STATUS=reload refused: ") for each in running.heard))

    running.daemon.kill()
    running.writes()
    await running.starts_again()
    await until(lambda: not running.every(open_ones))


async def test_whoever_asks_is_told_what_came_of_it(running: Running, commands: Commands) -> None:
    def reload() -> tuple[int, str, str]:
        environment = {**os.environ, "MAINPID": str(running.daemon.pid)}
        return commands.run(["reload", "-c", str(running.file)], running.folder, environment)

    running.writes("buffer = 1", "buffer = 5")
    running.file.write_text(running.file.read_text().replace(f"port = {running.port}", "port = 1"))
    code, out, err = reload()
    assert (code, err) == (EXIT_CONFIG, "")
    assert "http.port: cannot be changed while syncd runs. Restart to change it, or put it back" in out
    assert "refused: the configuration from before is in force" in out
    assert running.one("SELECT buffer FROM account WHERE key = 'shop'") == 1, "nothing of it is taken"

    running.writes("buffer = 1", "buffer = 3")
    assert reload() == (0, "the new configuration is in force\n", "")
    assert running.one("SELECT buffer FROM account WHERE key = 'shop'") == 3

    running.file.write_text("[http\n")
    code, _, err = reload()
    assert code == EXIT_CONFIG
    assert "is not TOML" in err
    await until(lambda: running.log().count("reload.refused") == 2)

    by_manager = {**os.environ, "MAINPID": str(running.daemon.pid), "STATE_DIRECTORY": str(running.folder / "state")}
    without_database = ["reload", "-c", "/nonexistent/syncd.toml"]  # what a manager runs is given no secrets
    code, out, err = commands.run(without_database, running.folder, by_manager)
    assert (code, err) == (EXIT_CONFIG, "")
    assert "is not TOML" in out
    running.writes("buffer = 1", "buffer = 4")
    assert commands.run(without_database, running.folder, by_manager)[:2] == (0, "the new configuration is in force\n")
    assert (running.folder / "state" / LAST_GOOD).read_text() == running.file.read_text()

    running.daemon.kill()
    running.writes()
    code, _, err = reload()
    assert code == 1
    assert "no syncd of this machine works on that database" in err


def held(running: Running) -> set[str]:
    return running.every("SELECT name FROM lease WHERE holder IS NOT NULL")


async def _keep_sending(running: Running, answers: list[int], first: int, *, kept: bool = False) -> None:
    """One webhook after the other, each on a connection of its own or all on one that is kept alive."""
    async with httpx.AsyncClient(timeout=20.0) as http:
        for number in count(first):
            answers.append(await running.sends(number, http if kept else None))

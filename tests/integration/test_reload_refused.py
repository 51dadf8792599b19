"""Whatever fails while the next daemon is made, the one that works goes on by its own configuration."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from syncd import config as settings
from syncd import daemon_service
from syncd.alerts.refused_reload import Problem, note_reloaded
from syncd.bootstrap import SettingsRefused, open_world
from syncd.daemon import Daemon
from syncd.daemon_adapters import Adapters
from syncd.daemon_service import Service
from syncd.daemon_standing import Answer, read_answer
from syncd.db.database import Database
from syncd.db.lease import Fenced
from tests.support.builders import NOW

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
ACCOUNT = """
[[account]]
key = "{key}"
channel = "shopify"
warehouses = ["main"]
buffer = {buffer}
[account.shopify]
base_url = "http://127.0.0.1:{port}"
client_id = "client"
client_secret = "SHOP_SECRET"
location = "gid://shopify/Location/1"
"""


@pytest.fixture
def file(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOP_SECRET", "hush")
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    path = tmp_path / "syncd.toml"
    path.write_text(CONFIG.format(url=database_url) + ACCOUNT.format(key="shop", buffer=1, port=1))
    return path


@pytest.fixture
async def service(file: Path) -> AsyncIterator[Service]:
    world = open_world(settings.load(file))
    assert isinstance(world.db, Database)
    made = Service(file, world, world.db)
    await made._daemon.keeper.acquire()
    yield made
    await made._daemon.stop(0.0)
    await made._daemon.release()
    world.db.close()


def changes(file: Path, *changed: tuple[str, str]) -> None:
    """The file as it was at first, with these in it instead of those."""
    first = file.with_suffix(".first")
    if not first.exists():
        first.write_text(file.read_text())
    config = first.read_text()
    for old, new in changed:
        assert old in config
        config = config.replace(old, new)
    file.write_text(config)


def adds_an_account(file: Path) -> None:
    before = file.read_text().replace("buffer = 1", "buffer = 9")
    file.write_text(before + ACCOUNT.format(key="second", buffer=0, port=2))


def adds_a_webhook(file: Path) -> None:
    hook = '[[webhook]]\nname = "erp"\nurl = "http://127.0.0.1:9/erp"\nsigning_secret = "HOOK"\n'
    file.write_text(f'{file.read_text()}{hook}topics = ["stock.changed"]\n')


async def reloads(service: Service) -> Answer:
    """What it answers; the daemon that works is still the same one."""
    working, ended = service._daemon, service._daemon.begin()
    assert await service._reload(ended) is ended
    assert service._daemon is working
    answer = await service._db.read(read_answer)
    assert answer is not None
    assert answer == service._standing.last
    return answer


async def one(service: Service, query: str) -> Any:
    return await service._db.read(lambda connection: connection.execute(text(query)).scalar())


async def told(service: Service) -> dict[str, str]:
    """What people are told of, and the place in the file."""
    query = text("SELECT detail, subject FROM alert WHERE kind = 'reload_refused' AND closed_at IS NULL")
    return dict(await service._db.read(lambda connection: [tuple(row) for row in connection.execute(query)]))


async def test_people_hear_of_each_thing_that_is_wrong_until_it_is_right(service: Service, file: Path) -> None:
    changes(file, ("buffer = 1", 'buffer = "1"\npolicy = "best"'))
    await reloads(service)
    first = await told(service)
    changes(file, ("buffer = 1", 'policy = "best"'), ('"SHOP_SECRET"', '"shpss_0123456789"'))

    answer = await reloads(service)

    assert set(first.values()) == {"account[shop].buffer", "account[shop].policy"}
    second = await told(service)
    assert set(second.values()) == {"account[shop].policy", "account[shop].shopify.client_secret"}
    assert {f"{where}: {what}" for what, where in second.items()} == set(answer.problems)
    assert "shpss_" not in str(second)
    times = "SELECT times FROM alert WHERE key = 'reload_refused:account[shop].policy'"
    assert await one(service, times) == 2, "the same trouble is no second alert"


@pytest.mark.parametrize("by", ["reload", "restart"])
async def test_the_next_configuration_that_is_taken_ends_it(service: Service, file: Path, by: str) -> None:
    ended = service._daemon.begin()
    await service._daemon.open_door()
    service._daemon.start()
    changes(file, ("[http]", "[http"))
    assert await service._reload(ended) is ended
    assert list((await told(service)).values()) == ["line 4, column 6"]

    if by == "restart":
        await service._forget_refusals()
    else:
        changes(file)
        await service._reload(ended)

    assert await told(service) == {}


async def test_whoever_lost_its_lease_tells_nothing_any_more(service: Service, file: Path) -> None:
    lease = service._daemon.keeper.lease("scheduler")
    await service._db.transact(note_reloaded, lease, [Problem("here", "it is wrong")], NOW)
    await service._daemon.keeper.release()
    await service._daemon.keeper.acquire()

    with pytest.raises(Fenced):
        await service._db.transact(note_reloaded, lease, (), NOW)

    assert await told(service) == {"it is wrong": "here"}


async def test_a_database_that_fails_at_the_last_step_leaves_everything_as_it_was(
    service: Service, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("disk full: S3CRET")

    closed = []
    close = Adapters.close

    async def noted(adapters: Adapters) -> None:
        closed.append(sorted(adapters.channels))
        await close(adapters)

    monkeypatch.setattr(daemon_service, "sync_parties", fails)
    monkeypatch.setattr(Adapters, "close", noted)
    adds_an_account(file)

    with capture_logs() as logs:
        answer = await reloads(service)

    assert answer.problems == ("it failed with OSError: see the log",)
    assert await told(service) == {"it failed with OSError: see the log": ""}
    assert [line["event"] for line in logs] == ["reload.failed", "reload.refused"]
    assert closed == [["second", "shop"]]
    assert await one(service, "SELECT buffer FROM account") == 1
    assert await one(service, "SELECT holder FROM lease WHERE name = 'account:second'") is None
    assert service._daemon.keeper.names == {"scheduler", "account:shop"}


async def test_what_an_adapter_says_against_its_settings_refuses_all(
    service: Service, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise SettingsRefused("account second", "the token is too short")

    monkeypatch.setattr(daemon_service, "open_adapters", refuses)
    adds_an_account(file)

    answer = await reloads(service)

    assert answer.problems == ("account second: the token is too short",)
    assert await one(service, "SELECT count(*) FROM account") == 1


async def test_an_account_that_another_process_works_on_refuses_all(service: Service, file: Path) -> None:
    another = Daemon(service._world).keeper
    another._holder = "another process"
    await another.take(["account:second"])
    adds_an_account(file)

    answer = await reloads(service)

    assert "another syncd" in answer.problems[0]
    assert await one(service, "SELECT buffer FROM account") == 1


async def test_a_second_daemon_in_turn_stops_the_first_and_takes_over_its_topics(service: Service, file: Path) -> None:
    ended = service._daemon.begin()
    await service._daemon.open_door()
    service._daemon.start()
    before = service._daemon
    adds_an_account(file)
    adds_a_webhook(file)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOOK", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
        following = await service._reload(ended)

    assert following is not ended
    assert service._daemon is not before
    assert service._daemon.served.address == before.served.address
    assert service._db.writer.get_execution_options()["syncd_topics"] == {"stock.changed"}
    assert await one(service, "SELECT buffer FROM account WHERE key = 'shop'") == 9
    assert service._daemon.keeper.names == {"scheduler", "messenger", "account:shop", "account:second"}
    await asyncio.sleep(0)
    assert not following.done()

"""Whether the process lives, and whether it can work."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from adapters.contract import Channel
from syncd.accounts.store import AccountSetup, set_state, sync_parties
from syncd.alerts.store import Alert, open_alerts
from syncd.db.database import Database
from syncd.orders.intake import InboxWriter
from syncd.web import readiness
from syncd.web.app import WEBHOOKS, WebDeps
from tests.integration.web.site import Mute, Site, StillClock, serve
from tests.support.builders import NOW, a_database


async def test_a_process_whose_loop_turns_is_healthy_even_without_a_database(site: Site) -> None:
    site.db.close()

    assert (await site.get("/healthz"))[:2] == (200, "ok")


async def test_a_process_that_can_work_is_ready(site: Site) -> None:
    status, told, _ = await site.get("/readyz")

    assert status == 200
    assert json.loads(told) == {"ready": True, "problems": []}
    assert site.rows() == []


@pytest.mark.postgres
async def test_readiness_and_counts_work_on_postgresql_too(deps: WebDeps, tmp_path: Path) -> None:
    with a_database("postgresql", tmp_path) as other:
        setup = AccountSetup("shop", "shopify", "priority", 0, None, ())
        ids = other.transact_now(sync_parties, [setup], [], NOW)
        inbox_writer = InboxWriter(other, StillClock(), lambda: None)
        accounts: dict[str, tuple[int, Channel]] = {"shop": (ids.accounts["shop"], Mute())}
        async for site in serve(replace(deps, db=other, inbox=inbox_writer, accounts=accounts)):
            assert json.loads((await site.get("/readyz"))[1]) == {"ready": True, "problems": []}
            assert site.rows() == []
            assert (await site.deliver())[0] == 200
            assert (await site.deliver(headers={}))[0] == 401
            await site.app[WEBHOOKS].flush_counts()
            assert (len(site.rows()), site.forged()) == (1, 1)


async def test_an_accounts_state_has_no_part_in_readiness(site: Site) -> None:
    site.db.transact_now(set_state, site.account_id, "paused", NOW)
    site.db.transact_now(open_alerts, [Alert("auth_expired:1", "auth_expired", "late", "shop", site.account_id)], NOW)

    assert (await site.get("/readyz"))[0] == 200


async def test_what_the_daemon_misses_is_told(site: Site) -> None:
    site.problems.append("intake has not got round for 60 s")

    status, told, _ = await site.get("/readyz")

    assert status == 503
    assert json.loads(told) == {"ready": False, "problems": ["intake has not got round for 60 s"]}


async def test_a_database_that_does_not_answer_is_told(site: Site) -> None:
    site.db.close()

    status, told, _ = await site.get("/readyz")

    assert status == 503
    assert json.loads(told)["problems"] == ["the database cannot be read (DatabaseClosed)"]


async def test_another_schema_is_told(site: Site) -> None:
    site.does("UPDATE alembic_version SET version_num = '0000'")

    status, told, _ = await site.get("/readyz")

    assert status == 503
    assert json.loads(told)["problems"][0].startswith("the database is at revision 0000, this syncd needs ")


async def test_an_inbox_that_cannot_be_written_is_told_once_and_its_recovery_too(site: Site) -> None:
    site.disk(writable=False)
    with capture_logs() as logs:
        status, told, _ = await site.get("/readyz")
        await site.get("/readyz")
        site.disk(writable=True)
        recovered, _, _ = await site.get("/readyz")

    assert (status, recovered) == (503, 200)
    assert json.loads(told)["problems"] == ["the inbox cannot be written (OperationalError)"]
    assert [log["event"] for log in logs] == ["readiness.lost", "readiness.recovered"]


async def test_a_writer_that_hangs_is_told_in_time(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_WITHIN_S", 0.2)
    holder = sqlite3.connect(tmp_path / "syncd.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    status, told, _ = await site.get("/readyz")
    holder.execute("ROLLBACK")
    holder.close()

    assert status == 503
    assert json.loads(told)["problems"] == ["the inbox cannot be written (TimeoutError)"]


async def test_asking_often_costs_one_write(deps: WebDeps) -> None:
    commits: list[object] = []
    assert isinstance(deps.db, Database)
    event.listen(deps.db.writer, "commit", commits.append)
    async for site in serve(deps):
        answers = await asyncio.gather(*(site.get("/readyz") for _ in range(20)))

        assert {status for status, _, _ in answers} == {200}
        assert len(commits) == 1


async def test_the_probe_reaches_the_disk_and_leaves_nothing(site: Site, tmp_path: Path) -> None:
    log = tmp_path / "syncd.db-wal"
    before = log.stat().st_size

    site.db.transact_now(readiness.probe_inbox, site.account_id, NOW)

    assert log.stat().st_size > before
    assert site.rows() == []

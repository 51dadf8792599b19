"""The web server over a test's own book, as a browser sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from adapters.contract import Channel
from syncd.insight.job_log import JobLog
from syncd.loops import Job
from syncd.orders.intake import InboxWriter
from syncd.web.app import WebDeps, make_app
from tests.support.builders import NOW, Seller
from tests.support.fake_channel import FakeChannel


@dataclass
class HandClock:
    """Stands still until a test moves it."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Pages:
    """A running server with the seller behind it."""

    seller: Seller
    client: TestClient[Request, Application]
    clock: HandClock
    jobs: JobLog
    problems: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def get(self, path: str, **headers: str) -> tuple[int, str, Mapping[str, str]]:
        wanted = {"Accept": "text/html"} | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.get(path, headers=wanted) as answer:
            return answer.status, await answer.text(), answer.headers

    async def shows(self, path: str = "/status") -> str:
        """A page that must be there, its blanks made single ones."""
        status, page, _ = await self.get(path)
        assert status == 200, (status, page)
        return " ".join(page.split())

    @property
    def address(self) -> str:
        return str(self.client.make_url("")).rstrip("/")


@asynccontextmanager
async def serving(seller: Seller, fresh_s: float = 0.0, token: str | None = None) -> AsyncIterator[Pages]:
    clock = HandClock()
    log = JobLog(clock)
    problems: list[str] = []
    refused: list[str] = []

    async def ready() -> list[str]:
        return problems

    accounts: dict[str, tuple[int, Channel]] = {
        key: (view.account_id, FakeChannel()) for key, view in seller.accounts.items()
    }
    deps = WebDeps(
        db=seller.db,
        clock=clock,
        inbox=InboxWriter(seller.db, clock, lambda: None),
        accounts=accounts,
        version="1.2.3",
        started_at=NOW - timedelta(hours=2),
        ready=ready,
        fresh_s=fresh_s,
        api_token=token,
        jobs=log.runs,
        standing=lambda: {"reload": {"problems": tuple(refused)}},
    )
    async with TestClient(TestServer(make_app(deps))) as client:
        yield Pages(seller, client, clock, log, problems, refused)


async def nothing() -> None:
    """A job that has nothing to do."""


def a_job(name: str = "tidy", every_s: float = 3600.0) -> Job:
    return Job(name, every_s, nothing)

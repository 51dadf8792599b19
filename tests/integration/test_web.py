"""The web server over a real socket and a real database: every route, and what each says when things go wrong."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, insert, select, text
from structlog.testing import capture_logs

from adapters.contract import Channel, RawEvent
from syncd.accounts.store import AccountSetup, WarehouseSetup, set_state, sync_parties
from syncd.alerts.store import Alert, open_alerts
from syncd.db.database import Database
from syncd.db.tables import cursor, inbox
from syncd.insight.histogram import bucket_of
from syncd.insight.status import COUNTED_TO, Lag
from syncd.insight.store import add_lags, add_tallies, read_tallies
from syncd.logging import OURS, configure
from syncd.orders.intake import InboxWriter
from syncd.web import readiness, webhooks
from syncd.web.app import WEBHOOKS, WebDeps, make_app
from syncd.web.metrics import cumulative
from syncd.web.page_accept import prefers_html
from syncd.web.page_format import counted, duration, number, quantiles
from tests.support.builders import NOW, a_database
from tests.support.fake_channel import FakeChannel, signed

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
LIMIT = webhooks.BODY_LIMIT
ORDER = b'{"order": "1001", "buyer": "Ada Buyer"}'
Client = TestClient[Request, Application]


class StillClock:
    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the web server does not wait")


class Mute(FakeChannel):
    """A channel that nothing may be asked but whether a webhook is genuine."""

    def resolve(self, event: RawEvent) -> Any:
        raise AssertionError("nothing but the inbox comes before the answer")


@dataclass
class Site:
    """A running server, and the database behind it."""

    client: Client
    app: Application
    db: Database
    account_id: int
    problems: list[str] = field(default_factory=list)

    async def get(self, path: str, accept: str = "*/*") -> tuple[int, str, Mapping[str, str]]:
        async with self.client.get(path, headers={"Accept": accept}, allow_redirects=False) as answer:
            return answer.status, await answer.text(), answer.headers

    async def deliver(
        self, body: bytes = ORDER, *, account: str = "shop", headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        headers = signed(body) if headers is None else headers
        async with self.client.post(f"/webhooks/{account}", data=io.BytesIO(body), headers=headers) as answer:
            told = await answer.read()
            return answer.status, json.loads(told) if told else {}, answer.headers

    async def says(self, raw: bytes) -> bytes:
        """What the server answers to these very bytes."""
        reader, writer = await asyncio.open_connection(self.client.host, self.client.port)
        try:
            writer.write(raw)
            await writer.drain()
            async with asyncio.timeout(30.0):
                return await reader.read(65536)
        finally:
            writer.close()

    def rows(self) -> list[tuple[str, str, str, bytes]]:
        found = select(inbox.c.event_key, inbox.c.topic, inbox.c.way, inbox.c.body).order_by(inbox.c.id)
        return self.db.read_now(lambda connection: [tuple(row) for row in connection.execute(found)])

    def forged(self) -> int:
        return self.db.read_now(read_tallies).get(("account:shop", "webhooks_forged"), 0)

    def does(self, statement: str) -> None:
        self.db.transact_now(lambda connection: connection.execute(text(statement)))

    def disk(self, *, writable: bool) -> None:
        """Let the writer's connection refuse writes, as on a disk mounted read-only."""
        raw = self.db.writer.raw_connection()
        raw.cursor().execute(f"PRAGMA query_only={'OFF' if writable else 'ON'}")
        raw.close()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with a_database("sqlite", tmp_path) as database:
        yield database


@pytest.fixture
def deps(db: Database) -> WebDeps:
    accounts = [AccountSetup(key, "shopify", "priority", 0, None, ("own",)) for key in ("shop", "retired")]
    warehouses = [WarehouseSetup("own", "Back room", "own", "DE", "20095", "UTC")]
    ids = db.transact_now(sync_parties, accounts, warehouses, NOW - timedelta(days=3))

    async def ready() -> list[str]:
        return []

    return WebDeps(
        db=db,
        clock=StillClock(),
        inbox=InboxWriter(db, StillClock(), lambda: None),
        accounts={"shop": (ids.accounts["shop"], Mute())},
        version="1.2.3",
        started_at=NOW - timedelta(hours=2),
        ready=ready,
        fresh_s=0.0,
    )


async def serve(deps: WebDeps) -> AsyncIterator[Site]:
    problems: list[str] = []

    async def ready() -> list[str]:
        return problems

    app = make_app(replace(deps, ready=ready))
    async with TestClient(TestServer(app)) as client:
        assert isinstance(deps.db, Database)
        yield Site(client, app, deps.db, deps.accounts["shop"][0], problems)


@pytest.fixture
async def site(deps: WebDeps, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(readiness, "_FRESH_S", 0.0)
    async for each in serve(deps):
        yield each


def posted(body: bytes, headers: Mapping[str, str], length: int | None = None) -> bytes:
    """A webhook as it goes over the wire, whatever length it claims to have."""
    lines = ["POST /webhooks/shop HTTP/1.1", "Host: x", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def a_log(stream: io.StringIO) -> Iterator[None]:
    """The daemon's own log on `stream`, and afterwards what was there before."""
    loggers = [logging.getLogger(name) for name in ("", *OURS, "aiohttp.server")]
    before = [(each, each.level, each.handlers[:], each.filters[:]) for each in loggers]
    configure("debug", "json", stream)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        for logger, level, handlers, filters in before:
            logger.setLevel(level)
            logger.handlers, logger.filters = handlers, filters
        structlog.reset_defaults()


# --- health ---------------------------------------------------------------------------------------------------


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


# --- the status page ------------------------------------------------------------------------------------------


async def test_the_front_door_leads_to_the_status_page(site: Site) -> None:
    status, _, headers = await site.get("/")

    assert (status, headers["Location"]) == (302, "/status")


@pytest.mark.parametrize(
    ("path", "accept", "html"),
    [
        ("/status", "*/*", False),
        ("/status", "application/json", False),
        ("/status", BROWSER, True),
        ("/status?format=json", BROWSER, False),
        ("/status?format=html", "*/*", True),
    ],
)
async def test_whoever_asks_gets_the_form_they_want(site: Site, path: str, accept: str, html: bool) -> None:
    status, told, headers = await site.get(path, accept)

    assert status == 200
    assert headers["Content-Type"].startswith("text/html" if html else "application/json")
    assert headers["Vary"] == "Accept"
    assert told.startswith("<!doctype html>") is html


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("", False),
        ("text/html", True),
        ("text/*", True),
        ("TEXT/HTML;q=0.5, application/json;q=0.4", True),
        ("text/html;q=0.5, application/json", False),
        ("text/html, application/json", False),
        ("text/html;q=0, */*", False),
        ("text/html;q=nonsense", False),
        ("application/json, */*;q=0.1", False),
    ],
)
def test_html_is_for_those_who_prefer_it(accept: str, html: bool) -> None:
    assert prefers_html(accept) is html


async def test_the_json_tells_the_state_and_the_version(site: Site) -> None:
    _, told, _ = await site.get("/status")

    state = json.loads(told)
    assert (state["version"], state["started_at"]) == ("1.2.3", "2026-11-27T08:00:00Z")
    assert [account["key"] for account in state["accounts"]] == ["retired", "shop"]


def seed(site: Site) -> None:
    """A seller's day: orders both ways, an oversell, an alert with a nasty title, a late poll."""
    site.db.transact_now(set_state, site.account_id, "live", NOW - timedelta(hours=5))
    polled = {"account_id": site.account_id, "stream": "orders", "polled_to": NOW - timedelta(minutes=20)}
    site.db.transact_now(lambda connection: connection.execute(insert(cursor).values(**polled, moved_at=NOW)))
    totals = {"orders_in.webhook": 12_041, "orders_in.poll": 388, "oversold_units": 3, "numbers_written": 21_460}
    site.db.transact_now(add_tallies, {("account:shop", name): n for name, n in totals.items()})
    lags = [("placed_to_book.webhook", 0.4), ("placed_to_book.poll", 31.0), ("placed_to_shown", 2.0)]
    site.db.transact_now(add_lags, [(site.account_id, kind, seconds) for kind, seconds in lags])
    alerts = [
        Alert(f"k{n}", "oversold", "someone at FBA waits", f"order <script>{n}</script>", site.account_id)
        for n in range(7)
    ]
    site.db.transact_now(open_alerts, alerts, NOW - timedelta(minutes=4))


async def test_the_page_shows_what_matters(site: Site) -> None:
    seed(site)

    _, page, _ = await site.get("/status", BROWSER)

    for shown in (
        "<title>(2) syncd</title>",
        "Oversold: 7 cases",
        "shop was last asked for orders 20 min ago",
        "12,429",
        "388 by poll",
        "21,460",
        "late",
        "not configured",
        "Someone at FBA waits.",
        "Back room",
    ):
        assert shown in page, shown


async def test_the_page_escapes_what_it_did_not_write(site: Site) -> None:
    seed(site)

    _, page, _ = await site.get("/status", BROWSER)

    assert "Order &lt;script&gt;6&lt;/script&gt;" in page
    assert "<script>6" not in page


async def test_an_empty_installation_has_a_page_too(db: Database, deps: WebDeps) -> None:
    db.transact_now(lambda connection: [connection.execute(text(f"DELETE FROM {t}")) for t in ("pool", "account")])

    async for site in serve(deps):
        status, page, _ = await site.get("/status", BROWSER)

        assert status == 200
        assert "All is well." in page
        assert "No account yet: describe one in the configuration" in page


@pytest.mark.parametrize(("accept", "begins"), [("*/*", "{"), (BROWSER, "<!doctype html>")])
async def test_a_state_that_cannot_be_read_is_told(site: Site, accept: str, begins: str) -> None:
    site.db.close()

    with capture_logs() as logs:
        status, told, headers = await site.get("/status", accept)
        await site.get("/status", accept)

    assert status == 503
    assert told.startswith(begins)
    assert "the database cannot be read (DatabaseClosed)" in told
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert [log["event"] for log in logs] == ["status.unreadable"]


async def test_many_viewers_cost_one_read(deps: WebDeps) -> None:
    async for site in serve(replace(deps, fresh_s=60.0)):
        await site.get("/status")
        seed(site)

        _, told, _ = await site.get("/metrics")

        assert "12041" not in told


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "never"), (0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (7199, "1 h"), (86_400 * 5, "5 d")],
)
def test_ages_are_rough(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "1.0 ms"), (0.4, "410 ms"), (2.0, "2.0 s"), (42.0, "43 s"), (300.0, "5.3 min"), (9000.0, "2.7 h")],
)
def test_lags_have_two_digits(seconds: float, shown: str) -> None:
    assert quantiles(Lag({bucket_of(seconds): 3})) == f"{shown} / {shown}"


def test_a_count_that_ended_early_says_so_and_a_total_never_ends() -> None:
    assert [counted(n) for n in (0, 480, COUNTED_TO, COUNTED_TO + 1)] == ["0", "480", "10,000", "10,000+"]
    assert (counted(), counted(5, 6), counted(5, COUNTED_TO + 1)) == ("0", "11", "10,005+")
    assert number(COUNTED_TO + 1) == "10,001"


# --- metrics --------------------------------------------------------------------------------------------------


async def test_metrics_tell_the_same_state(site: Site) -> None:
    seed(site)

    status, told, headers = await site.get("/metrics")
    found: dict[tuple[Any, ...], float] = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }

    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    shop = ("account", "shop")
    assert {name for name, *_ in found if not name.startswith("syncd_")} == set()
    assert found[("syncd_build_info", ("version", "1.2.3"))] == 1
    assert found[("syncd_uptime_seconds",)] == 7200
    assert found[("syncd_orders_in_total", shop, ("way", "webhook"))] == 12_041
    assert found[("syncd_oversold_units_total", shop)] == 3
    assert found[("syncd_poll_age_seconds", shop)] == 1200
    assert found[("syncd_account_state", shop, ("channel", "shopify"), ("state", "live"))] == 1
    assert found[("syncd_account_state", shop, ("channel", "shopify"), ("state", "paused"))] == 0
    assert found[("syncd_open_alerts",)] == 7
    assert found[("syncd_stock_units", ("kind", "on_hand"), ("warehouse", "own"))] == 0
    assert found[("syncd_units_reserved_total", ("warehouse", "own"))] == 0
    assert ("syncd_poll_age_seconds", ("account", "retired")) not in found


async def test_lags_are_real_histograms(site: Site) -> None:
    seed(site)

    _, told, _ = await site.get("/metrics")
    (family,) = (f for f in text_string_to_metric_families(told) if f.name == "syncd_placed_to_book_seconds")
    polled = [sample for sample in family.samples if sample.labels.get("way") == "poll"]

    assert family.type == "histogram"
    buckets = {s.labels["le"]: s.value for s in polled if s.name.endswith("_bucket")}
    assert (buckets["30.0"], buckets["60.0"], buckets["+Inf"]) == (0, 1, 1)
    assert [s.value for s in polled if s.name.endswith("_count")] == [1]
    (total,) = (s.value for s in polled if s.name.endswith("_sum"))
    assert 31.0 <= total <= 34.2


def test_a_bound_never_flatters_a_lag() -> None:
    shares = cumulative({bucket_of(0.99): 1, bucket_of(0.3): 2, bucket_of(10**6): 1})

    assert dict(shares) | {"0.1": 0, "0.5": 2, "1.0": 2, "2.5": 3, "7200.0": 3, "+Inf": 4} == dict(shares)
    assert [n for _, n in shares] == sorted(n for _, n in shares)


async def test_metrics_that_cannot_be_read_are_no_metrics(site: Site) -> None:
    site.db.close()

    assert (await site.get("/metrics"))[0] == 503


# --- webhooks -------------------------------------------------------------------------------------------------


async def test_a_genuine_webhook_is_durable_before_it_is_acknowledged(site: Site) -> None:
    status, told, _ = await site.deliver()

    assert (status, told) == (200, {})
    assert site.rows() == [("event-1", "orders/create", "webhook", ORDER)]


async def test_the_same_webhook_again_is_acknowledged_and_stored_once(site: Site) -> None:
    answers = await asyncio.gather(*(site.deliver() for _ in range(10)))

    assert {status for status, _, _ in answers} == {200}
    assert len(site.rows()) == 1


async def test_many_webhooks_at_once_are_all_stored(site: Site) -> None:
    answers = await asyncio.gather(*(site.deliver(headers=signed(ORDER, key=f"e{n}")) for n in range(60)))

    assert {status for status, _, _ in answers} == {200}
    assert len(site.rows()) == 60


async def test_what_cannot_be_read_but_is_rightly_signed_is_stored(site: Site) -> None:
    assert (await site.deliver(b'{"order": \xff'))[0] == 200
    assert site.rows()[0][3] == b'{"order": \xff'


async def test_an_unknown_account_is_not_found(site: Site) -> None:
    for account in ("nobody", "retired", "shop%2F..", "%00"):
        status, told, _ = await site.deliver(account=account)
        assert (status, told) == (404, {"error": "no account has this key"}), account
    assert site.rows() == []


@pytest.mark.parametrize("headers", [{}, {"X-Signature": "0" * 64}, signed(ORDER, secret="guess"), signed(b"other")])
async def test_a_forged_webhook_is_refused_and_leaves_nothing(site: Site, headers: Mapping[str, str]) -> None:
    status, told, _ = await site.deliver(headers=headers)

    assert (status, told) == (401, {"error": "the signature does not verify"})
    assert site.rows() == []
    assert site.forged() == 0


async def test_forged_webhooks_are_counted_when_the_daemon_asks(site: Site) -> None:
    commits: list[object] = []
    event.listen(site.db.writer, "commit", commits.append)
    for _ in range(25):
        await site.deliver(headers={})
    assert commits == []

    with capture_logs() as logs:
        await site.app[WEBHOOKS].flush_counts()
        await site.app[WEBHOOKS].flush_counts()

    assert site.forged() == 25
    assert len(commits) == 1
    assert logs == [{"event": "webhook.forged", "account": "shop", "count": 25, "log_level": "warning"}]


async def test_counts_that_cannot_be_written_are_kept(site: Site) -> None:
    await site.deliver(headers={})
    site.disk(writable=False)
    with pytest.raises(Exception, match="readonly"):
        await site.app[WEBHOOKS].flush_counts()
    site.disk(writable=True)
    await site.deliver(headers={})

    await site.app[WEBHOOKS].flush_counts()

    assert site.forged() == 2


async def test_counts_are_written_when_the_server_ends(deps: WebDeps, db: Database) -> None:
    async for site in serve(deps):
        await site.deliver(headers={})

    assert db.read_now(read_tallies)[("account:shop", "webhooks_forged")] == 1


async def test_a_server_ends_without_its_database(deps: WebDeps, db: Database) -> None:
    with capture_logs() as logs:
        async for site in serve(deps):
            await site.deliver(headers={})
            db.close()

    assert [log["event"] for log in logs] == ["webhook.counts_lost"]


@pytest.mark.parametrize(("size", "wanted"), [(LIMIT, 200), (LIMIT + 1, 413)])
async def test_a_body_has_a_limit(site: Site, size: int, wanted: int) -> None:
    status, told, _ = await site.deliver(b"x" * size)

    assert status == wanted
    assert bool(site.rows()) == (wanted == 200)
    assert told == ({} if wanted == 200 else {"error": "the body is larger than 1048576 bytes"})


@pytest.mark.parametrize(("size", "wanted"), [(LIMIT, 200), (LIMIT + 1, 413), (LIMIT * 3, 413)])
async def test_a_body_of_no_declared_length_has_the_same_limit(site: Site, size: int, wanted: int) -> None:
    body = b"x" * size

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, size, 50_000):
            yield body[at : at + 50_000]

    async with site.client.post("/webhooks/shop", data=pieces(), headers=signed(body)) as answer:
        assert answer.status == wanted

    assert len(site.rows()) == (wanted == 200)


async def test_a_declared_length_that_is_too_large_is_refused_before_the_body_comes(site: Site) -> None:
    head = f"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: {10**12}\r\n\r\n"

    assert (await site.says(head.encode())).startswith(b"HTTP/1.1 413 ")


async def test_a_declared_length_that_is_too_small_lets_nothing_in(site: Site) -> None:
    answer = await site.says(posted(ORDER, signed(ORDER), length=5))

    assert answer.split()[1] in (b"400", b"401")
    assert site.rows() == []


async def test_what_strangers_send_beyond_a_request_is_not_logged(site: Site) -> None:
    stream = io.StringIO()
    with a_log(stream):
        answer = await site.says(posted(ORDER, {"Connection": "close"}, length=5))

    assert b" 400 " in answer.splitlines()[0]
    assert stream.getvalue() == ""


async def test_a_sender_that_goes_away_is_no_forger(site: Site) -> None:
    _, writer = await asyncio.open_connection(site.client.host, site.client.port)
    writer.write(b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)

    with capture_logs() as logs:
        await site.app[WEBHOOKS].flush_counts()

    assert site.forged() == 0
    assert logs == []


@pytest.mark.parametrize(
    ("head", "then"),
    [("Content-Length: 100", b"abc"), ("Transfer-Encoding: chunked", b"5\r\nabcde\r\nnonsense\r\n")],
)
async def test_a_body_that_never_ends_is_given_up_and_is_no_forgery(
    site: Site, monkeypatch: pytest.MonkeyPatch, head: str, then: bytes
) -> None:
    monkeypatch.setattr(webhooks, "_BODY_WITHIN_S", 0.2)
    reader, writer = await asyncio.open_connection(site.client.host, site.client.port)
    writer.write(f"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.write(then)
    answer = await reader.readline()
    writer.close()
    await site.app[WEBHOOKS].flush_counts()

    assert answer.split()[1] in (b"400", b"408")
    assert site.forged() == 0


async def test_a_compressed_body_is_refused(site: Site) -> None:
    bomb = gzip.compress(b"\0" * LIMIT * 50)

    status, told, _ = await site.deliver(bomb, headers=signed(bomb) | {"Content-Encoding": "gzip"})

    assert status == 415
    assert "compressed" in told["error"]
    assert site.rows() == []


async def test_a_header_of_strange_bytes_does_not_keep_an_event_out(site: Site) -> None:
    raw = posted(ORDER, signed(ORDER, topic="orders")).replace(b"X-Topic: orders", b"X-Topic: orders\xff")

    assert (await site.says(raw)).startswith(b"HTTP/1.1 200 ")
    assert site.rows()[0][1] == "orders\ufffd"


async def test_an_inbox_that_cannot_be_written_asks_for_the_webhook_again(site: Site) -> None:
    site.disk(writable=False)
    with capture_logs() as logs:
        refused = [await site.deliver() for _ in range(3)]
        site.disk(writable=True)
        again, _, _ = await site.deliver()

    assert {(status, told["error"], headers["Retry-After"]) for status, told, headers in refused} == {
        (503, "the inbox cannot be written", "5")
    }
    assert again == 200
    assert len(site.rows()) == 1
    assert [log["event"] for log in logs] == ["inbox.down", "inbox.recovered"]


async def test_a_commit_that_takes_too_long_asks_for_the_webhook_again_and_still_counts_once(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "_COMMIT_WITHIN_S", 0.2)
    holder = sqlite3.connect(tmp_path / "syncd.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    status, _, _ = await site.deliver()
    holder.execute("ROLLBACK")
    holder.close()
    monkeypatch.setattr(webhooks, "_COMMIT_WITHIN_S", 10.0)
    again, _, _ = await site.deliver()

    assert (status, again) == (503, 200)
    assert len(site.rows()) == 1


async def test_no_body_is_ever_logged(site: Site) -> None:
    with capture_logs() as logs:
        await site.deliver()
        await site.deliver(headers={})
        site.disk(writable=False)
        await site.deliver(headers=signed(ORDER, key="e2"))
        site.disk(writable=True)
        await site.app[WEBHOOKS].flush_counts()

    assert logs
    for log in logs:
        shown = f"{log}{getattr(log.get('exc_info'), 'args', '')}"
        assert "Ada" not in shown
        assert "1001" not in shown


# --- everything else ------------------------------------------------------------------------------------------


async def test_an_unknown_page_is_not_found(site: Site) -> None:
    status, told, headers = await site.get("/admin/<b>", BROWSER)

    assert (status, json.loads(told)) == (404, {"error": "not found"})
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Server"] == "syncd"


async def test_a_webhook_is_posted_and_nothing_else(site: Site) -> None:
    status, told, headers = await site.get("/webhooks/shop")

    assert (status, json.loads(told)) == (405, {"error": "method not allowed"})
    assert headers["Allow"] == "POST"


class Broken(FakeChannel):
    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> RawEvent:
        raise RuntimeError("the adapter has a bug")


async def test_our_own_mistake_tells_nothing_of_our_insides(deps: WebDeps) -> None:
    broken = replace(deps, accounts={"shop": (deps.accounts["shop"][0], Broken())})
    async for site in serve(broken):
        with capture_logs() as logs:
            status, told, _ = await site.deliver()

        assert (status, told) == (500, {"error": "syncd failed to answer; its log has the details"})
        assert [(log["event"], log["route"]) for log in logs] == [("request.failed", "/webhooks/{account}")]
        assert site.rows() == []


@pytest.mark.parametrize("wanted", [False, True])
async def test_requests_are_logged_for_those_who_want_it(deps: WebDeps, wanted: bool) -> None:
    with capture_logs() as logs:
        async for site in serve(replace(deps, log_requests=wanted)):
            await site.deliver()
            await site.get("/status?token=hush")
            await site.get("/nowhere/hush")

    assert [(log["event"], log["method"], log["route"], log["status"]) for log in logs] == wanted * [
        ("request.answered", "POST", "/webhooks/{account}", 200),
        ("request.answered", "GET", "/status", 200),
        ("request.answered", "GET", "unknown", 404),
    ]

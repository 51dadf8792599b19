"""Webhooks are durable before they are acknowledged, and what is forged leaves nothing."""

from __future__ import annotations

import asyncio
import gzip
import io
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from sqlalchemy import event
from structlog.testing import capture_logs

from syncd.db.database import Database
from syncd.insight.store import read_tallies
from syncd.logging import OURS, configure
from syncd.web import webhooks
from syncd.web.app import WEBHOOKS, WebDeps
from tests.integration.web.site import ORDER, Site, serve
from tests.support.fake_channel import signed

LIMIT = webhooks.BODY_LIMIT


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

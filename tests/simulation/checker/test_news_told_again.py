"""What was acknowledged is durable, also when it was told before in other words."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from syncd.simulation.checker.acknowledged import Acknowledged
from syncd.simulation.checker.verdict import Verdict
from tests.simulation.checker.builders import at

_PORT = 8000


def told(order: str, attempt: int) -> bytes:
    """An order confirmation as eBay sends it for the n-th time."""
    notification = {"notificationId": f"of-{order}", "publishDate": f"12:00:0{attempt}", "publishAttemptCount": attempt}
    body = {"metadata": {"topic": "ORDER_CONFIRMATION"}, "notification": notification | {"data": {"orderId": order}}}
    return json.dumps(body, separators=(",", ":")).encode()


@pytest.fixture
def watcher(tmp_path: Path, verdict: Verdict) -> Acknowledged:
    """Its database has heard of one order, at the first attempt."""
    with closing(sqlite3.connect(tmp_path / "syncd.db")) as db, db:
        db.execute("CREATE TABLE inbox (id INTEGER PRIMARY KEY, body BLOB)")
        db.execute("INSERT INTO inbox (body) VALUES (?)", (told("1", 1),))
    return Acknowledged(tmp_path / "syncd.db", _PORT, lambda: at(0), verdict)


@pytest.mark.parametrize(("order", "lost"), [("1", 0), ("2", 1)])
def test_news_that_came_before_is_durable_although_another_attempt_tells_it(
    watcher: Acknowledged, verdict: Verdict, order: str, lost: int
) -> None:
    request = httpx.Request("POST", f"http://127.0.0.1:{_PORT}/webhooks/ebay-us", content=told(order, 2))

    watcher.over("ebay-us", request, httpx.Response(200))

    assert len(verdict.findings) == lost

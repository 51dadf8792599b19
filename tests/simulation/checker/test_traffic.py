"""What only shows on the wire: whether the acknowledged is durable, and who asks for tokens at once."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import httpx
import pytest

from syncd.simulation.checker.acknowledged import Acknowledged
from syncd.simulation.checker.tokens import TokenRequests
from syncd.simulation.checker.verdict import Verdict
from tests.simulation.checker.builders import NOON
from tests.simulation.checker.conftest import rules

DAEMON = "http://127.0.0.1:8000"
QUEUE = "http://127.0.0.1:8002/queue"
TOKEN = "http://127.0.0.1:8001/admin/oauth/access_token"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    path = tmp_path / "syncd.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE inbox (id INTEGER PRIMARY KEY, body BLOB)")
    return path


@pytest.fixture
def acknowledged(inbox: Path, verdict: Verdict) -> Acknowledged:
    return Acknowledged(inbox, 8000, lambda: NOON, verdict)


def arrive(inbox: Path, body: bytes) -> None:
    with sqlite3.connect(inbox) as db:
        db.execute("INSERT INTO inbox (body) VALUES (?)", (body,))


def told(acknowledged: Acknowledged, body: bytes, status: int = 200, path: str = "/webhooks/main-shop") -> None:
    request = httpx.Request("POST", DAEMON + path, content=body)
    acknowledged.begun("main-shop", request)
    acknowledged.over("main-shop", request, httpx.Response(status, request=request))


def test_a_webhook_that_is_in_the_inbox_may_be_acknowledged_again_and_again(
    acknowledged: Acknowledged, inbox: Path, verdict: Verdict
) -> None:
    arrive(inbox, b"one")
    told(acknowledged, b"one")
    arrive(inbox, b"two")
    told(acknowledged, b"two")
    told(acknowledged, b"one")

    assert verdict.findings == []


def test_a_webhook_acknowledged_before_it_is_durable_is_found(acknowledged: Acknowledged, verdict: Verdict) -> None:
    told(acknowledged, b"one")

    assert rules(verdict) == {"acknowledged.not_durable"}


def test_what_was_refused_or_only_wakes_a_poll_need_not_be_durable(
    acknowledged: Acknowledged, verdict: Verdict
) -> None:
    told(acknowledged, b"one", status=503)
    told(acknowledged, b"one", path="/webhooks/warehouses/bob")

    assert verdict.findings == []


def hand_over(acknowledged: Acknowledged) -> None:
    request = httpx.Request("POST", QUEUE, headers={"X-Amz-Target": "AmazonSQS.ReceiveMessage"}, content=b"{}")
    answer = {"Messages": [{"ReceiptHandle": "R", "Body": "news"}]}
    acknowledged.over("daemon-1", request, httpx.Response(200, json=answer, request=request))


def delete(acknowledged: Acknowledged) -> None:
    entries = json.dumps({"Entries": [{"Id": "0", "ReceiptHandle": "R"}]}).encode()
    headers = {"X-Amz-Target": "AmazonSQS.DeleteMessageBatch"}
    acknowledged.begun("daemon-1", httpx.Request("POST", QUEUE, headers=headers, content=entries))


def test_a_message_deleted_before_it_is_durable_is_found(acknowledged: Acknowledged, verdict: Verdict) -> None:
    hand_over(acknowledged)
    delete(acknowledged)

    assert rules(verdict) == {"acknowledged.not_durable"}


def test_a_message_that_is_in_the_inbox_may_be_deleted(
    acknowledged: Acknowledged, inbox: Path, verdict: Verdict
) -> None:
    hand_over(acknowledged)
    arrive(inbox, b"news")
    delete(acknowledged)

    assert verdict.findings == []


def test_two_requests_for_one_token_at_once_are_found(verdict: Verdict) -> None:
    tokens = TokenRequests(lambda: NOON, verdict)
    first, second = httpx.Request("POST", TOKEN, content=b"a"), httpx.Request("POST", TOKEN, content=b"a")
    tokens.begun("daemon-1", first)
    tokens.over("daemon-1", first, None)
    tokens.begun("daemon-1", first)
    tokens.begun("daemon-2", second)
    assert verdict.findings == []

    tokens.begun("daemon-1", second)

    assert rules(verdict) == {"tokens.at_once"}

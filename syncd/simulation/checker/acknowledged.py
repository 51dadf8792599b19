"""What was acknowledged is durable: whoever looks into the database at that instant finds it in the inbox."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx

from syncd.simulation.checker.verdict import Verdict

RULE: Final = "acknowledged.not_durable"
_OF_THE_ATTEMPT: Final = re.compile(rb'"(?:publishDate|publishAttemptCount)":(?:"[^"]*"|[0-9]+),?')
"""What eBay says of the delivery itself, anew at each attempt: the inbox keeps the first that arrived."""
_RECEIVE, _DELETE = "AmazonSQS.ReceiveMessage", "AmazonSQS.DeleteMessageBatch"


class Acknowledged:
    """Watches the wire for webhooks that the daemon takes, and for messages that it deletes from a queue.

    Each row of the inbox is read once, when something is acknowledged.
    """

    def __init__(self, database: Path, port: int, now: Callable[[], datetime], verdict: Verdict) -> None:
        self._database = database
        self._port = port
        self._now = now
        self._verdict = verdict
        self._durable: set[bytes] = set()
        self._read_to = 0
        self._eyes: sqlite3.Connection | None = None
        self._bodies: dict[str, bytes] = {}  # digests of messages that a queue has handed over, by receipt

    def begun(self, client: str | None, request: httpx.Request) -> None:
        if request.headers.get("X-Amz-Target") == _DELETE:
            for receipt in _receipts(request):
                if (body := self._bodies.pop(receipt, None)) is not None:
                    self._must_be_durable(body, "a message of a queue is to be deleted")

    def over(self, client: str | None, request: httpx.Request, response: httpx.Response | None) -> None:
        if response is None or not response.is_success:
            return
        if request.headers.get("X-Amz-Target") == _RECEIVE:
            self._bodies.update(_handed_over(response))
        elif self._is_webhook(request):
            self._must_be_durable(_digest(request.content), f"{request.url.path} was acknowledged")

    def _is_webhook(self, request: httpx.Request) -> bool:
        path = request.url.path
        ours = request.method == "POST" and request.url.port == self._port and path.startswith("/webhooks/")
        return ours and "/warehouses/" not in path  # those only wake a poll

    def _must_be_durable(self, body: bytes, what: str) -> None:
        if body not in self._durable:
            self._read_on()
        if body not in self._durable:
            self._verdict.find(RULE, what, self._now(), "it is not in the inbox")

    def _read_on(self) -> None:
        if self._eyes is None:
            self._eyes = sqlite3.connect(self._database)  # it sees what others have committed, and nothing else
        rows = self._eyes.execute("SELECT id, body FROM inbox WHERE id > ? ORDER BY id", (self._read_to,))
        for row_id, body in rows.fetchall():
            self._durable.add(_digest(body or b""))
            self._read_to = row_id


def _receipts(request: httpx.Request) -> Iterator[str]:
    told: dict[str, Any] = json.loads(request.content)
    yield from (str(entry["ReceiptHandle"]) for entry in told["Entries"])


def _handed_over(response: httpx.Response) -> Iterator[tuple[str, bytes]]:
    """(receipt, digest) of every message, where the answer can be read at all."""
    try:
        told: dict[str, Any] = json.loads(response.read())
    except ValueError:
        return
    for message in told.get("Messages", ()):
        yield str(message["ReceiptHandle"]), _digest(str(message["Body"]).encode())


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(_OF_THE_ATTEMPT.sub(b"", body), digest_size=16).digest()

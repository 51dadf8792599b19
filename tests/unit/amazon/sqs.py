"""A queue that speaks SQS's JSON protocol on a loopback port. Visibility time-outs are the test's to end."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web

Json = dict[str, Any]


class LocalSqs:
    def __init__(self) -> None:
        self.url = ""  # of the server
        self.waiting: list[Json] = []
        self.handed_over: dict[str, Json] = {}  # by receipt
        self.calls: list[tuple[str, Json]] = []
        self.refusals: list[web.Response] = []  # answers given instead, in order
        self.failing: Callable[[str], Json | None] = lambda receipt: None  # an entry of `Failed`, or None
        self.called = asyncio.Event()
        self.answering = asyncio.Event()  # cleared: no call is answered
        self.answering.set()
        self._receipts = 0

    @property
    def queue_url(self) -> str:
        return f"{self.url}/123456789012/orders"

    def put(self, body: str, message_id: str = "m1") -> None:
        self.waiting.append({"MessageId": message_id, "Body": body})

    def expire(self) -> None:
        """Whatever was handed over and not deleted comes again."""
        self.waiting += self.handed_over.values()
        self.handed_over.clear()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[LocalSqs]:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._handle)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            self.url = f"http://{host}:{port}"
            yield self
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        operation = request.headers["X-Amz-Target"].removeprefix("AmazonSQS.")
        asked = msgspec.json.decode(await request.read())
        self.calls.append((operation, asked))
        assert asked["QueueUrl"] == self.queue_url
        assert "Credential=AKIA1" in request.headers["Authorization"]
        self.called.set()
        await self.answering.wait()
        if self.refusals:
            return self.refusals.pop(0)
        return answer(self._receive(asked) if operation == "ReceiveMessage" else self._delete(asked))

    def _receive(self, asked: Json) -> Json:
        count = asked["MaxNumberOfMessages"]
        given, self.waiting = self.waiting[:count], self.waiting[count:]
        messages = []
        for message in given:
            self._receipts += 1
            receipt = f"receipt-{self._receipts}"
            self.handed_over[receipt] = message
            digest = hashlib.md5(message["Body"].encode()).hexdigest()
            messages.append({**message, "ReceiptHandle": receipt, "MD5OfBody": digest})
        return {"Messages": messages} if messages else {}

    def _delete(self, asked: Json) -> Json:
        done: list[Json] = []
        failed: list[Json] = []
        for entry in asked["Entries"]:
            failure = self.failing(entry["ReceiptHandle"])
            if failure is None:
                self.handed_over.pop(entry["ReceiptHandle"], None)
                done.append({"Id": entry["Id"]})
            else:
                failed.append({"Id": entry["Id"], **failure})
        return {"Successful": done, "Failed": failed}


def answer(body: Json, status: int = 200) -> web.Response:
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        headers={"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": "r1"},
    )


def refusal(status: int, kind: str, legacy_code: str | None = None) -> web.Response:
    found = answer({"__type": f"com.amazonaws.sqs#{kind}", "message": "about it"}, status)
    if legacy_code is not None:
        found.headers["x-amzn-query-error"] = f"{legacy_code};Sender"
    return found

"""What each action of the queue does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from adapters.amazon.sandbox.errors import Json
from adapters.amazon.sandbox.faults import Faults
from adapters.amazon.sandbox.queue import RETENTION, VISIBILITY_S, Message, MessageQueue, NoSuchReceipt, md5_of
from adapters.amazon.sandbox.queue_errors import QueueRefused, invalid_parameter, no_such_queue
from adapters.amazon.sandbox.wire import Wire

QUEUE_PATH = "/000000000000/orders"
QUEUE_NAME = "orders"
AT_ONCE = 10
LONGEST_WAIT_S = 20
LONGEST_HIDDEN_S = 43_200
LOOK_AGAIN_S = 0.25  # real seconds: hidden messages come back on the seller's clock, which nobody rings


class QueueActions:
    """Actions of the JSON protocol: from a request's object to the answer's. They raise QueueRefused."""

    def __init__(self, queue: MessageQueue, faults: Faults, wire: Wire) -> None:
        self._queue = queue
        self._faults = faults
        self._wire = wire

    async def receive(self, request: web.Request, body: Json) -> Json:
        """Messages as soon as there are any, or nothing after the wait, which is in real seconds."""
        limit = _whole(body, "MaxNumberOfMessages", 1, 1, AT_ONCE)
        hidden_s = _whole(body, "VisibilityTimeout", int(VISIBILITY_S), 0, LONGEST_HIDDEN_S)
        wait_s = _whole(body, "WaitTimeSeconds", 0, 0, LONGEST_WAIT_S)
        wanted = [*_texts(body, "AttributeNames"), *_texts(body, "MessageSystemAttributeNames")]
        shuffled = self._faults.chance(self._faults.mix.webhook_reorder)
        taken = self._queue.take(limit, hidden_s, shuffled=shuffled)
        until = asyncio.get_running_loop().time() + wait_s
        while not taken and self._listening(request):
            rest = until - asyncio.get_running_loop().time()
            if rest <= 0:
                break
            hidden = len(self._queue) > 0  # these come back by themselves
            await self._something_comes(min(rest, LOOK_AGAIN_S) if hidden else rest)
            if self._listening(request):
                taken = self._queue.take(limit, hidden_s, shuffled=shuffled)
        return {"Messages": [_shown(message, wanted) for message in taken]} if taken else {}

    async def delete(self, request: web.Request, body: Json) -> Json:
        self._delete(body.get("ReceiptHandle"))
        return {}

    async def delete_batch(self, request: web.Request, body: Json) -> Json:
        """Delete up to ten; each row succeeds or fails by itself."""
        successful: list[Json] = []
        failed: list[Json] = []
        for row in _batch(body.get("Entries")):
            try:
                self._delete(row.get("ReceiptHandle"))
                successful.append({"Id": row["Id"]})
            except QueueRefused as refused:
                error = {"Id": row["Id"], "SenderFault": True, "Code": refused.code, "Message": refused.message}
                failed.append(error)
        return {"Successful": successful, "Failed": failed}

    async def url(self, request: web.Request, body: Json) -> Json:
        if body.get("QueueName") != QUEUE_NAME:
            raise no_such_queue()
        return {"QueueUrl": f"{request.scheme}://{request.host}{QUEUE_PATH}"}

    async def attributes(self, request: web.Request, body: Json) -> Json:
        visible, hidden = self._queue.counts()
        known = {
            "ApproximateNumberOfMessages": visible,
            "ApproximateNumberOfMessagesNotVisible": hidden,
            "ApproximateNumberOfMessagesDelayed": 0,
            "QueueArn": f"arn:aws:sqs:us-east-1:000000000000:{QUEUE_NAME}",
            "VisibilityTimeout": int(VISIBILITY_S),
            "MessageRetentionPeriod": int(RETENTION.total_seconds()),
            "ReceiveMessageWaitTimeSeconds": 0,
        }
        wanted = _texts(body, "AttributeNames")
        unknown = [name for name in wanted if name != "All" and name not in known]
        if unknown:
            raise QueueRefused(400, "InvalidAttributeName", "InvalidAttributeName", f"Unknown Attribute {unknown[0]}.")
        shown = {name: str(value) for name, value in known.items() if "All" in wanted or name in wanted}
        return {"Attributes": shown} if shown else {}

    async def send(self, request: web.Request, body: Json) -> Json:
        text = body.get("MessageBody")
        if not isinstance(text, str) or not text:
            raise QueueRefused(400, "MissingParameter", "MissingParameter", "MessageBody is missing.")
        return {"MessageId": self._queue.put(text), "MD5OfMessageBody": md5_of(text)}

    def _listening(self, request: web.Request) -> bool:
        """Whether it is of any use to hand messages over: nobody gets them whose connection is gone."""
        return not self._wire.closing and request.transport is not None and not request.transport.is_closing()

    async def _something_comes(self, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                await self._queue.something_comes()
        except TimeoutError:
            return

    def _delete(self, receipt: object) -> None:
        try:
            self._queue.delete(receipt if isinstance(receipt, str) else "")
        except NoSuchReceipt:
            message = "The input receipt handle is invalid."
            raise QueueRefused(400, "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", message) from None


def _shown(message: Message, wanted: list[str]) -> Json:
    shown: Json = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": message.md5,
        "Body": message.body,
    }
    attributes = {
        "SenderId": "AIDASANDBOXSENDER",
        "SentTimestamp": _milliseconds(message.sent_at),
        "ApproximateReceiveCount": str(message.received),
        "ApproximateFirstReceiveTimestamp": _milliseconds(message.first_received_at or message.sent_at),
    }
    asked = {name: value for name, value in attributes.items() if "All" in wanted or name in wanted}
    return {**shown, "Attributes": asked} if asked else shown


def _milliseconds(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


def _batch(rows: object) -> Iterator[Mapping[str, Any]]:
    """The rows of a batch, if the batch can be used at all."""
    if not isinstance(rows, list) or not rows:
        code = "AWS.SimpleQueueService.EmptyBatchRequest"
        raise QueueRefused(400, "EmptyBatchRequest", code, "There should be at least one entry in the request.")
    if len(rows) > AT_ONCE:
        code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
        raise QueueRefused(400, "TooManyEntriesInBatchRequest", code, f"Maximum number of entries is {AT_ONCE}.")
    ids = [row.get("Id") if isinstance(row, dict) else None for row in rows]
    if not all(isinstance(one, str) for one in ids):
        raise invalid_parameter("Entries", "every entry needs an Id")
    if len(set(ids)) < len(ids):
        code = "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"
        raise QueueRefused(400, "BatchEntryIdsNotDistinct", code, "Two or more entries have the same Id.")
    return iter(rows)


def _whole(body: Json, name: str, default: int, minimum: int, maximum: int) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise invalid_parameter(name, f"must be between {minimum} and {maximum}")
    return value


def _texts(body: Json, name: str) -> list[str]:
    value = body.get(name) or []
    if not isinstance(value, list):
        raise invalid_parameter(name, "must be a list")
    return [str(one) for one in value]

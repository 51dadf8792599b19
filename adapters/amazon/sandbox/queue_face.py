"""The queue over HTTP, in Amazon's JSON protocol 1.0. It is a service of its own: it stays up when the API is down."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from adapters.amazon.sandbox.errors import Json
from adapters.amazon.sandbox.faults import Fault, Faults
from adapters.amazon.sandbox.queue import MessageQueue
from adapters.amazon.sandbox.queue_actions import QUEUE_PATH, QueueActions
from adapters.amazon.sandbox.queue_errors import MEDIA_TYPE, QueueRefused, error_answer, no_such_queue
from adapters.amazon.sandbox.seller import Seller
from adapters.amazon.sandbox.stats import Stats
from adapters.amazon.sandbox.wire import UNAVAILABLE_PAGE, Wire
from adapters.sandbox_kit.connection import hang_up

Answer = Callable[[web.Request, Json], Awaitable[Json]]


class QueueFace:
    """What a consumer sees of the queue."""

    def __init__(self, seller: Seller, queue: MessageQueue, faults: Faults, stats: Stats, wire: Wire) -> None:
        self._seller = seller
        self._faults = faults
        self._stats = stats
        self._wire = wire
        actions = QueueActions(queue, faults, wire)
        self._actions: dict[str, Answer] = {
            "ReceiveMessage": actions.receive,
            "DeleteMessage": actions.delete,
            "DeleteMessageBatch": actions.delete_batch,
            "GetQueueUrl": actions.url,
            "GetQueueAttributes": actions.attributes,
            "SendMessage": actions.send,
        }

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/", self.serve)
        app.router.add_post(QUEUE_PATH, self.serve)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one action, and meet the fault that lies in wait for it."""
        action = request.headers.get("X-Amz-Target", "").removeprefix("AmazonSQS.")
        self._stats.requests[action if action in self._actions else "queue"] += 1
        fault = self._faults.draw_for_queue(action)
        if fault is Fault.SERVER_ERROR:
            return self._refuse(QueueRefused(500, "InternalFailure", "InternalFailure", "Please try again."))
        if fault is Fault.UNAVAILABLE:
            return web.Response(text=UNAVAILABLE_PAGE, status=503, content_type="text/html")
        if fault is Fault.TIMEOUT:
            return await self._wire.hang(request, self._faults.mix.hang_s)
        try:
            answer = await self._answer(action, request)
        except QueueRefused as refused:
            return self._refuse(refused)
        if fault is Fault.LOST_REPLY:
            return hang_up(request)
        if fault is Fault.LATE_REPLY:
            return await self._wire.hang(request, self._faults.mix.hang_s)
        return web.Response(text=json.dumps(answer), content_type=MEDIA_TYPE, headers=self._request_id())

    async def _answer(self, action: str, request: web.Request) -> Json:
        if request.content_type != MEDIA_TYPE or action not in self._actions:
            raise QueueRefused(400, "UnknownOperationException", "InvalidAction", f"Unknown operation {action!r}.")
        self._check_signature(request)
        body = _object(await request.read())
        named = body.get("QueueUrl")
        if action != "GetQueueUrl" and not (isinstance(named, str) and named.endswith(QUEUE_PATH)):
            raise no_such_queue()
        return await self._actions[action](request, body)

    def _check_signature(self, request: web.Request) -> None:
        """The signature's arithmetic is not checked, only whose it claims to be."""
        wanted = self._seller.seed.queue_access_key_id
        if wanted is None:
            return
        given = request.headers.get("Authorization", "")
        if f"Credential={wanted}/" not in given:
            message = "The security token included in the request is invalid."
            raise QueueRefused(403, "UnrecognizedClientException", "InvalidClientTokenId", message)

    def _refuse(self, refused: QueueRefused) -> web.Response:
        return error_answer(refused, self._request_id())

    def _request_id(self) -> dict[str, str]:
        return {"x-amzn-RequestId": str(self._seller.rng.uuid())}


def _object(body: bytes) -> Json:
    try:
        found: Any = json.loads(body or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise QueueRefused(400, "SerializationException", "MalformedInput", "The body is not a JSON object.")
    return found

"""A webhook is acknowledged before it is durable.

In real life: the handler hands the body to a background task and answers at once, to be fast. When the process ends
in between, the channel believes that its news has arrived, and never tells it again.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from unittest import mock

from aiohttp import web

from syncd.orders.inbox import Arrived
from syncd.web.webhooks import Webhooks

_PAUSE_S = 0.5  # until the background task gets its turn


async def _store(webhooks: Webhooks, account: str, arrived: Arrived) -> web.Response:
    async def later() -> None:
        await asyncio.sleep(_PAUSE_S)
        await webhooks._deps.inbox.add(arrived)

    webhooks.__dict__.setdefault("later", []).append(asyncio.create_task(later()))
    return web.Response()


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(Webhooks, "_store", _store)

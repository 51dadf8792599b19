"""A write is sent first and stored afterwards.

In real life: "store what we did" instead of "store what we are about to do". When the process ends in between, the
channel shows a number that our own book cannot explain.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

from sqlalchemy import Connection

from adapters.contract import AdapterError
from syncd.publishing.plain import Fresh
from syncd.publishing.publisher import Publisher, _Composer
from syncd.publishing.store.claim import Claimed, claim

_LOOK = 500


def _without_effect(connection: Connection, *args: Any) -> Claimed:
    with connection.begin_nested() as looking:
        claimed = claim(connection, *args)
        looking.rollback()
    return claimed


async def _send_then_store(publisher: Publisher, fresh: Mapping[int, Fresh] | None) -> Claimed:
    key = str(publisher._rng.uuid())
    compose = _Composer(publisher._channel, key)
    args = (publisher._rules, key, compose, _LOOK, publisher._clock.now(), fresh)
    push = (await publisher._db.transact(_without_effect, *args)).push
    if push is not None:
        try:
            await publisher._channel.send_write(push.key, push.body)
        except AdapterError:
            publisher._unsettled = True
    return await publisher._db.transact(claim, *args)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(Publisher, "_claim", _send_then_store)

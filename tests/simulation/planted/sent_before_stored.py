"""A write is sent first and stored afterwards.

In real life: "store what we did" instead of "store what we are about to do". When the process ends in between, the
channel shows a number that our own book cannot explain.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock

from sqlalchemy import Connection

from adapters.contract import AdapterError
from syncd.publishing.publisher import Publisher
from syncd.publishing.store.claim import Claimed, claim
from syncd.publishing.store.rows import Push


class _Undo(Exception):
    """Ends a transaction without an effect."""


async def _claim(publisher: Publisher, fresh: object) -> Claimed:
    key = str(publisher._rng.uuid())
    found: list[Claimed] = []

    def look(connection: Connection, *args: object) -> None:
        with connection.begin_nested() as looking:
            found[:] = [claim(connection, *args)]  # type: ignore[arg-type] # the same arguments
            looking.rollback()

    compose = _compose_for(publisher, key)
    args = (publisher._rules, key, compose, 500, publisher._clock.now(), fresh)
    await publisher._db.transact(look, *args)
    push: Push | None = found[0].push
    if push is not None:
        try:
            await publisher._channel.send_write(push.key, push.body)
        except AdapterError:
            publisher._unsettled = True
    return await publisher._db.transact(claim, *args)  # type: ignore[arg-type]


def _compose_for(publisher: Publisher, key: str) -> object:
    from syncd.publishing.publisher import _Composer

    return _Composer(publisher._channel, key)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(Publisher, "_claim", _claim)

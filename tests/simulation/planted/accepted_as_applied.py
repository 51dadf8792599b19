"""Amazon's ACCEPTED counts as applied.

In real life: 200 means done, everywhere else. Here it takes half a minute, or never happens, and a sale in between is
taken for news after a number that is not there yet.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from unittest import mock

from adapters.amazon.client import AmazonChannel
from adapters.contract import RowOutcome, RowResult

_send_write = AmazonChannel.send_write


async def _done(channel: AmazonChannel, key: str, body: str) -> tuple[RowResult, ...]:
    return tuple(
        replace(each, outcome=RowOutcome.APPLIED) if each.outcome is RowOutcome.ACCEPTED else each
        for each in await _send_write(channel, key, body)
    )


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(AmazonChannel, "send_write", _done)

"""A message is deleted from the queue before it is durable.

In real life: the queue's client deletes on receive, or the handler acknowledges first "so that it is not delivered
twice". When the process ends before the commit, the message is gone.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock

from syncd.orders.queue_in import QueueReader

_step = QueueReader.step


async def _delete_first(reader: QueueReader) -> bool:
    queue = reader._queue
    receive = queue.receive

    async def received() -> object:
        messages = await receive()
        if messages:
            await acknowledge([each.receipt for each in messages])
        return messages

    acknowledge = queue.acknowledge
    with mock.patch.object(queue, "receive", received), mock.patch.object(queue, "acknowledge"):
        return await _step(reader)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(QueueReader, "step", _delete_first)

"""A poll that goes well says now and then that its channel is down, and takes it back with the next.

In real life: a health check of its own that looks at something else than the work does. It is never wrong for long,
and nobody believes it any more.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from unittest import mock

from adapters.contract import Transient
from syncd.orders.poll import Poller

_NOTE_UP = Poller._note_up


async def _cry_wolf(poller: Poller) -> None:
    if poller._down:
        await _NOTE_UP(poller)
    else:
        await poller._note_down(Transient("the latency is above its usual"))


def planted() -> AbstractContextManager[Callable[..., object]]:
    return mock.patch.object(Poller, "_note_up", _cry_wolf)

"""Since when a loop fails is set anew by each round that fails.

In real life: the newest error replaces the whole entry, "since" included. What takes orders in fails for hours, and
never for longer than half a minute.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from unittest import mock

from syncd.loops import Pulse


def _since_now(pulse: Pulse, name: str, error: str) -> None:
    pulse._failing[name] = (asyncio.get_running_loop().time(), error)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(Pulse, "failed", _since_now)

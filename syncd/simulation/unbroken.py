"""What began at a counter is finished, even where the one who began it is sent home."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def unbroken(doing: Coroutine[Any, Any, None]) -> None:
    """Await `doing`; a cancellation comes through only after it has ended."""
    task = asyncio.create_task(doing)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise

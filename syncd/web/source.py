"""The state that page, JSON and metrics show, read once for whoever asks at about the same time."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError

from syncd.errors import SyncdError
from syncd.insight.status import Status, read_status
from syncd.web.deps import WebDeps

log = structlog.get_logger(__name__)

_WITHIN_S = 5.0


class Unreadable(SyncdError):
    """The state cannot be read now."""


class StatusSource:
    """Reads the state at most once in `fresh_s` real seconds: many viewers cost no more than one."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps
        self._reading = asyncio.Lock()
        self._newest: tuple[float, Status] | None = None
        self._down = False

    async def read(self) -> Status:
        """The state of just now. Raises Unreadable."""
        loop = asyncio.get_running_loop()
        async with self._reading:
            if self._newest is None or loop.time() - self._newest[0] >= self._deps.fresh_s:
                self._newest = (loop.time(), await self._read())
            return self._newest[1]

    async def _read(self) -> Status:
        try:
            async with asyncio.timeout(_WITHIN_S):
                status = await self._deps.db.read(read_status, self._deps.clock.now())
        except (SQLAlchemyError, SyncdError, TimeoutError) as err:
            if not self._down:
                log.error("status.unreadable", error=type(err).__name__, exc_info=err)
            self._down = True
            raise Unreadable(f"the database cannot be read ({type(err).__name__}); the log has the details") from err
        if self._down:
            log.info("status.readable_again")
        self._down = False
        return status

"""What the pages show, read at most once in a while however many look, and plainly unreadable when it cannot be."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from syncd.errors import SyncdError
from syncd.web.deps import WebDeps
from syncd.web.source import Unreadable

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_WITHIN_S = 5.0
_KEPT = 64


class PageSource:
    """Shares each reading among those who ask for the same within `fresh_s` real seconds."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps
        self._newest: OrderedDict[tuple[Any, ...], tuple[float, asyncio.Future[Any]]] = OrderedDict()

    async def read(
        self, times_fresh: float, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What `function` reads, not older than `times_fresh` times `fresh_s`. Raises Unreadable.

        Instants among `args` are not part of what is asked for: they say when, not what.
        """
        key = (function, *(each for each in args if isinstance(each, str | int | tuple | None)))
        loop = asyncio.get_running_loop()
        kept = self._newest.get(key)
        if kept is None or loop.time() - kept[0] >= times_fresh * self._deps.fresh_s or kept[1].cancelled():
            reading = asyncio.ensure_future(self._read(function, *args, **kwargs))
            reading.add_done_callback(lambda done: done.cancelled() or done.exception())  # whoever asked may be gone
            self._newest[key] = kept = (loop.time(), reading)
            self._newest.move_to_end(key)
            while len(self._newest) > _KEPT:
                self._newest.popitem(last=False)
        # Shielded: one who goes away does not take it from the others.
        result: T = await asyncio.shield(kept[1])
        return result

    async def _read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with asyncio.timeout(_WITHIN_S):
                return await self._deps.db.read(function, *args, **kwargs)
        except (SQLAlchemyError, SyncdError, TimeoutError) as err:
            name = getattr(function, "__name__", "?")
            log.warning("page.unreadable", reading=name, error=type(err).__name__, exc_info=err)
            raise Unreadable(f"the database cannot be read ({type(err).__name__}); the log has the details") from err

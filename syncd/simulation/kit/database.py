"""The daemon's own database, its own SQL and its own transactions, without threads: latency and mishaps from a seed."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from adapters.contract import Rng
from syncd.db.database import ATTEMPTS, PAUSE_S, Database, StaleLoad, worth_repeating
from syncd.simulation.kit.boundary import Boundary, Reach, never
from syncd.simulation.kit.disk import Disk
from syncd.simulation.kit.life import Life
from syncd.simulation.kit.trace import Trace

T = TypeVar("T")

_LONGEST_S = 0.004


class InlineDatabase(Database):
    """Runs each transaction at one instant, between two pauses in which other tasks get their turn."""

    def __init__(
        self,
        url: str,
        rng: Rng,
        trace: Trace,
        life: Life | None = None,
        reach: Reach = never,
        disk: Disk | None = None,
        before: InlineDatabase | None = None,
    ) -> None:
        """`before`: that of an earlier life, whose connections and compiled statements are used again."""
        super().__init__(url)
        self._kept: dict[Engine, Connection] = {}  # one an engine: no two transactions are ever open at once
        if before is not None:
            self._writer, self._reader, self._kept = before._writer, before._reader, before._kept
        else:
            for engine in (self._writer, self._reader):
                event.listen(engine, "connect", _never_wait)
        self._disk = disk
        self._rng = rng
        self._trace = trace
        self._life = life
        self._reach = reach
        if life is not None:
            life.at_end(self.drop)

    def _connection(self, engine: Engine) -> Connection:
        kept = self._kept.get(engine)
        if kept is None or kept.closed or kept.invalidated:
            kept = self._kept[engine] = engine.connect()
        return kept

    def drop(self) -> None:
        """Let go of every connection at once, as a process does that ends."""
        for connection in self._kept.values():
            connection.close()
        self._kept.clear()
        self._writer.dispose()
        self._reader.dispose()

    def transact_now(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """One try, at this very instant: nobody else can hold the lock."""
        connection = self._connection(self._writer)
        with connection.begin():
            return function(connection, *args, **kwargs)

    async def transact_ahead(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Nobody waits in line here: a transaction is an instant."""
        return await self._submit(self._writer, function, *args, **kwargs)

    async def _submit(self, engine: Engine, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        writes = engine is self._writer
        name = _name_of(function)
        for attempt in range(1, ATTEMPTS + 1):
            if writes:  # a read looks at once: what happens before it is answered is what it cannot know
                await self._pause()
            try:
                done = self._run(engine, writes, name, function, *args, **kwargs)
                break
            except (DBAPIError, StaleLoad) as err:
                self._trace.note("db.failed", name, type(err).__name__)
                if attempt == ATTEMPTS or not worth_repeating(err):
                    raise
                await asyncio.sleep(PAUSE_S * attempt)
        await self._pause()
        return done

    def _run(self, engine: Engine, writes: bool, name: str, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        connection = self._connection(engine)
        with connection.begin():
            done = self._inside(connection, writes, name, function, *args, **kwargs)
        if writes:
            self._trace.note("db.committed", name)
            self._reach(Boundary.COMMITTED, name)
        return done

    def _inside(
        self, connection: Connection, writes: bool, name: str, function: Callable[..., T], *args: Any, **kwargs: Any
    ) -> T:
        if not writes:
            return function(connection, *args, **kwargs)
        with self._disk.under(connection, name) if self._disk is not None else nullcontext():
            done = function(connection, *args, **kwargs)
        self._reach(Boundary.ROLLED_BACK, name)
        return done

    async def _pause(self) -> None:
        await asyncio.sleep(self._rng.random() * _LONGEST_S)
        if self._life is not None:
            await self._life.awake()


def _never_wait(connection: Any, _record: Any) -> None:
    """Waiting for a lock would stop the world: it is waited for in virtual time instead, and a statement takes none."""
    connection.execute("PRAGMA busy_timeout=0")
    connection.set_progress_handler(None, 0)


def _name_of(function: Callable[..., Any]) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return f"{function.__module__.removeprefix('syncd.')}.{function.__name__}"

"""Where contenders meet: fresh copies of one seller's database, on PostgreSQL and on SQLite, checked after each run."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import psycopg

from benchmarks.book.peers import inside, medusa, saleor
from benchmarks.book.runs import Run
from benchmarks.book.seller import Size, furnish, settle
from benchmarks.book.soundness import OURS, Kept, check
from benchmarks.book.workers import Workers, dsn_of
from syncd.logging import configure
from tests.support.postgres import Server

P = ParamSpec("P")
T = TypeVar("T")
WORKERS: Final = 16


@dataclass
class Ground:
    """`seed` changes with the round; every contender of a round sells the same."""

    server: Server
    folder: Path
    seconds: float
    seed: int = 1
    size: Size = field(default_factory=Size)
    _held: ExitStack = field(default_factory=ExitStack)
    _made: dict[Size, str] = field(default_factory=dict)

    @cached_property
    def workers(self) -> Workers:
        return self._held.enter_context(Workers(WORKERS))

    @cached_property
    def _apart(self) -> ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")
        return self._held.enter_context(ProcessPoolExecutor(1, mp_context=spawn, initializer=configure))

    def apart(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run our own side in a process that does nothing else: no progress bar, no other contender's leftovers."""
        return self._apart.submit(function, *args, **kwargs).result()

    def furnished(self, size: Size) -> str:
        """A database of such a seller, made once: a template, and what is too large to be copied is used as it is."""
        if size not in self._made:
            url = self._made[size] = self.server.create_database()
            furnish(url, size)
            with psycopg.connect(dsn_of(url), autocommit=True) as connection:
                connection.execute(inside.TABLES)
                if size == self.size:
                    connection.execute(saleor.TABLES)
                    connection.execute(medusa.TABLES)
                    connection.execute(settle((*saleor.FILLED, *medusa.FILLED)))
        return self._made[size]

    @cached_property
    def _file(self) -> Path:
        path = self.folder / f"template-{self.size.skus}.db"
        furnish(f"sqlite:///{path}", self.size)
        return path

    def on_postgresql(self, run: Callable[[str], Run], kept: Kept = OURS, size: Size | None = None) -> Run:
        """One run on tables of its own. Raises Unsound when what it leaves is wrong."""
        url = self.server.create_database(self.furnished(size or self.size))
        try:
            return check(url, run(url), kept)
        finally:
            self.server.drop_database(url)

    def on_sqlite(self, run: Callable[[str], Run]) -> Run:
        """The same on a file of its own."""
        with self._copy() as path:
            url = f"sqlite:///{path}"
            return check(url, run(url))

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        folder = self.folder / "copy"
        folder.mkdir()
        try:
            yield Path(shutil.copy(self._file, folder / "book.db"))
        finally:
            shutil.rmtree(folder)

    def close(self) -> None:
        """End the processes it started."""
        self._held.close()

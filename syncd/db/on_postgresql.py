"""A statement as psycopg takes it, past SQLAlchemy's own execution: that costs more than most statements do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, Dialect
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler

from syncd.db.ahead import Pipeline, Sent, driver_of, pipeline_of, tell
from syncd.db.fetched import Fetched, Wrong

_MARK = re.compile(r"%%|%\((\w+)\)s")

_Hole = tuple[str, bool, Callable[[Any], Any] | None, Any]
"""A parameter's name, whether each run gives it a value, how that is encoded, and its value where it is fixed."""


class SentAhead(Fetched):
    """The answer of a statement that may still be on its way."""

    def __init__(
        self,
        metadata: SimpleResultMetaData,
        rows: Iterable[tuple[Any, ...]],
        rowcount: Callable[[], int],
        sent: Sent,
    ) -> None:
        super().__init__(metadata, rows, rowcount)
        self._sent = sent

    def expect(self, rows: int, wrong: Wrong) -> None:
        if self._sent.cursor.pgresult is not None:
            super().expect(rows, wrong)
        else:
            self._sent.expected, self._sent.wrong = rows, wrong


class OnPostgresql:
    """The text with numbered parameters, and where each of its values comes from."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self._dialect = dialect
        self._holes: list[_Hole] = []
        numbers: dict[str, int] = {}
        fixed = compiled.params

        def numbered(mark: re.Match[str]) -> str:
            name = mark[1]
            if name is None:
                return "%"
            if name not in numbers:
                bind = compiled.binds[name]
                encode = bind.type.dialect_impl(dialect).bind_processor(dialect)
                value = None if bind.required else fixed[name]
                if encode is not None and not bind.required:
                    value = encode(value)
                self._holes.append((name, bool(bind.required), encode, value))
                numbers[name] = len(numbers) + 1
            return f"${numbers[name]}"

        self._sql = _MARK.sub(numbered, compiled.string)
        self._text = self._sql.encode()
        self._columns = compiled._result_columns
        self._metadata: SimpleResultMetaData | None = None

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Fetched:
        """Run it, or send it ahead where the connection is in a pipeline. Raises what SQLAlchemy raises."""
        given = [
            fixed if not required else values[name] if encode is None else encode(values[name])
            for name, required, encode, fixed in self._holes
        ]
        driver = driver_of(connection)
        cursor: psycopg.RawCursor[tuple[Any, ...]] = psycopg.RawCursor(driver)
        pipeline = pipeline_of(driver)
        if pipeline is not None:
            return self._ahead(pipeline, cursor, given)
        try:
            cursor.execute(self._text, given)
        except psycopg.Error as err:
            tell(connection, err, self._sql, given)
        rows = cursor.fetchall() if self._columns else ()
        return Fetched(self._described_by(cursor), rows, lambda: cursor.rowcount)

    def _ahead(self, pipeline: Pipeline, cursor: psycopg.RawCursor[tuple[Any, ...]], given: Sequence[Any]) -> SentAhead:
        sent = pipeline.send(cursor, self._text, self._sql, given)
        if self._metadata is None:
            pipeline.wait_for(sent)  # the first answer tells how all are to be decoded

        def rows() -> Iterator[tuple[Any, ...]]:
            pipeline.wait_for(sent)
            yield from cursor.fetchall()

        def count() -> int:
            pipeline.wait_for(sent)
            return cursor.rowcount

        return SentAhead(self._described_by(cursor), rows() if self._columns else (), count, sent)

    def _described_by(self, cursor: psycopg.RawCursor[tuple[Any, ...]]) -> SimpleResultMetaData:
        """How the columns are named and decoded: the same at each run."""
        if self._metadata is None:
            kinds = [column.type_code for column in cursor.description or ()]
            self._metadata = SimpleResultMetaData(
                [each.keyname for each in self._columns],
                extra=[each.objects for each in self._columns],
                _processors=[
                    each.type.dialect_impl(self._dialect).result_processor(self._dialect, kind)
                    for each, kind in zip(self._columns, kinds, strict=True)
                ],
            )
        return self._metadata

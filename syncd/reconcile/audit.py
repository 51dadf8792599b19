"""Prove the book: read it page by page, in bounded memory, and name what does not hold and why it may not.

Nothing is repaired: drift is an alarm with a cause. A page is one short read, so that a daemon can go on working; each
rule compares what belongs together inside one statement, so that its work in between is never taken for drift.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

from syncd.db.database import Database, Transactor
from syncd.db.types import from_micros
from syncd.reconcile.checks import STOCK, Check
from syncd.reconcile.order_checks import ORDERS, PUBLISHING
from syncd.reconcile.shipment_checks import SHIPMENTS

CHECKS: Final = (*STOCK, *ORDERS, *SHIPMENTS, *PUBLISHING)
MOST_VIOLATIONS: Final = 50
"""How many violations of one rule are told; all are counted."""

LAST_MOVEMENTS: Final = 5
_BUDGET: Final = 100_000
"""Rows that the statement of one page may read, about."""

Progress = Callable[[str, int, int], None]
"""Called after each page with (rule, keys checked, keys in all)."""

Key = tuple[int | str, ...]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that does not hold. `movements` are the last ones that concern it, newest first."""

    rule: str
    subject: dict[str, Any]
    found: Any
    expected: Any
    likely_cause: str
    movements: tuple[dict[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "subject": self.subject,
            "found": self.found,
            "expected": self.expected,
            "likely_cause": self.likely_cause,
            "movements": list(self.movements),
        }


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was checked, by rule, and what does not hold: every violation counted, the first of each rule told."""

    checked: dict[str, int]
    violations: tuple[Violation, ...]
    truncated: bool
    counted: dict[str, int]

    @property
    def clean(self) -> bool:
        return not any(self.counted.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "clean": self.clean,
            "checked": self.checked,
            "counted": self.counted,
            "truncated": self.truncated,
            "violations": [violation.to_json() for violation in self.violations],
        }


def audit(db: Database, progress: Progress | None = None, most: int = MOST_VIOLATIONS) -> AuditReport:
    """Check the whole book, telling at most `most` violations of each rule."""
    walk = _walk(progress, most)
    answer: Any = None
    while True:
        try:
            function, arguments = walk.send(answer)
        except StopIteration as end:
            report: AuditReport = end.value
            return report
        answer = db.read_now(function, *arguments)


async def audit_async(db: Transactor, progress: Progress | None = None, most: int = MOST_VIOLATIONS) -> AuditReport:
    """The same inside the daemon: between two pages everything else goes on."""
    walk = _walk(progress, most)
    answer: Any = None
    while True:
        try:
            function, arguments = walk.send(answer)
        except StopIteration as end:
            report: AuditReport = end.value
            return report
        answer = await db.read(function, *arguments)


Read = tuple[Callable[..., Any], tuple[Any, ...]]


def _walk(progress: Progress | None, most: int) -> Generator[Read, Any, AuditReport]:
    """Say what to read next, take the answer, and end with the report: the same for both ways of reading."""
    checked: dict[str, int] = {}
    counted: dict[str, int] = {}
    violations: list[Violation] = []
    for check in CHECKS:
        in_all = (yield count_keys, (check,)) if progress else 0
        seen = broken = 0
        after: Key | None = None
        while True:
            page: Page = yield read_page, (check, after)
            if page.last is None:
                break
            seen, after = seen + page.keys, page.last
            for row in page.broken[: max(0, most - broken)]:
                movements = yield read_movements, (row,)
                violations.append(_violation(check, row, movements))
            broken += len(page.broken)
            if progress:
                progress(check.rule, seen, max(seen, in_all))
        checked[check.rule], counted[check.rule] = seen, broken
    return AuditReport(checked, tuple(violations), sum(counted.values()) > len(violations), counted)


@dataclass(frozen=True, slots=True)
class Page:
    """What one page of a check gave. `last` is the key to go on after; None when no key was left."""

    keys: int
    last: Key | None
    broken: tuple[Row, ...]


def read_page(connection: Connection, check: Check, after: Key | None) -> Page:
    """Ask a check of its next keys after `after`, as many as its page allows."""
    if connection.dialect.name == "postgresql":
        # Asked of one page, the planner would rather read and hash the whole of the other table; a page is few keys.
        connection.execute(text("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"))
    bounds = {f"after_{position}": value for position, value in enumerate(after or ())}
    begin = _compared(check, ">", "after") if after else "1 = 1"
    names = ", ".join(f"k{position}" for position in range(len(check.key)))
    keys = ", ".join(f"{column} AS k{position}" for position, column in enumerate(check.key))
    edge = connection.execute(
        text(
            f"SELECT {names}, n FROM ("
            f" SELECT {names}, row_number() OVER (ORDER BY {names}) AS n,"
            f"  sum(w) OVER (ORDER BY {names} ROWS UNBOUNDED PRECEDING) AS heavy"
            f" FROM (SELECT {keys}, {check.weight} AS w FROM {check.table} WHERE {begin}"
            f"  ORDER BY {', '.join(check.key)} LIMIT :most) head"
            f") counted WHERE heavy <= :budget OR n = 1 ORDER BY n DESC LIMIT 1"
        ),
        {**bounds, "most": check.page, "budget": max(_BUDGET, check.page)},
    ).one_or_none()
    if edge is None:
        return Page(0, None, ())
    *last, keys_read = edge
    bounds |= {f"upto_{position}": value for position, value in enumerate(last)}
    page = f"{begin} AND {_compared(check, '<=', 'upto')}"
    found = connection.execute(text(check.statement.replace("{page}", page)), bounds).mappings()
    return Page(int(keys_read), tuple(last), tuple(dict(row) for row in found))


def _compared(check: Check, operator: str, bound: str) -> str:
    columns = ", ".join(check.key)
    values = ", ".join(f":{bound}_{position}" for position in range(len(check.key)))
    return f"({columns}) {operator} ({values})"


def count_keys(connection: Connection, check: Check) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {check.table}")).scalar_one())


_MOVEMENTS: Final = (
    "SELECT warehouse_id, seq, kind, d_on_hand, d_unavailable, d_reserved, cause_key, actor, at FROM movement"
    " WHERE sku_id = :sku_id AND {where} LIMIT :most"
)
_OF_LEVEL: Final = _MOVEMENTS.format(where="warehouse_id = :warehouse_id ORDER BY seq DESC")
_OF_LINE: Final = _MOVEMENTS.format(where="cause_key LIKE :cause ORDER BY at DESC, seq DESC")


def read_movements(connection: Connection, row: Row) -> tuple[dict[str, Any], ...]:
    """The last movements of a level, or of a line's SKU for the line's sake; nothing where the row names neither."""
    values = {"sku_id": row.get("sku_id"), "most": LAST_MOVEMENTS}
    if values["sku_id"] is None:
        return ()
    if "order_line_id" in row:
        statement, values["cause"] = _OF_LINE, f"line/{row['order_line_id']}/%"
    elif "warehouse_id" in row:
        statement, values["warehouse_id"] = _OF_LEVEL, row["warehouse_id"]
    else:
        return ()
    found = connection.execute(text(statement), values).mappings()
    return tuple({**each, "at": from_micros(each["at"]).isoformat()} for each in found)


def _violation(check: Check, row: Row, movements: tuple[dict[str, Any], ...]) -> Violation:
    subject = {
        name: value for name, value in row.items() if name.partition("_")[0] not in ("found", "expected", "cause")
    }
    return Violation(
        check.rule, subject, _told(row, "found"), _told(row, "expected"), check.causes[row["cause"]], movements
    )


def _told(row: Row, which: str) -> Any:
    """The one value of a column `which`, or a dict of its several: found_on_hand becomes on_hand."""
    if which in row:
        return row[which]
    return {name.removeprefix(f"{which}_"): value for name, value in row.items() if name.startswith(f"{which}_")}

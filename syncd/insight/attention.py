"""What needs a person, worst first: open alerts by kind, each with its newest messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, func, select

from syncd.alerts.kinds import Severity, kind_of
from syncd.db.statements import Given, statement
from syncd.db.tables import account, alert
from syncd.insight.status import COUNTED_TO

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Example:
    """One open alert of a kind."""

    message: str
    impact: str
    account: str | None
    opened_at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Concern:
    """All open alerts of one kind: how many there are (ends at COUNTED_TO), and the newest."""

    kind: str
    count: int
    since_at: datetime
    newest: tuple[Example, ...]

    @property
    def severity(self) -> Severity:
        return kind_of(self.kind).severity


@dataclass(frozen=True, slots=True)
class Trouble:
    """An open alert about an account as a whole, by which its state is told."""

    kind: str
    message: str
    opened_at: datetime


def read_concerns(connection: Connection) -> tuple[Concern, ...]:
    """Open alerts by kind, the worst kind first. However many there are of one, no other is lost in them."""
    kinds = _by_kind(connection, limit=COUNTED_TO + 1).all()
    wanted = [(each,) for row in kinds for each in row[3:] if each is not None]
    found: dict[str, list[Example]] = {}
    for row in _examples(connection, wanted=wanted) if wanted else ():
        found.setdefault(row.kind, []).append(Example(row.message, row.impact, row.account, row.opened_at, row.times))
    return tuple(worst_first(Concern(row.kind, row.n, row.since_at, tuple(found.get(row.kind, ()))) for row in kinds))


@statement
def _by_kind(given: Given) -> Executable:
    """(kind, n, since_at, the ids of the newest), each by steps into the index of open alerts by kind."""
    kinds = select(func.min(alert.c.kind).label("kind")).where(_open(alert)).cte("kinds", recursive=True)
    behind = alert.alias("behind")
    next_kind = select(func.min(behind.c.kind)).where(_open(behind), behind.c.kind > kinds.c.kind).correlate(kinds)
    kinds = kinds.union_all(select(next_kind.scalar_subquery()).where(kinds.c.kind.is_not(None)))
    mine = alert.alias("mine")
    of_kind = select(mine.c.id).where(_open(mine), mine.c.kind == kinds.c.kind).correlate(kinds)
    some = of_kind.limit(given.value("limit", int)).subquery("some_rows")
    newest = of_kind.order_by(mine.c.opened_at.desc(), mine.c.id.desc())
    return select(
        kinds.c.kind,
        select(func.count()).select_from(some).scalar_subquery().label("n"),
        select(func.min(mine.c.opened_at, type_=alert.c.opened_at.type))
        .where(_open(mine), mine.c.kind == kinds.c.kind)
        .correlate(kinds)
        .scalar_subquery()
        .label("since_at"),
        *(newest.limit(1).offset(nth).scalar_subquery().label(f"newest_{nth}") for nth in range(EXAMPLES)),
    ).where(kinds.c.kind.is_not(None))


@statement
def _examples(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return (
        select(alert, account.c.key.label("account"))
        .join(wanted, wanted.c.id == alert.c.id)
        .outerjoin(account, account.c.id == alert.c.account_id)
        .order_by(alert.c.opened_at.desc(), alert.c.id.desc())
    )


def _open(table: Any) -> ColumnElement[bool]:
    still_open: ColumnElement[bool] = table.c.closed_at.is_(None)
    return still_open


def worst_first(concerns: Iterable[Concern]) -> list[Concern]:
    return sorted(concerns, key=lambda each: (-each.severity, -each.count, each.kind))


def read_troubles(connection: Connection, keys: Sequence[str]) -> dict[str, Trouble]:
    """Open alerts by key, of these keys."""
    found = connection.execute(
        select(alert.c.key, alert.c.kind, alert.c.message, alert.c.opened_at).where(
            alert.c.key.in_(keys), alert.c.closed_at.is_(None)
        )
    )
    return {row.key: Trouble(row.kind, row.message, row.opened_at) for row in found}

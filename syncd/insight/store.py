"""Running totals and lag histograms in the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Executable, select

from syncd.db.statements import Given, statement
from syncd.db.tables import lag_bucket, tally
from syncd.insight.histogram import bucket_of


def add_tallies(connection: Connection, amounts: Mapping[tuple[str, str], int]) -> None:
    """Add to totals by (scope, name); a scope is `account:KEY`, `warehouse:KEY` or `syncd`."""
    data = sorted((scope, name, n) for (scope, name), n in amounts.items() if n)
    if data:
        _add_tallies(connection, added=data)


@statement
def _add_tallies(given: Given) -> Executable:
    new = given.insert(tally, given.rows("added", scope=str, name=str, n=int))
    return new.on_conflict_do_update(index_elements=["scope", "name"], set_={"n": tally.c.n + new.excluded.n})


def add_lags(connection: Connection, samples: Iterable[tuple[int, str, float]]) -> None:
    """Add lag samples (account_id, kind, the seller's seconds) to the histograms."""
    counted = Counter((account_id, kind, bucket_of(seconds)) for account_id, kind, seconds in samples)
    if counted:
        _add_lags(connection, added=sorted((*key, n) for key, n in counted.items()))


@statement
def _add_lags(given: Given) -> Executable:
    new = given.insert(lag_bucket, given.rows("added", account_id=int, kind=str, bucket=int, n=int))
    return new.on_conflict_do_update(
        index_elements=["account_id", "kind", "bucket"], set_={"n": lag_bucket.c.n + new.excluded.n}
    )


def read_tallies(connection: Connection) -> dict[tuple[str, str], int]:
    return {(found.scope, found.name): found.n for found in connection.execute(select(tally))}


def read_lags(connection: Connection) -> dict[tuple[int, str], dict[int, int]]:
    """Histograms by (account_id, kind)."""
    histograms: dict[tuple[int, str], dict[int, int]] = {}
    for found in connection.execute(select(lag_bucket)):
        histograms.setdefault((found.account_id, found.kind), {})[found.bucket] = found.n
    return histograms

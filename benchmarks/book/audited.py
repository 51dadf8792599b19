"""Audit a book in a process of its own: `python -m benchmarks.book.audited URL` tells seconds, MiB and violations."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import psycopg

from benchmarks.book.peers.writes import NOW
from benchmarks.book.runs import Run
from benchmarks.book.stop import Unsound
from benchmarks.book.workers import dsn_of
from syncd.db.database import Database
from syncd.reconcile.lanes import audit_in_lanes

_ORDERS_A_TRANSACTION = 2_000


def run_audit(url: str, orders: int, skus: int) -> Run:
    """Fill the book with so many orders, then prove it. `rate` in orders/s, `mib` the most it took."""
    made = _fill(url, orders, skus)
    told = subprocess.run([sys.executable, "-m", __name__, url], capture_output=True, text=True, check=True)
    found = json.loads(told.stdout)
    if found["broken"]:
        raise Unsound(f"the audit of a true book names {found['broken']}")
    return Run(made / found["seconds"], mib=found["mib"], note=f"{made} orders, {found['facts']} facts")


def _fill(url: str, orders: int, skus: int) -> int:
    with psycopg.connect(dsn_of(url), autocommit=True) as connection:
        while (made := _count(connection)) < orders:
            values = (2.0, min(_ORDERS_A_TRANSACTION, orders - made), skus, NOW)
            connection.execute("CALL inside.take_batches(%s, %s, %s, false, %s)", values)
        connection.execute("VACUUM ANALYZE")
    return made


def _count(connection: psycopg.Connection[tuple[int]]) -> int:
    found = connection.execute("SELECT count(*) FROM sales_order").fetchone()
    assert found is not None, "a count has a row"
    return found[0]


def main() -> None:
    db = Database(sys.argv[1])
    began_s = time.perf_counter()
    report = audit_in_lanes(db)
    took_s = time.perf_counter() - began_s
    db.close()
    broken = sorted({each.rule for each in report.violations})
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": took_s, "mib": mib, "facts": sum(report.checked.values()), "broken": broken}))


if __name__ == "__main__":
    main()

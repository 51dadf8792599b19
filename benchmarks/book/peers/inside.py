"""Taking orders in inside the server: a function called for each order, and the batch looped there by itself."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

import psycopg

from benchmarks.book.peers.writes import NOW
from benchmarks.book.runs import Run
from benchmarks.book.shoppers import HOT_SKU, Demand
from benchmarks.book.stop import NotMeasured
from benchmarks.book.workers import dsn_of

TABLES: Final = Path(__file__).with_name("inside.sql").read_text()
CLIENTS: Final = 8
BATCH: Final = 256

_CALL: Final = (
    "SELECT inside.take_order('inside-' || nextval('inside.number'), ARRAY[{skus}]::bigint[], ARRAY[{n}]::int[], {at});"
)
_HOT: Final = _CALL.format(skus=HOT_SKU, n="1", at=NOW)


def call_a_function(url: str, programs: str, demand: Demand, skus: int, seed: int, seconds: float) -> Run:
    """One call an order by pgbench, prepared, from eight clients."""
    with tempfile.TemporaryDirectory() as folder:
        scripts = _scripts(Path(folder), demand, skus)
        each = max(1, round(seconds))  # pgbench counts whole seconds
        options = ["-n", "-M", "prepared", "-c", str(CLIENTS), "-T", str(each), f"--random-seed={seed}"]
        picked = [part for script in scripts for part in ("-f", f"{script}@1")]
        done = subprocess.run(
            [f"{programs}/pgbench", *options, *picked, dsn_of(url)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PGOPTIONS": "-c statement_timeout=20000"},
        )
    rate = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    failed = re.search(r"^number of failed transactions: ([0-9]+)", done.stdout, re.MULTILINE)
    if done.returncode or rate is None or failed is None or failed[1] != "0":
        raise NotMeasured(f"pgbench: {done.stderr.strip() or done.stdout}")
    return Run(float(rate[1]), note=f"{CLIENTS} clients of pgbench")


def _scripts(folder: Path, demand: Demand, skus: int) -> list[Path]:
    if demand is Demand.HOT:
        texts = [_HOT]
    else:
        third = skus // 3
        picks = [f"\\set s{n} random({n * third + 1}, {(n + 1) * third})" for n in range(3)]
        numbers = [f"\\set n{n} random(1, 2)" for n in range(3)]
        texts = [
            "\n".join(
                [
                    *picks[:lines],
                    *numbers[:lines],
                    _CALL.format(
                        skus=", ".join(f":s{n}" for n in range(lines)),
                        n=", ".join(f":n{n}" for n in range(lines)),
                        at=NOW,
                    ),
                ]
            )
            for lines in (2, 3)
        ]
    paths = [folder / f"{number}.sql" for number in range(len(texts))]
    for path, script in zip(paths, texts, strict=True):
        path.write_text(script + "\n")
    return paths


def loop_in_the_server(url: str, demand: Demand, skus: int, seed: int, seconds: float) -> Run:
    """The batch's statements, one transaction after another, without a client and without choosing a warehouse."""
    with psycopg.connect(dsn_of(url), autocommit=True) as connection:
        connection.execute("SELECT setseed(%s)", (seed % 1000 / 1000,))
        values = (0.2, BATCH, skus, demand is Demand.HOT, NOW)
        connection.execute("CALL inside.take_batches(%s, %s, %s, %s, %s)", values)
        before = _orders(connection)
        began_s = time.perf_counter()
        connection.execute("CALL inside.take_batches(%s, %s, %s, %s, %s)", (seconds, *values[1:]))
        took_s = time.perf_counter() - began_s
        return Run((_orders(connection) - before) / took_s, note=f"{BATCH} orders a batch")


def _orders(connection: psycopg.Connection[tuple[int]]) -> int:
    found = connection.execute("SELECT count(*) FROM sales_order").fetchone()
    assert found is not None, "a count has a row"
    return found[0]

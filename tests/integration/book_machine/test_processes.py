"""Several processes on PostgreSQL that want the same few units: nothing is sold twice, lost, or left to a caller."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from syncd.db.database import Database
from syncd.reconcile.audit import audit
from tests.integration.book_machine.fighter import Plan
from tests.integration.conftest import ON_POSTGRESQL
from tests.support.builders import Seller, a_seller

PROCESSES = 4
PARTS = {"A": {"A": 1}, "B": {"B": 1}, "C": {"C": 1}, "KIT": {"C": 1, "A": 2}, "TRIO": {"B": 1, "C": 1, "A": 1}}
ROOT = Path(__file__).parents[3]

# Over every reservation of the ledger: how many pieces were free after it, by what had been booked until then.
FREE_AFTER = """
SELECT min(free) AS least FROM (
  SELECT kind, sum(d_on_hand - d_unavailable - d_reserved) OVER (PARTITION BY sku_id, warehouse_id ORDER BY seq) AS free
  FROM movement
) m WHERE kind = 'reservation'
"""


@ON_POSTGRESQL
def test_processes_that_want_the_same_few_units_sell_each_once_and_lose_no_order(db: Database, tmp_path: Path) -> None:
    few = {"A": 9, "B": 6, "C": 7}
    stock = {"hamburg": few, "berlin": few}
    kits = {name: PARTS[name] for name in ("KIT", "TRIO")}
    seller = a_seller(db, stock, listings=kits, warehouses=dict.fromkeys(stock, "own"))

    said = fought(seller, tmp_path)

    orders = {name: lines for each in said for name, lines in each["orders"].items()}
    gone = {name for each in said for name in each["cancelled"]}
    assert seller.rows("SELECT count(*) AS n FROM sales_order")[0]["n"] == len(orders)
    assert covered(seller) == wanted(seller, orders, gone)
    assert seller.rows(FREE_AFTER)[0]["least"] >= 0, "a reservation took a piece that was not there"
    assert [row["state"] for row in seller.rows("SELECT DISTINCT state FROM inbox")] == ["applied"]
    assert audit(db).violations == ()


def fought(seller: Seller, folder: Path) -> list[dict[str, Any]]:
    """What each process told of its orders, when all have come to their end at the same time."""
    warehouses = tuple(each.warehouse_id for each in seller.warehouses.values())
    plan = Plan(
        seller.db.url, seller.views(), seller.accounts["shop"].account_id, tuple(seller.skus.values()), warehouses
    )
    file = folder / "plan.pickle"
    file.write_bytes(pickle.dumps(plan))
    command = [sys.executable, "-m", "tests.integration.book_machine.fighter", str(file)]
    running = [
        subprocess.Popen([*command, str(n)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for n in range(PROCESSES)
    ]
    ended = [(each.communicate(timeout=100), each.returncode) for each in running]
    assert [code for _, code in ended] == [0] * PROCESSES, "\n".join(err for (_, err), _ in ended)
    return [json.loads(out) for (out, _), _ in ended]


def wanted(seller: Seller, orders: dict[str, list[tuple[str, int]]], gone: set[str]) -> Counter[str]:
    """Pieces that orders still want: what was shipped is theirs, what was cancelled is nobody's."""
    shipped = {
        (row["name"], int(row["line"])): row["shipped"]
        for row in seller.rows(
            "SELECT o.channel_order_id AS name, l.channel_line_id AS line, l.shipped FROM order_line l"
            " JOIN sales_order o ON o.id = l.order_id"
        )
    }
    pieces: Counter[str] = Counter()
    for name, lines in orders.items():
        for n, (listing, units) in enumerate(lines):
            for sku, each in PARTS[listing].items():
                pieces[sku] += 0 if name in gone else each * (units - shipped[name, n])
    return +pieces


def covered(seller: Seller) -> Counter[str]:
    """Pieces that are promised to orders, or that they miss."""
    found = seller.rows(
        "SELECT s.code, sum(x.quantity) AS n FROM sku s JOIN ("
        " SELECT sku_id, quantity FROM reservation WHERE stage <> 'shipped'"
        " UNION ALL SELECT sku_id, quantity FROM shortage WHERE closed_at IS NULL"
        ") x ON x.sku_id = s.id GROUP BY s.code"
    )
    return +Counter({row["code"]: int(row["n"]) for row in found})

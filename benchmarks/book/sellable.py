"""How long it takes to derive what listings may show: all of a seller's, and those of 100 changed SKUs."""

from __future__ import annotations

import resource
import statistics
import time
from random import Random
from typing import Final

from sqlalchemy import Connection, text

from benchmarks.book.runs import Run
from benchmarks.book.stop import Unsound
from syncd.db.database import Database
from syncd.publishing.load import load_stock

_PAGE: Final = 2_000
_SAMPLE: Final = 60_000
_CHANGED: Final = 100
_REPEATS: Final = 21


def derive_all(url: str) -> Run:
    """`rate`: seconds for every listing, from a sample where there are more. Pages by key, as a publisher reads."""
    db = Database(url)
    try:
        listings = db.read_now(_count)
        sample = min(listings, _SAMPLE)
        db.read_now(load_stock, range(1, _PAGE + 1))
        began_s, after, done = time.perf_counter(), 0, 0
        while done < sample:
            ids = db.read_now(_page, after)
            shown = db.read_now(load_stock, ids)
            if any(each.number.quantity < 1 for each in shown.values()):
                raise Unsound("a listing of a full warehouse shows nothing")
            after, done = ids[-1], done + len(ids)
        took_s = (time.perf_counter() - began_s) / done * listings
    finally:
        db.close()
    rss_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Run(took_s, "s", mib=rss_mib, note=f"{listings} listings, from {done}")


def derive_changed(url: str, skus: int, seed: int) -> Run:
    """`p50_ms`: the listings of 100 SKUs, whichever changed."""
    db = Database(url)
    chance = Random(seed)
    took: list[float] = []
    try:
        for _ in range(_REPEATS):
            wanted = sorted(chance.sample(range(1, skus + 1), _CHANGED))
            began_s = time.perf_counter()
            db.read_now(_derive_of, wanted)
            took.append((time.perf_counter() - began_s) * 1000)
    finally:
        db.close()
    return Run(statistics.median(took), "ms", statistics.median(took), max(took))


def _count(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM listing")).scalar_one())


def _page(connection: Connection, after: int) -> list[int]:
    found = connection.execute(
        text("SELECT id FROM listing WHERE id > :after ORDER BY id LIMIT :page"), {"after": after, "page": _PAGE}
    )
    return list(found.scalars())


def _derive_of(connection: Connection, skus: list[int]) -> None:
    found = connection.execute(
        text("SELECT listing_id FROM listing_component WHERE sku_id = ANY(:skus)"), {"skus": skus}
    )
    load_stock(connection, list(found.scalars()))

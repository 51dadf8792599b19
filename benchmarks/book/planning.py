"""How long choosing warehouses takes an order inside a batch, in CPU time of the thread that does it."""

from __future__ import annotations

import time
from typing import Any
from unittest.mock import patch

from benchmarks.book.core import WARM_BATCHES, WARM_ORDERS, Pace, run_core
from benchmarks.book.runs import Run
from benchmarks.book.shoppers import Demand
from syncd.orders.allocate import allocate


def run_planning(url: str, skus: int, seed: int, seconds: float) -> Run:
    """`p50_ms` is the median of a plan, `rate` how many microseconds one takes on average."""
    took: list[float] = []

    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.thread_time()
        plan = allocate(*args, **kwargs)
        took.append(time.thread_time() - began)
        return plan

    with patch("syncd.orders.decide.allocate", timed):
        run = run_core(url, Demand.SPREAD, skus, seed, seconds, Pace(256))
    took = took[WARM_BATCHES * WARM_ORDERS :]  # the first of a process waits for the table of postcodes
    mean_us = (sum(took) / len(took) - _clock_s()) * 1e6
    return Run(mean_us, "us an order", sorted(took)[len(took) // 2] * 1000, acknowledged=run.acknowledged)


def _clock_s() -> float:
    """What of each measurement is the reading of the clock itself: a call of the kernel."""
    return min(-(time.thread_time() - time.thread_time()) for _ in range(1_000))

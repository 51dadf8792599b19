"""What is compared with what, and what it should come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchmarks.book.runs import Run

Round = Mapping[str, Run]
"""What every contender of one round gave, by its name."""


class Better(StrEnum):
    MORE = "at least"
    LESS = "at most"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number from one round: a ratio of two contenders, or one contender's own where `over` is None."""

    name: str
    told: str
    of: str
    over: str | None
    target: float | None = None
    stretch: float | None = None
    better: Better = Better.MORE
    unit: str = "x"
    number: Callable[[Run, Run], float] = lambda ours, theirs: ours.rate / theirs.rate

    def of_round(self, one: Round) -> float:
        return self.number(one[self.of], one[self.over or self.of])

    def needs(self) -> tuple[str, ...]:
        return (self.of,) if self.over is None else (self.over, self.of)

    def meets(self, value: float, wanted: float | None) -> bool | None:
        if wanted is None:
            return None
        return value >= wanted if self.better is Better.MORE else value <= wanted


_CORE: Final = "core, spread, 256 producers"
_HOT: Final = "core, hot, 256 producers"
_SIXTEEN: Final = "core, spread, 16 producers"
_LITE: Final = "sqlite core, spread, 256 producers"
_LINES_AN_ORDER: Final = 2.5
_OPEN: Final = "core, spread, 200 orders/s by chance"


def _own(ours: Run, _: Run) -> float:
    return ours.rate


def _p99(ours: Run, _: Run) -> float:
    return ours.p99_ms


FIGURES: Final = (
    Figure("spread_vs_saleor", "spread, 256 producers, to Saleor's statements", _CORE, "saleor, spread", 10, 20),
    Figure(
        "spread_vs_function",
        "spread, 256 producers, to one call of a function an order",
        _CORE,
        "function an order, spread",
        2,
        2.7,
    ),
    Figure(
        "spread_vs_batch_in_server",
        "spread, 256 producers, to the batch looped in the server",
        _CORE,
        "batch in the server, spread",
        0.45,
        0.6,
    ),
    Figure("hot_vs_saleor", "one hot SKU, 256 producers, to Saleor's statements", _HOT, "saleor, hot", 25, 60),
    Figure("hot_vs_spread", "one hot SKU to spread, 256 producers", _HOT, _CORE, 1),
    Figure("spread_16_vs_saleor", "spread, 16 producers, to Saleor's statements", _SIXTEEN, "saleor, spread", 5, 10),
    Figure(
        "p99_16_vs_single_commit",
        "p99 of 16 producers to the median of one alone",
        _SIXTEEN,
        "core, spread, 1 producer",
        15,
        10,
        Better.LESS,
        number=lambda ours, alone: ours.p99_ms / alone.p50_ms,
    ),
    Figure(
        "sqlite_vs_one_an_order",
        "SQLite, to one awaited transaction an order",
        _LITE,
        "sqlite, awaited, 256 producers",
        4,
        5,
    ),
    Figure(
        "sqlite_vs_raw",
        "SQLite, by lines, to the raw two-row limit",
        _LITE,
        "sqlite, raw two rows",
        0.35,
        0.55,
        number=lambda ours, raw: ours.rate * _LINES_AN_ORDER / raw.rate,
    ),
    Figure(
        "webhook_vs_memory",
        "durable webhooks on PostgreSQL, to a handler in memory",
        "webhook, durable on postgresql",
        "webhook in memory",
        0.6,
        0.75,
    ),
    Figure(
        "webhook_sqlite_vs_memory",
        "durable webhooks on SQLite, to a handler in memory",
        "webhook, durable on sqlite",
        "webhook in memory",
        0.6,
        0.75,
    ),
    Figure("whole_vs_core", "whole way in, front at 500 webhooks/s, to the core", "whole, spread", _CORE, 0.5, 0.7),
    Figure(
        "planning_us",
        "mean allocation inside a batch",
        "planning",
        None,
        50,
        20,
        Better.LESS,
        "us an order",
        _own,
    ),
    # Beside the targets: what else one would ask.
    Figure("spread_vs_medusa", "spread, 256 producers, to Medusa's statements", _CORE, "medusa, spread"),
    Figure("hot_vs_medusa", "one hot SKU, 256 producers, to Medusa's statements", _HOT, "medusa, hot"),
    Figure("hot_vs_function", "one hot SKU, to one call of a function an order", _HOT, "function an order, hot"),
    Figure("hot_vs_batch_in_server", "one hot SKU, to the batch in the server", _HOT, "batch in the server, hot"),
    Figure("batch_vs_single", "batches to our own one order a transaction", _CORE, "one order a transaction, spread"),
    Figure("sqlite_vs_postgresql", "SQLite to PostgreSQL, spread, 256 producers", _LITE, _CORE),
    Figure("sqlite_hot_vs_spread", "SQLite, one hot SKU to spread", "sqlite core, hot, 256 producers", _LITE),
    Figure(
        "webhook_few_vs_memory",
        "durable webhooks on PostgreSQL by 64 connections, to memory",
        "webhook, durable on postgresql, few",
        "webhook in memory, few",
    ),
    Figure("closed_p99_ms", "p99 of 16 producers that wait", _SIXTEEN, None, unit="ms", number=_p99),
    Figure("open_p99_ms", "p99 of 200 orders/s that come by chance", _OPEN, None, unit="ms", number=_p99),
    Figure(
        "whole_p99_ms", "p99 of a webhook's answer while all is busy", "whole, spread", None, unit="ms", number=_p99
    ),
)

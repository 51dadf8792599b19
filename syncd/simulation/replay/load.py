"""Read an orders file into the scratch file: every line is kept, or counted with the reason why not."""

from __future__ import annotations

import bisect
import hashlib
import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from pathlib import Path

from syncd.simulation.replay.columns import OrdersUnreadable
from syncd.simulation.replay.dates import Dates, DayOrder, Undecided, find_order
from syncd.simulation.replay.reasons import Reason
from syncd.simulation.replay.rows import OrdersCsv
from syncd.simulation.replay.scratch import Scratch
from syncd.simulation.replay.sift import LeftOut, Line, Sieve
from syncd.simulation.world import ChannelPlan

_EXAMPLES = 5
_TELL_EVERY = 2000


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the file: its first so many lines, and days from the first (included) to the last (excluded)."""

    limit: int | None = None
    from_day: date | None = None
    until_day: date | None = None

    def holds(self, at: datetime, zone: tzinfo) -> bool:
        day = at.astimezone(zone).date()
        return (self.from_day is None or day >= self.from_day) and (self.until_day is None or day < self.until_day)


@dataclass(slots=True)
class Loaded:
    """What a file held. `examples` are the first rows left out by reason: (line, detail)."""

    source: str
    dates: Dates  # how they were read
    lines: int = 0
    examples: dict[Reason, list[tuple[int, str]]] = field(default_factory=dict)


def load(
    path: Path,
    told: Mapping[str, str],
    part: Slice,
    zone: tzinfo,
    scratch: Scratch,
    progress: Callable[[int], None] = lambda lines: None,
    day_order: DayOrder | None = None,
) -> Loaded:
    """`day_order`: what dates begin with, where the file itself is not to be asked.

    Raises OrdersUnreadable for a file that cannot be used, and for one that holds no order.
    """
    rows = OrdersCsv(path, told)
    dates = Dates(day_order) if day_order is not None else _dates_of(rows)
    sieve = Sieve(rows.columns, zone, dates.order, lambda at: part.holds(at, zone))
    loaded = Loaded(rows.columns.source, dates)
    kept = 0
    for row in itertools.islice(rows, part.limit):
        loaded.lines += 1
        if loaded.lines % _TELL_EVERY == 0:
            progress(loaded.lines)
        found = LeftOut(Reason.BROKEN, row.problem) if row.cells is None else sieve.sift(row.cells)
        if isinstance(found, Line) and not scratch.add(row.number, found, row.cells or []):
            found = LeftOut(Reason.DOUBLE)
        if isinstance(found, LeftOut):
            scratch.count(found.reason)
            examples = loaded.examples.setdefault(found.reason, [])
            if found.detail and len(examples) < _EXAMPLES:
                examples.append((row.number + 1, found.detail))
        else:
            kept += found.quantity > 0
    if not kept:
        reasons = ", ".join(
            f"{count} {reason}{_like(loaded.examples.get(reason))}" for reason, count in scratch.told().items()
        )
        raise OrdersUnreadable(path, f"nothing of it can be ordered: {reasons or 'it has no rows'}")
    return loaded


def _like(examples: list[tuple[int, str]] | None) -> str:
    """The first of them, for whoever has to find out what is wrong with the file."""
    return f" (line {examples[0][0]}: {examples[0][1]})" if examples else ""


def _dates_of(rows: OrdersCsv) -> Dates:
    """By the whole file, also where only a part of it is played."""
    cells = (row.cells for row in rows if row.cells is not None)
    try:
        return find_order(rows.columns.cell(each, field) for each in cells for field in ("at", "cancelled_at"))
    except Undecided as err:
        raise OrdersUnreadable(
            rows.path,
            f"its dates, like {err.text}, can begin with the day or with the month, and none of them tells."
            f" Say which: --dates {DayOrder.DAY_FIRST} or --dates {DayOrder.MONTH_FIRST}",
        ) from err


def dealer(seed: int, channels: Collection[ChannelPlan]) -> Callable[[str, str], str]:
    """Which account an order is for: the one that it names, else by the seed, the same for every line of it."""
    keys = [each.key for each in channels]
    shares = list(itertools.accumulate(each.share for each in channels))

    def account_of(order: str, channel: str) -> str:
        if channel in keys:
            return channel
        drawn = int.from_bytes(hashlib.blake2b(f"{seed}/{order}".encode(), digest_size=7).digest()) / 256**7
        return keys[min(bisect.bisect_right(shares, drawn * shares[-1]), len(keys) - 1)]

    return account_of

"""How long anything may wait, in the seller's seconds when nothing is wrong, and how spells of trouble extend it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from syncd.simulation.happenings import Happenings, Lived

SEEN_S: Final[Mapping[str, float]] = MappingProxyType({"shopify": 300.0, "amazon": 1200.0, "ebay": 600.0})
"""From what shoppers do to the book, by vendor: where the news is lost, a poll after what its search lags."""

SHOWN_S: Final[Mapping[str, float]] = MappingProxyType({"shopify": 180.0, "amazon": 1500.0, "ebay": 420.0})
"""From the book to a lower number at a channel. Amazon: a write without an answer is waited out for 15 minutes."""

READ_AGAIN_S: Final[Mapping[str, float]] = MappingProxyType({"shopify": 600.0, "amazon": 4800.0, "ebay": 1500.0})
"""Until a number that nobody told of is read: a number typed by hand, a purchase that shows in no order."""

INBOX_S: Final = 300.0
HINTED_S: Final = 900.0
DUE_S: Final = 600.0
"""From the instant at which a listing is due to be looked at."""
IN_FLIGHT_S: Final[Mapping[str, float]] = MappingProxyType({"shopify": 300.0, "amazon": 300.0, "ebay": 300.0})
REQUEST_S: Final = 900.0
"""A shipment request that could be sent, and one that was sent and has no answer."""
MOVE_S: Final = 1200.0
"""From when units could be moved from where they are missing: what was counted must stand for ten minutes first."""
HOLD_S: Final = 1200.0
"""Beyond a hold's own time: the poll that ends it must have begun after that."""
CURSOR_S: Final[Mapping[str, float]] = MappingProxyType({"shopify": 600.0, "amazon": 1200.0, "ebay": 900.0})
WAREHOUSE_CURSOR_S: Final = 1800.0
JOB_SLACK_S: Final = 300.0
"""Beyond a job's interval: its own work, rounds that it leaves out meanwhile, a start."""
REST_S: Final = 2400.0
"""From rest until the last lost news has been found by a poll."""

AFTERMATH_S: Final = 180.0
"""What a spell leaves behind: back-offs, a queue of work."""
TAKE_OVER_S: Final = 50.0
"""A daemon that starts waits until the lease of one that died has run out."""
_BEGIN_S: Final = 20.0
_REAL_SLACK_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Instants by which things are due in one run. A busy machine is granted some real seconds for everything.

    `run_by`: the account whose channel runs a warehouse, by the warehouse's key; they have their trouble together.
    """

    happenings: Happenings
    speed: float = 1.0
    run_by: Mapping[str, str] = field(default_factory=dict)
    _spells: dict[str | None, list[tuple[datetime, datetime]]] = field(default_factory=dict)

    def due(self, since: datetime, within_s: float, *keys: str) -> datetime:
        """When what began at `since` must be over, all spells of the daemon and of these vendors granted."""
        due = since + timedelta(seconds=within_s + _REAL_SLACK_S * self.speed)
        until = since
        for begins, ends in self._of(keys):
            if ends <= since:
                continue
            if begins > due:
                break
            granted = ends - max(begins, until, since)
            if granted > timedelta():
                due += granted
            until = max(until, ends)
        return due

    def _of(self, keys: Iterable[str]) -> list[tuple[datetime, datetime]]:
        vendors = dict.fromkeys(self.run_by.get(key, key) for key in keys)
        found = [each for key in (None, *vendors) for each in self._by_key(key)]
        return sorted(found)

    def _by_key(self, key: str | None) -> list[tuple[datetime, datetime]]:
        if key not in self._spells:
            after = timedelta(seconds=AFTERMATH_S)
            happenings = self.happenings
            restarts = happenings.lives if key is None else []
            self._spells[key] = sorted(
                [
                    *_between(restarts, self.speed),
                    *((each.from_at, each.to_at + after) for each in happenings.spells if each.key == key),
                    *((each.from_at, each.to_at + after) for each in happenings.outages if each.account == key),
                ]
            )
        return self._spells[key]


def _between(lives: Sequence[Lived], speed: float) -> Iterator[tuple[datetime, datetime]]:
    """From the end of each life until another has taken over. Leases are real seconds."""
    starts = sorted(each.from_at for each in lives)
    take_over = timedelta(seconds=TAKE_OVER_S * speed)
    for life in lives:
        if life.to_at is not None:
            relieved = any(each.runs_at(life.to_at) for each in lives)
            started = life.to_at if relieved else next((at for at in starts if at >= life.to_at), life.to_at)
            yield life.to_at, max(started + timedelta(seconds=_BEGIN_S * speed), life.to_at + take_over)

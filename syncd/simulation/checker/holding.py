"""Which sold units the daemon was holding back when it decided a number: each unit of a hold stands for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from syncd.simulation.checker.history import Held
from syncd.simulation.checker.impossible import Taken


def is_known(sale: Taken, at: datetime) -> bool:
    """Whether the book had its order."""
    return sale.known_at is not None and sale.known_at <= at


class Holding:
    """The open holds of a listing at one instant; units that sales unknown then have taken are gone."""

    def __init__(self, holds: Iterable[Held], sold: Iterable[Taken], at: datetime) -> None:
        self._open = sorted((each for each in holds if each.is_open(at)), key=lambda each: each.to_at)
        self._left = _left(self._open, [each for each in sold if is_known(each, at)])

    def take(self, sale: Taken) -> int:
        """Units of a sale that are held back. Sales come in the order of time."""
        wanted = sale.units
        for index, hold in enumerate(self._open):
            if hold.covers(sale.change.at):
                units = min(wanted, self._left[index])
                self._left[index] -= units
                wanted -= units
        return sale.units - wanted


def _left(holds: Sequence[Held], known: Sequence[Taken]) -> list[int]:
    """What is left of each hold, at most: orders made in its time and heard of since have ended their units of it.

    A hold that is open has a unit left.
    """
    left = [each.units for each in holds]
    for sale in known:
        units = sale.change.taken
        for index, hold in enumerate(holds):
            if sale.known_at is None or sale.known_at < hold.opened_at:
                continue
            if hold.from_at <= sale.change.at <= hold.to_at:
                eaten = min(units, left[index])
                left[index] -= eaten
                units -= eaten
    return [max(1, hold.left, each) for hold, each in zip(holds, left, strict=True)]

"""What a clock excuses that steps by minutes: the daemon places reads by it and sales by the channel's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from syncd.simulation.checker.relists import Relist
from syncd.simulation.happenings import CLOCK_STEPPED, Happenings

STEPPED: Final = "a clock that stepped"
_READ_AGAIN: Final = timedelta(seconds=1800)
"""So long after the clock is right again the last number that was read by the wrong one is read anew."""


class Clocks:
    """When a number may have been read by a clock that was wrong."""

    def __init__(self, happenings: Happenings) -> None:
        self._spells = [
            (each.from_at, each.to_at + _READ_AGAIN) for each in happenings.spells if each.kind == CLOCK_STEPPED
        ]

    @property
    def stepped(self) -> bool:
        """Whether it ever did."""
        return bool(self._spells)

    def may_be_wrong(self, at: datetime) -> bool:
        """Whether what is known of a number at this instant may have been placed before or after the wrong sales."""
        return any(begins <= at <= ends for begins, ends in self._spells)

    def excuse(self, relists: Sequence[Relist]) -> list[Relist]:
        """The same relists; what nothing else explains is the clock's doing while it may be wrong."""
        return [
            replace(each, reason=STEPPED) if each.reason is None and self.may_be_wrong(each.write.at) else each
            for each in relists
        ]

"""How many inbox rows one batch takes in: as many as are done within its time, by what the last batches took."""

from __future__ import annotations

from typing import Final

MOST: Final = 256
_LEAST: Final = 32
"""What a batch costs beside its rows makes smaller ones a waste, also where it had to wait for the writer itself."""
_NEW_WEIGHT: Final = 0.3


class BatchSize:
    """Where an engine has one writer, everything else that is written waits behind a batch: so it is kept short.

    A batch has a cost of its own, so a short one takes longer a row: the size settles where both agree, and a slow
    disk makes it small for as long as it is slow.
    """

    def __init__(self, within_s: float | None) -> None:
        """`within_s` None: batches as large as they may be, since nobody waits behind them."""
        self._within_s = within_s
        self._row_s: float | None = None

    @property
    def limit(self) -> int:
        if self._within_s is None or self._row_s is None:
            return MOST
        return max(_LEAST, min(MOST, int(self._within_s / self._row_s)))

    def took(self, rows: int, seconds: float) -> None:
        """Note how long a batch took. One of a few rows tells of its own cost alone, and says nothing."""
        if rows < _LEAST or self._within_s is None:
            return
        row_s = max(seconds / rows, 1e-6)
        self._row_s = row_s if self._row_s is None else self._row_s + _NEW_WEIGHT * (row_s - self._row_s)

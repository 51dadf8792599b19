"""How many inbox rows one batch takes in: as many as are done within its time, by what the last batches took."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

MOST: Final = 256
WITHIN_S: Final = 0.05
"""What a batch may take while others wait for the writer it holds."""
ALONE_WITHIN_S: Final = 0.25
"""And while nobody does: whoever comes next waits no longer than this, also where the disk is slow."""
_LEAST: Final = 32
"""What a batch costs beside its rows makes smaller ones a waste, also where it had to wait for the writer itself."""
_TELLING: Final = 16
"""Orders: what a batch of fewer takes is its own cost, and says nothing of a row's."""
_NEW_WEIGHT: Final = 0.3
_FORGOTTEN_AFTER_S: Final = 30.0


class BatchSize:
    """Where an engine has one writer, everything else that is written waits behind a batch.

    A batch has a cost of its own, so a short one takes longer a row: the size settles where both agree. A slow disk
    makes it small for as long as it is slow, and for half a minute where no batch tells that it no longer is.
    """

    def __init__(self, others_wait: Callable[[], bool] | None) -> None:
        """`others_wait`: whether anybody waited for the writer lately. None: nobody ever waits behind a batch."""
        self._others_wait = others_wait
        self._row_s: float | None = None
        self._told_at_s = 0.0

    def limit(self, at_s: float) -> int:
        """How many rows the batch that begins at `at_s` takes at most."""
        if self._others_wait is None or self._row_s is None:
            return MOST
        if at_s - self._told_at_s > _FORGOTTEN_AFTER_S:
            self._row_s = None
            return MOST
        within_s = WITHIN_S if self._others_wait() else ALONE_WITHIN_S
        return max(_LEAST, min(MOST, int(within_s / self._row_s)))

    def took(self, orders: int, seconds: float, at_s: float) -> None:
        """Note how long a batch took that ended at `at_s`."""
        if orders < _TELLING or self._others_wait is None:
            return
        row_s = max(seconds / orders, 1e-6)
        self._row_s = row_s if self._row_s is None else self._row_s + _NEW_WEIGHT * (row_s - self._row_s)
        self._told_at_s = at_s

"""Numbers in the vendor's shapes."""

from __future__ import annotations

from adapters.contract import Rng


class Ids:
    """Deals rising numbers, so that an older record always has the smaller id."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._offer = 30_000_000_000 + rng.randrange(10**9)
        self._listing = 110_000_000_000 + rng.randrange(10**9)
        self._line = 10_000_000_000_000 + rng.randrange(10**10)
        self._variation = 410_000_000_000 + rng.randrange(10**9)
        self._order = 10**9 + rng.randrange(10**9)
        self._other = 5_000_000_000 + rng.randrange(10**6)
        self._site = 10 + rng.randrange(18)

    def offer(self) -> str:
        self._offer += self._step()
        return str(self._offer)

    def listing(self) -> str:
        self._listing += self._step()
        return str(self._listing)

    def variation(self) -> str:
        self._variation += self._step()
        return str(self._variation)

    def line(self) -> str:
        self._line += self._step()
        return str(self._line)

    def order(self) -> str:
        """Such as 01-03955-36441: not to be taken apart."""
        self._order += self._step()
        return f"{self._site:02d}-{self._order // 100_000 % 100_000:05d}-{self._order % 100_000:05d}"

    def other(self) -> str:
        """A cancellation, or a fulfillment without a tracking number."""
        self._other += 1
        return str(self._other)

    def _step(self) -> int:
        return 1 + self._rng.randrange(997)

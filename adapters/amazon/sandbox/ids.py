"""Numbers as Amazon deals them."""

from __future__ import annotations

from collections.abc import Callable

from adapters.contract import Rng

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Ids:
    """Deals ids that never come twice."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._dealt: set[str] = set()

    def order(self) -> str:
        """An order id in 3-7-7 digits."""
        return self._new(lambda: f"11{self._digits(1)}-{self._digits(7)}-{self._digits(7)}")

    def order_item(self) -> str:
        return self._new(lambda: f"{1 + self._rng.randrange(9)}{self._digits(13)}")

    def asin(self) -> str:
        return self._new(lambda: f"B0{self._letters(8)}")

    def fnsku(self) -> str:
        return self._new(lambda: f"X00{self._letters(7)}")

    def gtin(self) -> str:
        """A GTIN-13 with its check digit."""
        return self._new(lambda: _with_check_digit(f"4{self._digits(11)}"))

    def submission(self) -> str:
        return str(self._rng.uuid())

    def _new(self, draw: Callable[[], str]) -> str:
        drawn = draw()
        while drawn in self._dealt:
            drawn = draw()
        self._dealt.add(drawn)
        return drawn

    def _digits(self, count: int) -> str:
        return f"{self._rng.randrange(10**count):0{count}d}"

    def _letters(self, count: int) -> str:
        return "".join(_LETTERS[self._rng.randrange(len(_LETTERS))] for _ in range(count))


def _with_check_digit(twelve: str) -> str:
    weighted = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(twelve))
    return f"{twelve}{-weighted % 10}"

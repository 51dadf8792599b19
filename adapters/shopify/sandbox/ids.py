"""Numbers as Shopify deals them, and the global ids that wrap them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.contract import Rng

# Ids seen live pass 2**53, where JSON readers that think in floats begin to lose digits.
_LOWEST = 7 * 10**17
_GID = re.compile(r"gid://shopify/(?P<kind>[A-Za-z]+)/(?P<number>\d{1,19})(?:\?(?P<query>\S*))?")


@dataclass(frozen=True, slots=True)
class Gid:
    kind: str
    number: int


class Ids:
    """Deals rising numbers, so that an older record always has the smaller id."""

    def __init__(self, rng: Rng) -> None:
        self._last = _LOWEST + rng.randrange(10**16)
        self._rng = rng

    def deal(self) -> int:
        self._last += 1 + self._rng.randrange(32_768)
        return self._last


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def level_gid(level_id: int, item_id: int) -> str:
    return f"gid://shopify/InventoryLevel/{level_id}?inventory_item_id={item_id}"


def read_gid(text: str) -> Gid | None:
    """The parts of a global id, or None if it isn't one."""
    found = _GID.fullmatch(text)
    return Gid(found["kind"], int(found["number"])) if found else None


def number_of(text: str, kind: str) -> int | None:
    """The number in a global id of that kind, or None."""
    found = read_gid(text)
    return found.number if found is not None and found.kind == kind else None

"""The seller whose orders are played: three marketplaces, two own warehouses, and stock that does not last for all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from adapters.contract import Rng
from syncd.chance import SeededRng
from syncd.simulation.goods import Article
from syncd.simulation.replay.scratch import Wish
from syncd.simulation.world import EVERY_VENDOR, Cast, World

_COVERED = (0.6, 1.6)  # of what all orders want of a SKU, so much is there when they begin
_PRICE = "9.90"
_OWN = ("east", "west")

CAST: Cast = replace(
    EVERY_VENDOR,
    channels=tuple(
        replace(each, warehouses=tuple(key for key in each.warehouses if key in _OWN)) for each in EVERY_VENDOR.channels
    ),
    warehouses=tuple(each for each in EVERY_VENDOR.warehouses if each.key in _OWN),
)


def make_seller(seed: int, wishes: Iterable[Wish], ports: dict[str, int], *, webhooks: bool) -> World:
    """Everything that is wanted, listed on every channel; of some SKUs there is more than that, of some less."""
    rng = SeededRng(seed, "replay/stock")
    everywhere = tuple(each.key for each in CAST.channels)
    articles: list[Article] = []
    stock: dict[tuple[str, str], int] = {}
    for wish in wishes:
        articles.append(Article(wish.code, wish.code, 1.0, _PRICE, everywhere))
        stock |= {(wish.code, key): pieces for key, pieces in _shared_out(rng, wish.units).items()}
    return World(seed, replace(CAST, webhooks=webhooks), tuple(articles), stock, ports, faults=False)


def _shared_out(rng: Rng, units: int) -> dict[str, int]:
    pieces = max(1, int(units * rng.uniform(*_COVERED)))
    first = rng.randrange(pieces + 1)
    return dict(zip(_OWN, (first, pieces - first), strict=True))

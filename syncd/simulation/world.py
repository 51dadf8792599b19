"""A seller made up from a seed: who sells where, from which warehouses, with what on the shelves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from syncd.chance import SeededRng
from syncd.simulation.goods import Article, fill_shelves, make_articles

AMPLE = 100_000
_KEPT_BY_3PL = 0.6  # of all SKUs
_FORGOTTEN_EVERY = 5  # so many SKUs, for one of them somebody forgot the other warehouses


@dataclass(frozen=True, slots=True)
class WarehousePlan:
    """A warehouse. `vendor` runs it behind an API of its own; `account` is the channel account that FBA belongs to."""

    key: str
    name: str
    kind: Literal["own", "3pl", "fba"]
    country: str
    postcode: str
    time_zone: str
    per_parcel: str
    per_unit: str
    vendor: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """One account on a marketplace; `share` is its part of all shoppers."""

    key: str
    vendor: str
    name: str
    policy: str
    warehouses: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part. `assortments` are dealt to the plain SKUs in turn: which channels list each."""

    channels: tuple[ChannelPlan, ...]
    warehouses: tuple[WarehousePlan, ...]
    assortments: tuple[tuple[str, ...], ...]
    skus: int


_EAST = WarehousePlan("east", "Own warehouse, Newark", "own", "US", "07102", "America/New_York", "5.20", "0.80")
_WEST = WarehousePlan("west", "Own warehouse, Reno", "own", "US", "89502", "America/Los_Angeles", "6.10", "0.60")
_BOB = WarehousePlan(
    "bob", "ShipBob, Chicago", "3pl", "US", "60632", "America/Chicago", "6.80", "0.40", vendor="shipbob"
)
_FBA = WarehousePlan("fba", "Amazon FBA", "fba", "US", "37416", "America/New_York", "0.00", "0.00", account="amazon-us")

TWO_SHOPS = Cast(
    channels=(
        ChannelPlan("main-shop", "shopify", "Red Clock", "nearest", ("east", "west"), 0.65),
        ChannelPlan("outlet", "shopify", "Red Clock Outlet", "cheapest", ("west", "east"), 0.35),
    ),
    warehouses=(_EAST, _WEST),
    assortments=(("main-shop", "outlet"),),
    skus=60,
)
"""Two Shopify shops on two warehouses, everything listed in both: the least that two channels can compete for."""

_SHOP, _AMAZON, _EBAY = "main-shop", "amazon-us", "ebay-us"
EVERY_VENDOR = Cast(
    channels=(
        ChannelPlan(_SHOP, "shopify", "Red Clock", "nearest", ("east", "west", "bob"), 0.45),
        ChannelPlan(_AMAZON, "amazon", "Red Clock on Amazon", "cheapest", ("east", "west", "bob"), 0.35),
        ChannelPlan(_EBAY, "ebay", "Red Clock on eBay", "fewest_splits", ("west", "east", "bob"), 0.20),
    ),
    warehouses=(_EAST, _WEST, _BOB, _FBA),
    assortments=(
        (_SHOP, _AMAZON, _EBAY),
        (_SHOP, _AMAZON, _EBAY),
        (_SHOP, _AMAZON, _EBAY),
        (_SHOP, _AMAZON),
        (_SHOP, _AMAZON, _EBAY),
        (_SHOP, _EBAY),
        (_SHOP, _AMAZON, _EBAY),
        (_AMAZON, _EBAY),
        (_SHOP, _AMAZON, _EBAY),
        (_SHOP,),
    ),
    skus=185,
)
"""One seller on every marketplace, with every kind of warehouse."""


@dataclass(frozen=True)
class World:
    """The whole made-up seller."""

    seed: int
    cast: Cast
    articles: tuple[Article, ...]
    stock: dict[tuple[str, str], int]  # pieces by (sku, warehouse)
    ports: dict[str, int]  # by key of a channel or of a warehouse with a vendor
    faults: bool

    @property
    def channels(self) -> tuple[ChannelPlan, ...]:
        return self.cast.channels

    @cached_property
    def plain(self) -> tuple[Article, ...]:
        return tuple(article for article in self.articles if not article.made_of)

    @cached_property
    def at_fba(self) -> tuple[Article, ...]:
        return tuple(article for article in self.articles if article.fba_sku)

    def listed_on(self, channel: str) -> tuple[Article, ...]:
        return tuple(article for article in self.articles if channel in article.channels)

    def warehouses(self, kind: str) -> tuple[WarehousePlan, ...]:
        return tuple(each for each in self.cast.warehouses if each.kind == kind)

    def address(self, key: str) -> str:
        return f"http://127.0.0.1:{self.ports[key]}"

    def opening(self, article: Article) -> int:
        """What a channel shows on the first day: mostly what is sellable, and of some goods what one warehouse has."""
        kept_by = [each.key for each in self.cast.warehouses if each.kind != "fba"]
        if self.articles.index(article) % _FORGOTTEN_EVERY == 0:
            kept_by = kept_by[:1]
        return sum(
            min(self.stock.get((sku, warehouse), 0) // units for sku, units in article.parts) for warehouse in kept_by
        )


def stands(cast: Cast) -> Iterator[tuple[str, str]]:
    """(key, vendor) of everybody who answers on a port of their own."""
    for channel in cast.channels:
        yield channel.key, channel.vendor
    for warehouse in cast.warehouses:
        if warehouse.vendor is not None:
            yield warehouse.key, warehouse.vendor


def make_world(
    seed: int, cast: Cast, ports: dict[str, int], skus: int | None = None, *, faults: bool = True, ample: bool = False
) -> World:
    """A seller from a seed. `ample` stock never runs out; otherwise the popular SKUs do within hours."""
    rng = SeededRng(seed, "world")
    fba = next((each for each in cast.warehouses if each.kind == "fba"), None)
    articles = make_articles(rng, skus or cast.skus, cast.assortments, fba.account if fba else None)
    stock = fill_shelves(rng, articles, [each.key for each in cast.warehouses if each.kind == "own"])
    stock |= fill_shelves(rng, articles, [each.key for each in cast.warehouses if each.kind == "3pl"], _KEPT_BY_3PL)
    if fba is not None:
        at_fba = [article for article in articles if article.fba_sku]
        stock |= fill_shelves(rng, at_fba, [fba.key])
    if ample:
        stock = dict.fromkeys(stock, AMPLE)
    return World(seed, cast, articles, stock, ports, faults)

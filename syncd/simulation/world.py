"""A seller made up from a seed: who sells where, from which warehouses, with what on the shelves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from adapters.contract import Rng
from syncd.chance import SeededRng
from syncd.simulation.goods import Article, fill_for, fill_shelves, make_articles, make_wanted
from syncd.simulation.wanted import WantedOrder

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
    rates: tuple[tuple[str, str, str], ...] = ()  # (zone, per parcel, per unit) in the seller's currency
    vendor: str | None = None
    account: str | None = None

    @property
    def by_hand(self) -> bool:
        """Whether people count and ship there, instead of a vendor's API."""
        return self.vendor is None and self.kind != "fba"


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """One account on a marketplace; `share` is its part of all shoppers."""

    key: str
    vendor: str
    name: str
    policy: str
    warehouses: tuple[str, ...]
    share: float
    buffer: int = 0
    cap: int | None = None
    poll_every_s: float | None = None  # None: as the vendor's quota suggests
    news: bool = True  # whether Amazon's queue or eBay's notifications are set up


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part. `assortments` are dealt to the plain SKUs in turn: which channels list each."""

    channels: tuple[ChannelPlan, ...]
    warehouses: tuple[WarehousePlan, ...]
    assortments: tuple[tuple[str, ...], ...]
    skus: int
    currency: str = "USD"
    webhooks: bool = True  # whether vendors reach the daemon


def _rates(per_parcel: str, per_unit: str) -> tuple[tuple[str, str, str], ...]:
    return ("domestic", per_parcel, per_unit), ("world", "24.00", "3.00")


_EAST = WarehousePlan("east", "Own warehouse, Newark", "own", "US", "07102", "America/New_York", _rates("5.20", "0.80"))
_WEST = WarehousePlan(
    "west", "Own warehouse, Reno", "own", "US", "89502", "America/Los_Angeles", _rates("6.10", "0.60")
)
_BOB = WarehousePlan(
    "bob", "ShipBob, Chicago", "3pl", "US", "60632", "America/Chicago", _rates("6.80", "0.40"), vendor="shipbob"
)
_FBA = WarehousePlan("fba", "Amazon FBA", "fba", "US", "37416", "America/New_York", account="amazon-us")

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
    def by_hand(self) -> frozenset[str]:
        """The warehouses that people count and ship from."""
        return frozenset(each.key for each in self.cast.warehouses if each.by_hand)

    @cached_property
    def fba(self) -> WarehousePlan | None:
        """Where a channel keeps stock of the seller's; of several the first has the goods."""
        return next(iter(self.warehouses("fba")), None)

    @cached_property
    def at_fba(self) -> tuple[Article, ...]:
        return tuple(article for article in self.articles if article.fba_sku)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {article.sku: place for place, article in enumerate(self.articles)}

    def listed_on(self, channel: str) -> tuple[Article, ...]:
        return tuple(article for article in self.articles if channel in article.channels)

    def warehouses(self, kind: str) -> tuple[WarehousePlan, ...]:
        return tuple(each for each in self.cast.warehouses if each.kind == kind)

    def address(self, key: str) -> str:
        return f"http://127.0.0.1:{self.ports[key]}"

    def opening(self, article: Article) -> int:
        """What a channel shows on the first day: mostly what is sellable, and of some goods what one warehouse has."""
        kept_by = [each.key for each in self.cast.warehouses if each.kind != "fba"]
        if self._places[article.sku] % _FORGOTTEN_EVERY == 0:
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
    seed: int,
    cast: Cast,
    ports: dict[str, int],
    skus: int | None = None,
    *,
    faults: bool = True,
    ample: bool = False,
    orders: Sequence[WantedOrder] = (),
) -> World:
    """A seller from a seed. `ample` stock never runs out; otherwise the popular SKUs do within hours.

    `orders` that are to be placed decide what is sold where; without them so many SKUs are made up.
    """
    rng = SeededRng(seed, "world")
    if orders:
        articles = make_wanted(rng, orders)
        stock = fill_for(rng, articles, orders, {each.key: each.warehouses for each in cast.channels})
    else:
        articles, stock = _made_up(rng, cast, skus or cast.skus)
    if ample:
        stock = dict.fromkeys(stock, AMPLE)
    return World(seed, cast, articles, stock, ports, faults)


def _made_up(rng: Rng, cast: Cast, skus: int) -> tuple[tuple[Article, ...], dict[tuple[str, str], int]]:
    fba = next((each for each in cast.warehouses if each.kind == "fba"), None)
    articles = make_articles(rng, skus, cast.assortments, fba.account if fba else None)
    stock = fill_shelves(rng, articles, [each.key for each in cast.warehouses if each.kind == "own"])
    kept_share = _KEPT_BY_3PL if _owns_stock_everywhere(cast) else 1.0
    stock |= fill_shelves(rng, articles, [each.key for each in cast.warehouses if each.kind == "3pl"], kept_share)
    if fba is not None:
        at_fba = [article for article in articles if article.fba_sku]
        stock |= fill_shelves(rng, at_fba, [fba.key])
    return articles, stock


def _owns_stock_everywhere(cast: Cast) -> bool:
    """Whether every channel may sell from an own warehouse, where everything is counted."""
    own = {each.key for each in cast.warehouses if each.kind == "own"}
    return all(own.intersection(channel.warehouses) for channel in cast.channels)

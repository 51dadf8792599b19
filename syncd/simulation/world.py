"""A seller made up from a seed: a catalogue with packs and kits, two warehouses, two shops, opening stock."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.contract import Rng
from syncd.chance import SeededRng

_COLOURS = ("Red", "Blue", "Green", "Black", "White", "Amber", "Coral", "Slate")
_THINGS = ("Clock", "Lamp", "Mug", "Vase", "Kettle", "Bowl", "Chair", "Frame", "Throw", "Planter")
_PRICES = ("9.90", "14.50", "19.00", "24.90", "39.00", "59.00")


@dataclass(frozen=True, slots=True)
class Article:
    """Something the seller sells; `made_of` is empty for a plain SKU."""

    sku: str
    title: str
    popularity: float
    made_of: tuple[tuple[str, int], ...] = ()
    back_orderable: bool = False


@dataclass(frozen=True, slots=True)
class Store:
    """A warehouse of the seller's own."""

    key: str
    name: str
    country: str
    postcode: str
    time_zone: str
    per_parcel: str
    per_unit: str


@dataclass(frozen=True, slots=True)
class ShopPlan:
    """A shop and where its sandbox listens."""

    key: str
    domain: str
    name: str
    client_id: str
    client_secret: str
    port: int
    policy: str
    warehouses: tuple[str, ...]
    share: float  # of all shoppers


STORES = (
    Store("east", "Own warehouse, Newark", "US", "07102", "America/New_York", "5.20", "0.80"),
    Store("west", "Own warehouse, Reno", "US", "89502", "America/Los_Angeles", "6.10", "0.60"),
)
LOCATION = "gid://shopify/Location/{number}"


@dataclass(frozen=True, slots=True)
class World:
    """The whole made-up seller."""

    seed: int
    articles: tuple[Article, ...]
    stock: dict[tuple[str, str], int]  # pieces by (sku, warehouse)
    shops: tuple[ShopPlan, ...]
    faults: bool

    @property
    def plain(self) -> tuple[Article, ...]:
        return tuple(article for article in self.articles if not article.made_of)


def make_world(seed: int, ports: tuple[int, int], skus: int = 60, *, faults: bool = True, ample: bool = False) -> World:
    """A seller from a seed. `ample` stock never runs out; otherwise the popular SKUs do within hours."""
    rng = SeededRng(seed, "world")
    plain = []
    for number in range(skus):
        colour, thing = _COLOURS[number % len(_COLOURS)], _THINGS[(number // len(_COLOURS)) % len(_THINGS)]
        sku = f"{colour}-{thing}-{number:03d}".upper()
        back = number % 29 == 28
        plain.append(Article(sku, f"{colour} {thing}", 1.0 / (1 + number) ** 0.7, back_orderable=back))
    packs = [
        Article(f"{plain[n].sku}-X3", f"{plain[n].title}, pack of three", 0.25 / (1 + n), ((plain[n].sku, 3),))
        for n in range(0, min(skus, 12), 3)
    ]
    kits = [
        Article(
            f"SET-{n:02d}",
            f"{plain[n].title} with {plain[n + 7].title}",
            0.3 / (1 + n),
            ((plain[n].sku, 1), (plain[n + 7].sku, 2)),
        )
        for n in range(1, min(skus - 7, 10), 3)
    ]
    stock = {}
    for article in plain:
        for store in STORES:
            pieces = 100_000 if ample else int(rng.uniform(2, 12) * (0.4 + 2.5 * article.popularity))
            stock[(article.sku, store.key)] = pieces
    shops = (
        _shop("main-shop", "Red Clock", ports[0], "nearest", ("east", "west"), 0.65),
        _shop("outlet", "Red Clock Outlet", ports[1], "cheapest", ("west", "east"), 0.35),
    )
    return World(seed, tuple(plain + packs + kits), stock, shops, faults)


def _shop(key: str, name: str, port: int, policy: str, warehouses: tuple[str, ...], share: float) -> ShopPlan:
    # These open nothing but the sandbox of that name.
    return ShopPlan(
        key, f"{key}.myshopify.com", name, f"{key}-client", f"{key}-sandbox-secret", port, policy, warehouses, share
    )


def describe_shop(world: World, shop: ShopPlan) -> dict[str, Any]:
    """A shop as its sandbox's process reads it, in the words of its seed.

    It opens with what one warehouse has, not with what is truly sellable. Plain data: the sandbox itself is imported
    only where it runs.
    """
    rng: Rng = SeededRng(world.seed, f"shop/{shop.key}")
    return {
        "domain": shop.domain,
        "name": shop.name,
        "currency": "USD",
        "timezone": "America/New_York",
        "locations": [{"name": "Stock", "city": "Newark", "country": "US", "zip": "07102"}],
        "items": [
            {
                "sku": article.sku,
                "title": article.title,
                "quantity": _opening(world, article),
                "policy": "CONTINUE" if article.back_orderable else "DENY",
                "price": _PRICES[rng.randrange(len(_PRICES))],
            }
            for article in world.articles
        ],
        "client_id": shop.client_id,
        "client_secret": shop.client_secret,
        "faults": {"hang_s": 20.0} if world.faults else None,
    }


def _opening(world: World, article: Article) -> int:
    parts = article.made_of or ((article.sku, 1),)
    return min(world.stock[(sku, STORES[0].key)] // units for sku, units in parts)


def save_shops(world: World, path: Path) -> None:
    """Write what the sandboxes' process must know."""
    shops = [{"key": shop.key, "port": shop.port, "shop": describe_shop(world, shop)} for shop in world.shops]
    path.write_text(json.dumps({"seed": world.seed, "shops": shops}, indent=1) + "\n")

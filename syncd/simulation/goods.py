"""What a made-up seller sells: plain SKUs, packs, kits, who lists them, and what stands on the shelves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.contract import Rng
from syncd.simulation.wanted import WantedOrder, channels_by_sku, units_by_sku

_COLOURS = ("Red", "Blue", "Green", "Black", "White", "Amber", "Coral", "Slate", "Ivory", "Olive")
_THINGS = (
    "Clock",
    "Lamp",
    "Mug",
    "Vase",
    "Kettle",
    "Bowl",
    "Chair",
    "Frame",
    "Throw",
    "Planter",
    "Tray",
    "Basket",
    "Candle",
    "Carafe",
    "Cushion",
    "Mirror",
    "Rug",
    "Stool",
    "Teapot",
)
_PRICES = ("9.90", "14.50", "19.00", "24.90", "39.00", "59.00")

FBA_PREFIX = "FBA-"
_COVERED = (0.6, 1.6)  # of what a list of orders wants of a SKU, so much is there when it begins
_FBA_EVERY = 11  # so many plain SKUs, one of them is at FBA


@dataclass(frozen=True, slots=True)
class Article:
    """Something the seller sells; `made_of` is empty for a plain SKU. `channels` list it from own stock."""

    sku: str
    title: str
    popularity: float
    price: str
    channels: tuple[str, ...]
    made_of: tuple[tuple[str, int], ...] = ()
    back_orderable: bool = False
    fba_sku: str | None = None  # its seller SKU where the channel ships it from stock of its own

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        return self.made_of or ((self.sku, 1),)


def make_articles(
    rng: Rng, skus: int, assortments: Sequence[tuple[str, ...]], fba_channel: str | None
) -> tuple[Article, ...]:
    """So many plain SKUs, and packs and kits of the popular ones. Of goods at FBA the channel sells no others."""
    plain = [_plain(number, rng, assortments, fba_channel) for number in range(skus)]
    packs = [_pack(plain[n], n) for n in range(0, min(skus, 24), 3)]
    kits = [_kit(plain[n], plain[n + 7], n) for n in range(1, min(skus - 7, 20), 3)]
    return tuple(plain + packs + kits)


def make_wanted(rng: Rng, orders: Sequence[WantedOrder]) -> tuple[Article, ...]:
    """What a list of orders asks for, listed where it is asked for."""
    units = units_by_sku(orders)
    most = max(units.values())
    return tuple(
        Article(sku, sku, units[sku] / most, _PRICES[rng.randrange(len(_PRICES))], channels)
        for sku, channels in channels_by_sku(orders).items()
    )


def _plain(number: int, rng: Rng, assortments: Sequence[tuple[str, ...]], fba_channel: str | None) -> Article:
    colour, thing = _COLOURS[number % len(_COLOURS)], _THINGS[(number // len(_COLOURS)) % len(_THINGS)]
    sku = f"{colour}-{thing}-{number:03d}".upper()
    channels = assortments[number % len(assortments)]
    at_fba = fba_channel in channels and number % _FBA_EVERY == 4
    return Article(
        sku,
        f"{colour} {thing}",
        popularity=1.0 / (1 + number) ** 0.7,
        price=_PRICES[rng.randrange(len(_PRICES))],
        channels=tuple(key for key in channels if not (at_fba and key == fba_channel)),
        back_orderable=number % 29 == 28,
        fba_sku=FBA_PREFIX + sku if at_fba else None,
    )


def _pack(of: Article, rank: int) -> Article:
    return Article(
        f"{of.sku}-X3", f"{of.title}, pack of three", 0.25 / (1 + rank), of.price, of.channels, ((of.sku, 3),)
    )


def _kit(one: Article, other: Article, rank: int) -> Article:
    both = tuple(key for key in one.channels if key in other.channels) or one.channels
    parts = ((one.sku, 1), (other.sku, 2))
    return Article(f"SET-{rank:02d}", f"{one.title} with {other.title}", 0.3 / (1 + rank), one.price, both, parts)


def fill_shelves(
    rng: Rng, articles: Sequence[Article], warehouses: Sequence[str], kept_share: float = 1.0
) -> dict[tuple[str, str], int]:
    """Opening pieces by (sku, warehouse): what is popular is stocked deeper, though not by as much as it sells."""
    return {
        (article.sku, warehouse): int(rng.uniform(2, 12) * (0.5 + 1.5 * article.popularity))
        for article in articles
        if not article.made_of
        for warehouse in warehouses
        if rng.random() < kept_share
    }


def fill_for(
    rng: Rng, articles: Sequence[Article], orders: Sequence[WantedOrder], pools: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], int]:
    """Opening pieces by (sku, warehouse) for what is going to be wanted: of some more than that, of some less."""
    stock: dict[tuple[str, str], int] = {}
    units = units_by_sku(orders)
    for article in articles:
        keys = dict.fromkeys(key for channel in article.channels for key in pools[channel])
        left = max(1, int(units[article.sku] * rng.uniform(*_COVERED)))
        for key in keys:
            stock[(article.sku, key)] = rng.randrange(left + 1)
            left -= stock[(article.sku, key)]
        stock[(article.sku, next(iter(keys)))] += left
    return stock

"""What a seller says on the first day, and how flags say it: `shopify,shop=my-shop,client_id=...`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.amazon.marketplaces import COUNTRIES
from syncd.accounts.mistakes import REGION_OF
from syncd.errors import SyncdError, suggest

ACCOUNT_KEYS: Final = {
    "shopify": ("shop", "client_id", "location"),
    "amazon": ("seller_id", "marketplaces", "client_id", "base_url"),
    "ebay": ("client_id", "marketplace", "base_url"),
}
_NEEDED: Final = {"shopify": ("shop", "client_id"), "amazon": ("seller_id", "client_id"), "ebay": ("client_id",)}
_COMMON: Final = ("key", "warehouses", "buffer")
_WAREHOUSE_KEYS: Final = ("kind", "country", "postcode", "name", "time_zone", "shipbob_channel", "account")


class AnswerRefused(SyncdError):
    """A flag says something that cannot be meant."""


@dataclass(frozen=True, slots=True)
class WarehouseAnswer:
    key: str
    country: str
    kind: str = "own"
    postcode: str = ""
    name: str = ""
    time_zone: str = "UTC"
    shipbob_channel: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class AccountAnswer:
    """`told` holds what the account's vendor needs, by the names of ACCOUNT_KEYS."""

    key: str
    channel: str
    warehouses: tuple[str, ...] = ()
    buffer: int = 0
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    """`database` is a URL; `password_secret` names the secret that holds its password."""

    database: str
    warehouses: tuple[WarehouseAnswer, ...]
    accounts: tuple[AccountAnswer, ...]
    password_secret: str | None = None
    public_url: str | None = None


def read_warehouse(flag: str) -> WarehouseAnswer:
    """`main,country=US,postcode=10001`. Raises AnswerRefused."""
    key, told = _parts("--warehouse", flag, _WAREHOUSE_KEYS)
    if "country" not in told:
        raise AnswerRefused(f"--warehouse {flag}: its country is missing; write {key},country=US")
    kind = told.pop("kind", "3pl" if "shipbob_channel" in told else "fba" if "account" in told else "own")
    return WarehouseAnswer(key=key, kind=kind, **told)


def read_account(flag: str, warehouses: Sequence[str]) -> AccountAnswer:
    """`shopify,shop=my-shop,client_id=...`; its pool is every one of `warehouses`, unless it names some.

    Raises AnswerRefused.
    """
    channel = flag.partition(",")[0].strip()
    if channel not in ACCOUNT_KEYS:
        meant = suggest(channel, ACCOUNT_KEYS, f"Write {', '.join(ACCOUNT_KEYS)}")
        raise AnswerRefused(f"--account {flag}: {channel!r} is no channel. {meant}")
    _, told = _parts("--account", flag, (*_COMMON, *ACCOUNT_KEYS[channel]))
    missing = [name for name in _NEEDED[channel] if not told.get(name)]
    if missing:
        raise AnswerRefused(f"--account {flag}: {', '.join(missing)} is missing; write {missing[0]}=...")
    buffer = told.pop("buffer", "0" if channel == "shopify" else "1")
    if not buffer.isdecimal():
        raise AnswerRefused(f"--account {flag}: buffer must be a whole number; write buffer=1")
    pool = tuple(each for each in told.pop("warehouses", "").split("+") if each) or tuple(warehouses)
    return AccountAnswer(told.pop("key", channel), channel, pool, int(buffer), told)


def shop_address(shop: str) -> str:
    """`my-shop`, `my-shop.myshopify.com` or a whole address as the API's address."""
    if "://" in shop:
        return shop.rstrip("/")
    name = shop.removesuffix("/").removesuffix(".myshopify.com")
    return f"https://{name}.myshopify.com" if "." not in name else f"https://{name}"


def location_of(text: str) -> str:
    """A location by its number or its whole id."""
    return f"gid://shopify/Location/{text}" if re.fullmatch(r"[0-9]+", text) else text


def region_of(marketplace: str) -> str:
    """Amazon's region that serves a marketplace; `na` for one that we do not know."""
    country = COUNTRIES.get(marketplace)
    return "na" if country is None else REGION_OF.get(country, "eu")


def _parts(name: str, flag: str, known: Sequence[str]) -> tuple[str, dict[str, str]]:
    first, *rest = (part.strip() for part in flag.split(","))
    told: dict[str, str] = {}
    for part in rest:
        key, equals, value = part.partition("=")
        if not equals:
            raise AnswerRefused(f"{name} {flag}: {part!r} says nothing; write it as key=value")
        if key not in known:
            meant = suggest(key, known, f"Known are {', '.join(known)}")
            raise AnswerRefused(f"{name} {flag}: {key!r} is not known. {meant}")
        told[key] = value
    return first, told

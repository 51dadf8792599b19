"""What `syncd init` asks at a terminal: each answer is looked at as it is given, and asked for again if it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from syncd.accounts.answers import (
    ACCOUNT_KEYS,
    AccountAnswer,
    AnswerRefused,
    WarehouseAnswer,
    location_of,
    region_of,
    shop_address,
)
from syncd.config.values import BaseUrl, Country, Key, Location
from syncd.config.vendors import EbayMarketplace, MarketplaceId
from syncd.errors import suggest

Take = Callable[[str], str]
"""What an answer means; raises AnswerRefused when it can mean nothing."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a vendor needs to know of an account, by the name it has in a flag."""

    name: str
    words: str
    take: Take
    default: str | None = None


def ask_warehouses(console: Console) -> list[WarehouseAnswer]:
    console.print("Your own warehouses, in the order they should be used:")
    found: list[WarehouseAnswer] = []
    while not found or typer.confirm("One more warehouse?", default=False):
        key = _ask(
            console, "a short key for it, for ever", _new_key({each.key for each in found}), _first("main", found)
        )
        country = _ask(console, "its country (two letters)", lambda told: _fits(Country, told.strip().upper()))
        postcode = typer.prompt("  its postcode (empty to leave out)", default="", show_default=False)
        found.append(WarehouseAnswer(key, country, postcode=postcode))
    return found


def ask_accounts(pool: Sequence[str], console: Console) -> list[AccountAnswer]:
    """Accounts whose pool is every one of these warehouses."""
    console.print("Your accounts at channels:")
    found: list[AccountAnswer] = []
    while not found or typer.confirm("One more account?", default=False):
        channel = _ask(console, f"channel ({', '.join(ACCOUNT_KEYS)})", _channel)
        taken = {each.key for each in found}
        key = _ask(console, "a short key for it, for ever", _new_key(taken), None if channel in taken else channel)
        told = {each.name: _ask(console, each.words, each.take, each.default) for each in _QUESTIONS[channel]}
        found.append(AccountAnswer(key, channel, tuple(pool), 0 if channel == "shopify" else 1, told))
    return found


def _ask(console: Console, words: str, take: Take, default: str | None = None) -> str:
    while True:
        told: str = typer.prompt(f"  {words}", default=default)
        try:
            return take(told.strip())
        except AnswerRefused as err:
            console.print(f"    {err}", style="red", markup=False, highlight=False)


def _first(default: str, found: Collection[object]) -> str | None:
    return None if found else default


def _new_key(taken: Collection[str]) -> Take:
    def take(told: str) -> str:
        if told in taken:
            raise AnswerRefused(f"{told!r} is the key of another one already: name them apart")
        return _fits(Key, told)

    return take


def _channel(told: str) -> str:
    channel = told.lower()
    if channel not in ACCOUNT_KEYS:
        raise AnswerRefused(f"{told!r} is no channel. {suggest(channel, ACCOUNT_KEYS, 'Write one of them')}")
    return channel


def _said(told: str) -> str:
    if not told:
        raise AnswerRefused("this is needed")
    return told


def _shop(told: str) -> str:
    _fits(BaseUrl, shop_address(_said(told)))
    return told


def _location(told: str) -> str:
    _fits(Location, location_of(told))
    return told


def _marketplaces(told: str) -> str:
    each = [part.strip() for part in told.replace(",", "+").split("+") if part.strip()]
    for one in each:
        _fits(MarketplaceId, one)
    regions = sorted({region_of(one) for one in each})
    if len(regions) > 1:
        raise AnswerRefused(f"these are of several regions ({', '.join(regions)}): each is an account of its own")
    return _said("+".join(each))


def _fits(kind: Any, told: str) -> str:
    """A value as the configuration takes it."""
    try:
        return str(TypeAdapter(kind).validate_python(told))
    except ValidationError as err:
        (first, *_) = err.errors()
        context = first.get("ctx", {})
        problem, remedy = str(context.get("problem", first["msg"])), context.get("remedy")
        if repr(told) not in problem:
            problem = f"{told!r} {problem}"
        raise AnswerRefused(f"{problem}. {remedy}" if remedy else problem) from err


_QUESTIONS: Final = {
    "shopify": (
        Question("shop", "the shop's name at myshopify.com", _shop),
        Question("client_id", "the app's client id", _said),
        Question(
            "location", "the location's number (1 if you do not know it: `syncd check` tells)", _location, default="1"
        ),
    ),
    "amazon": (
        Question("seller_id", "the seller id (merchant token)", _said),
        Question("marketplaces", "marketplace ids of one region, joined by +", _marketplaces, default="ATVPDKIKX0DER"),
        Question("client_id", "the app's LWA client id", _said),
    ),
    "ebay": (
        Question("client_id", "the keyset's App ID", _said),
        Question(
            "marketplace", "the marketplace", lambda told: _fits(EbayMarketplace, told.upper()), default="EBAY_US"
        ),
    ),
}

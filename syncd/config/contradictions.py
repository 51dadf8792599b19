"""What no single value shows to be wrong; from the raw tables, so that a wrong value elsewhere does not hide it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from syncd.config.alert_contradictions import alert_contradictions
from syncd.config.model import ChannelKind
from syncd.config.values import is_here
from syncd.errors import EXAMPLE, ConfigProblem, Place, dotted, leaves, place_name, suggest

# What must be there once only, and how many steps of its place bound that: a zone once in its warehouse.
_ONCE: Final = {
    "warehouse.key": 0,
    "warehouse.rates.zone": 2,
    "warehouse.account": 0,
    "account.key": 0,
    "account.warehouses": 2,
    "account.shopify.base_url": 0,
    "account.amazon.seller_id": 0,
    "account.ebay.refresh_token_secret": 0,
}

_ZIP: Final = re.compile(r"[0-9]{5}(-[0-9]{4})?")

# Where a demo's clock must not reach out to.
_ADDRESSES: Final = {
    "account.shopify.base_url",
    "account.amazon.base_url",
    "account.amazon.token_url",
    "account.amazon.queue.url",
    "account.amazon.queue.endpoint_url",
    "account.ebay.base_url",
    "warehouse.shipbob.base_url",
    "webhook.url",
    "alerts.route.api_url",
}


def contradictions(raw: object) -> Iterator[ConfigProblem]:
    """Everything that two values together show to be wrong."""
    values = dict(leaves(raw))
    yield from _there_twice(raw, values)
    yield from _postcodes(raw, values)
    yield from _pools(raw, values)
    yield from _vendors(raw)
    yield from _warehouses(raw)
    yield from alert_contradictions(raw)
    if ("clock", "record") in values:
        yield from _real_vendors(raw, values)


def _texts(values: Mapping[Place, Any]) -> Iterator[tuple[Place, str, str]]:
    """(place, its dotted name, text) of every text."""
    for place, value in values.items():
        if isinstance(value, str):
            yield place, dotted(place), value


def _there_twice(raw: object, values: Mapping[Place, Any]) -> Iterator[ConfigProblem]:
    seen = set()
    for place, key, text in _texts(values):
        if key not in _ONCE:
            continue
        once = (key, place[: _ONCE[key]], text.rstrip("/").lower())
        if once in seen:
            yield ConfigProblem(place_name(raw, place), f"{text!r} is there twice", "Change this one, or take it out")
        seen.add(once)


def _postcodes(raw: object, values: Mapping[Place, Any]) -> Iterator[ConfigProblem]:
    for place, key, text in _texts(values):
        if key == "warehouse.postcode" and values.get((*place[:-1], "country")) == "US" and not _ZIP.fullmatch(text):
            yield ConfigProblem(
                place_name(raw, place), f"{text!r} is not a ZIP code", "Write its five digits in quotes"
            )


def _pools(raw: object, values: Mapping[Place, Any]) -> Iterator[ConfigProblem]:
    kinds = {text: values.get((*place[:-1], "kind")) for place, key, text in _texts(values) if key == "warehouse.key"}
    for place, key, text in _texts(values):
        if key != "account.warehouses":
            continue
        name = place_name(raw, place)
        if text not in kinds:
            known = f"There is {', '.join(kinds)}" if kinds else "Describe it under [[warehouse]]"
            yield ConfigProblem(name, f"no warehouse has the key {text!r}", suggest(text, kinds, known))
        elif kinds[text] == "fba":
            yield ConfigProblem(
                name,
                f"{text!r} is FBA, which ships only what Amazon sells by itself",
                "Take it out of this pool: no order of this account can be sent from there yet",
            )


def _entries(raw: object, table: str) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    found = raw.get(table) if isinstance(raw, Mapping) else None
    for number, entry in enumerate(found if isinstance(found, list) else ()):
        if isinstance(entry, Mapping):
            yield (table, number), entry


def _vendors(raw: object) -> Iterator[ConfigProblem]:
    """An account has the table of its channel, and no other."""
    kinds = [kind.value for kind in ChannelKind]
    for place, entry in _entries(raw, "account"):
        channel = entry.get("channel")
        if channel not in kinds:
            continue  # told already
        if channel not in entry:
            yield ConfigProblem(place_name(raw, (*place, channel)), "is missing", f"Add [account.{channel}]. {EXAMPLE}")
        for other in kinds:
            if other != channel and other in entry:
                remedy = f'Take it out, or write channel = "{other}"'
                yield ConfigProblem(place_name(raw, (*place, other)), f"this account is of {channel}", remedy)


def _warehouses(raw: object) -> Iterator[ConfigProblem]:
    """An API belongs to a 3PL, and FBA to an Amazon account."""
    channels = {entry.get("key"): entry.get("channel") for _, entry in _entries(raw, "account")}
    amazons = sorted(str(key) for key, channel in channels.items() if channel == "amazon")
    for place, entry in _entries(raw, "warehouse"):
        kind, owner = entry.get("kind"), entry.get("account")
        if "shipbob" in entry and kind in ("own", "fba"):
            remedy = 'Write kind = "3pl", or take the table out'
            yield ConfigProblem(place_name(raw, (*place, "shipbob")), f"this warehouse is of kind {kind}", remedy)
        if owner is not None and kind in ("own", "3pl"):
            remedy = 'Write kind = "fba", or take the key out'
            yield ConfigProblem(place_name(raw, (*place, "account")), f"this warehouse is of kind {kind}", remedy)
        if isinstance(owner, str) and kind == "fba" and owner not in amazons:
            known = f"There is {', '.join(amazons)}" if amazons else "Describe it under [[account]]"
            problem = f"no Amazon account has the key {owner!r}"
            yield ConfigProblem(place_name(raw, (*place, "account")), problem, suggest(owner, amazons, known))


def _real_vendors(raw: object, values: Mapping[Place, Any]) -> Iterator[ConfigProblem]:
    """Time that runs faster is for sandboxes on this machine."""
    remedy = "Take [clock] out, or name a sandbox on this machine"
    for place, key, text in _texts(values):
        if key in _ADDRESSES and not is_here(text):
            yield ConfigProblem(place_name(raw, place), "is a real vendor, but [clock] is for demos", remedy)
    for place, entry in _entries(raw, "account"):
        amazon = entry.get("amazon")
        queue = amazon.get("queue") if isinstance(amazon, Mapping) else None
        if isinstance(queue, Mapping) and "endpoint_url" not in queue:
            where = place_name(raw, (*place, "amazon", "queue", "endpoint_url"))
            yield ConfigProblem(where, "is the real vendor's, but [clock] is for demos", remedy)
    for table, vendor, keys in (
        ("account", "amazon", ("base_url", "token_url")),
        ("account", "ebay", ("base_url",)),
        ("warehouse", "shipbob", ("base_url",)),
    ):
        for place, entry in _entries(raw, table):
            told = entry.get(vendor)
            if not isinstance(told, Mapping):
                continue
            for key in keys:
                if key not in told:
                    where = place_name(raw, (*place, vendor, key))
                    yield ConfigProblem(where, "is the real vendor's, but [clock] is for demos", remedy)

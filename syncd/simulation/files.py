"""The files a made-up seller would have: configuration, item list, stock count."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from syncd.simulation.vendors import FACES, Json, Secret, Setting, Settings
from syncd.simulation.world import ChannelPlan, WarehousePlan, World, stands

_NEWS = ("queue", "verification_token_secret")


def settle_terms(world: World, truths: Mapping[str, Json]) -> dict[str, Settings]:
    """How the seller is connected to each vendor, by key, once every sandbox has told the truth."""
    return {key: FACES[vendor].settings(world, key, truths[key]) for key, vendor in stands(world.cast)}


def secrets_of(terms: Mapping[str, Settings]) -> dict[str, str]:
    """The secrets by the names under which they are handed to the daemon."""
    return {name: value for key, settings in terms.items() for name, value in _secrets(_prefix(key), settings)}


def write_config(world: World, terms: Mapping[str, Settings], folder: Path, database_url: str, port: int) -> Path:
    """The configuration of the daemon, as a seller would write it."""
    lines = [
        "[database]",
        f"url = {json.dumps(database_url)}",
        "[http]",
        'host = "127.0.0.1"',
        f"port = {port}",
        *([f'public_url = "http://127.0.0.1:{port}"'] if world.cast.webhooks else []),
        "[clock]",
        'record = "clock.json"',
        "[cost]",
        f'currency = "{world.cast.currency}"',
        "[log]",
        'level = "info"',
    ]
    for warehouse in world.cast.warehouses:
        lines += _warehouse(warehouse, terms)
    for channel in world.channels:
        lines += _account(channel, terms[channel.key])
    path = folder / "syncd.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def write_table(place: str, settings: Settings, prefix: str | None) -> list[str]:
    """A TOML table; under `prefix` its secrets are only named, without one they are shown."""
    plain = {name: value for name, value in settings.items() if not isinstance(value, Mapping)}
    lines = [f"[{place}]", *(f"{name} = {_value(name, value, prefix)}" for name, value in plain.items())]
    for name, value in settings.items():
        if isinstance(value, Mapping):
            lines += write_table(f"{place}.{name}", value, prefix and f"{prefix}_{name.upper()}")
    return lines


def write_items(world: World, path: Path) -> Path:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["sku", "title", "alias", "component", "units"])
        for article in world.articles:
            out.writerow([article.sku, article.title, article.fba_sku or "", "", ""])
            for sku, units in article.made_of:
                out.writerow([article.sku, "", "", sku, units])
    return path


def write_stock(
    stock: Mapping[tuple[str, str], int],
    as_of: datetime,
    path: Path,
    broken: Mapping[tuple[str, str], int] = MappingProxyType({}),
) -> Path:
    """A count by (SKU, warehouse); of what was counted, so much is `broken`."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["sku", "warehouse", "on_hand", "unavailable", "as_of"])
        for (sku, warehouse), pieces in sorted(stock.items()):
            out.writerow([sku, warehouse, pieces, broken.get((sku, warehouse), 0), as_of.isoformat()])
    return path


def _warehouse(plan: WarehousePlan, terms: Mapping[str, Settings]) -> list[str]:
    lines = [
        "[[warehouse]]",
        f'key = "{plan.key}"',
        f"name = {json.dumps(plan.name)}",
        f'kind = "{plan.kind}"',
        f'country = "{plan.country}"',
        *([f"postcode = {json.dumps(plan.postcode)}"] if plan.postcode else []),
        f'time_zone = "{plan.time_zone}"',
    ]
    if plan.account is not None:
        return [*lines, f'account = "{plan.account}"']
    if plan.vendor is not None:
        lines += write_table(f"warehouse.{plan.vendor}", terms[plan.key], _prefix(plan.key))
    for zone, parcel, unit in plan.rates:
        lines += ["[[warehouse.rates]]", f'zone = "{zone}"', f'per_parcel = "{parcel}"', f'per_unit = "{unit}"']
    return lines


def _account(plan: ChannelPlan, settings: Settings) -> list[str]:
    return [
        "[[account]]",
        f'key = "{plan.key}"',
        f'channel = "{plan.vendor}"',
        f"warehouses = {json.dumps(plan.warehouses)}",
        f'policy = "{plan.policy}"',
        f"buffer = {plan.buffer}",
        *([] if plan.cap is None else [f"cap = {plan.cap}"]),
        *write_table(f"account.{plan.vendor}", _as_planned(plan, settings), _prefix(plan.key)),
    ]


def _as_planned(plan: ChannelPlan, settings: Settings) -> Settings:
    """A vendor's table with what this seller has otherwise."""
    kept = {name: value for name, value in settings.items() if plan.news or name not in _NEWS}
    return kept if plan.poll_every_s is None else {**kept, "poll_every_s": plan.poll_every_s}


def _prefix(key: str) -> str:
    return f"DEMO_{key.upper().replace('-', '_')}"


def _value(name: str, value: Setting, prefix: str | None) -> str:
    if not isinstance(value, Secret):
        return json.dumps(value)
    return json.dumps(value.value if prefix is None else f"{prefix}_{name.upper()}")


def _secrets(prefix: str, settings: Settings) -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Secret):
            yield f"{prefix}_{name.upper()}", value.value
        elif isinstance(value, Mapping):
            yield from _secrets(f"{prefix}_{name.upper()}", value)

"""The files a made-up seller would have: configuration, item list, stock count, clock record."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from syncd.simulation.world import LOCATION, STORES, World


def secret_name(key: str) -> str:
    """The name under which a shop's secret is handed to the daemon."""
    return f"DEMO_{key.upper().replace('-', '_')}_SECRET"


def secrets_of(world: World) -> dict[str, str]:
    return {secret_name(shop.key): shop.client_secret for shop in world.shops}


def write_config(
    world: World, folder: Path, database_url: str, port: int, location_ids: Mapping[str, str], clock_record: Path
) -> Path:
    """The configuration of the daemon, as a seller would write it."""
    lines = [
        "[database]",
        f'url = "{database_url}"',
        "[http]",
        'host = "127.0.0.1"',
        f"port = {port}",
        f'public_url = "http://127.0.0.1:{port}"',
        "[clock]",
        f'record = "{clock_record.name}"',
        "[log]",
        'level = "info"',
    ]
    for store in STORES:
        lines += [
            "[[warehouse]]",
            f'key = "{store.key}"',
            f'name = "{store.name}"',
            'kind = "own"',
            f'country = "{store.country}"',
            f'postcode = "{store.postcode}"',
            f'time_zone = "{store.time_zone}"',
            "[[warehouse.rates]]",
            'zone = "domestic"',
            f'per_parcel = "{store.per_parcel}"',
            f'per_unit = "{store.per_unit}"',
            "[[warehouse.rates]]",
            'zone = "world"',
            'per_parcel = "24.00"',
            'per_unit = "3.00"',
        ]
    for shop in world.shops:
        lines += [
            "[[account]]",
            f'key = "{shop.key}"',
            'channel = "shopify"',
            f"warehouses = {list(shop.warehouses)!r}".replace("'", '"'),
            f'policy = "{shop.policy}"',
            "buffer = 0",
            "[account.shopify]",
            f'base_url = "http://127.0.0.1:{shop.port}"',
            f'client_id = "{shop.client_id}"',
            f'client_secret = "{secret_name(shop.key)}"',
            f'location = "{LOCATION.format(number=location_ids[shop.key])}"',
            "poll_every_s = 60.0",
        ]
    path = folder / "syncd.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def write_items(world: World, path: Path) -> Path:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["sku", "title", "component", "units"])
        for article in world.articles:
            out.writerow([article.sku, article.title, "", ""])
            for sku, units in article.made_of:
                out.writerow([article.sku, "", sku, units])
    return path


def write_stock(stock: Mapping[tuple[str, str], int], as_of: datetime, path: Path) -> Path:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["sku", "warehouse", "on_hand", "as_of"])
        for (sku, warehouse), pieces in sorted(stock.items()):
            out.writerow([sku, warehouse, pieces, as_of.isoformat()])
    return path

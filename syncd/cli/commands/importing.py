"""What is taken in by file or from an account: `syncd import items`, `stock` and `listings`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli.options import DEFAULT_CONFIG, ConfigFile, console

imports = typer.Typer(name="import", help="Take in items, stock counts and listings.", no_args_is_help=True)


@imports.command("items", epilog="Example: syncd import items items.csv -c syncd.toml")
def import_items(
    file: Annotated[Path, typer.Argument(help="CSV: sku, title, gtin, safety_stock, alias, component, units.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Take in SKUs, their other names, and what kits and packs are made of."""
    from syncd.cli.imports import items

    if not items(config, file, console):
        raise typer.Exit(1)


@imports.command("stock", epilog="Example: syncd import stock count.csv -c syncd.toml")
def import_stock(
    file: Annotated[Path, typer.Argument(help="CSV: sku, warehouse, on_hand, unavailable, as_of.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_of: Annotated[str | None, typer.Option(help="When it was counted, for rows that do not say: ISO 8601.")] = None,
) -> None:
    """Take in what was counted in the warehouses."""
    from syncd.cli.imports import stock

    if not stock(config, file, as_of, console):
        raise typer.Exit(1)


@imports.command("listings", epilog="Example: syncd import listings --from shop -c syncd.toml")
def import_listings(
    account: Annotated[str, typer.Option("--from", help="The account's key.")],
    config: ConfigFile = DEFAULT_CONFIG,
    unmapped: Annotated[
        Path | None, typer.Option(help="Where to write what found no SKU. Default: unmapped-ACCOUNT.csv.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option("--map", help="Such a file with its sku column filled in.")] = None,
) -> None:
    """Read an account's listings and map them to SKUs by code, or else by GTIN."""
    from syncd.cli.imports import listings

    asyncio.run(listings(config, account, unmapped, mapping, console))

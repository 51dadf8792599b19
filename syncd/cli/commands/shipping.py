"""What left our own warehouses: `syncd ship`."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli.options import DEFAULT_CONFIG, ConfigFile, console

app = typer.Typer()


@app.command(epilog="Example: syncd ship '#1042' -c syncd.toml")
def ship(
    order: Annotated[str, typer.Argument(help="The order's name as the channel shows it, or its channel id.")],
    config: ConfigFile = DEFAULT_CONFIG,
    account: Annotated[str | None, typer.Option(help="The account's key, when several have such an order.")] = None,
) -> None:
    """Book an order's units as shipped from our own warehouses."""
    from syncd.cli.ship import ship_and_tell

    ship_and_tell(config, order, account, console)

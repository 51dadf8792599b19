"""What there is: `syncd status`, `stock` and `orders`."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, console
from syncd.insight.order_filter import OrderFilter

app = typer.Typer()


@app.command(epilog="Example: syncd status -c syncd.toml")
def status(
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show how every account is doing, from the database."""
    from syncd.cli.reports import show_status

    show_status(config, console, as_json=as_json)


@app.command(epilog="Example: syncd stock RED-CLOCK -c syncd.toml")
def stock(
    sku: Annotated[str, typer.Argument(help="The SKU, or one of its aliases.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show a SKU: its levels in each warehouse, what each listing shows, and the open orders that want it."""
    from syncd.cli.stock import show_stock

    show_stock(config, sku, console, json=as_json)


@app.command(epilog="Example: syncd orders --state open --account shop --since 2d -c syncd.toml")
def orders(
    config: ConfigFile = DEFAULT_CONFIG,
    state: Annotated[
        OrderFilter | None, typer.Option(help="Only these; short and in_review are open ones to look at.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Only of this account, by its key.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only placed since: 30m, 6h or 2d ago, or an instant with an offset.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=100_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List orders, the last taken in first."""
    from syncd.cli.orders import show_orders

    show_orders(config, console, which=state, account=account, since=since, limit=limit, json=as_json)

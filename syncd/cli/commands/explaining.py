"""Why: `syncd explain order` and `syncd explain listing`."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, console

explain = typer.Typer(name="explain", help="Say why a number or a choice came about.", no_args_is_help=True)


@explain.command("order", epilog="Example: syncd explain order '#1042' -c syncd.toml")
def explain_order(
    order: Annotated[str, typer.Argument(help="The order's name or id at the channel, or its number here.")],
    config: ConfigFile = DEFAULT_CONFIG,
    account: Annotated[str | None, typer.Option(help="The account's key, when several have such an order.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say which warehouse an order's units come from, from which inputs, and why the others were turned down."""
    from syncd.cli.explain import show_order

    show_order(config, order, account, console, json=as_json)


@explain.command("listing", epilog="Example: syncd explain listing shop:RED-CLOCK -c syncd.toml")
def explain_listing(
    listing: Annotated[str, typer.Argument(help="The listing's number here, or ACCOUNT:SKU.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say how a listing's number comes about: every term, buffer, hold and cap, and what it waits for."""
    from syncd.cli.explain import show_listing

    show_listing(config, listing, console, json=as_json)

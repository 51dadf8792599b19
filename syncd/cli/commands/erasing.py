"""Buyers who want to be forgotten: `syncd erase order`."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli.options import DEFAULT_CONFIG, ConfigFile, console

erase = typer.Typer(name="erase", help="Erase what is known of buyers.", no_args_is_help=True)


@erase.command("order", epilog="Example: syncd erase order '#1042' --account shop -c syncd.toml")
def erase_order(
    order: Annotated[str, typer.Argument(help="The order's name or id at the channel, or its number here.")],
    config: ConfigFile = DEFAULT_CONFIG,
    account: Annotated[str | None, typer.Option(help="The account's key, when several have such an order.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only show what would be erased.")] = False,
) -> None:
    """Erase an order's buyer, the recipient and the bodies of its events, after showing what there is."""
    from syncd.cli.erase import erase_order as forget

    if not forget(config, order, account, console, yes=yes, dry=dry):
        raise typer.Exit(1)

"""What an account may do: `syncd go-live`, `pause` and `resume`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli.options import DEFAULT_CONFIG, ConfigFile, console

app = typer.Typer()


@app.command("go-live", epilog="Example: syncd go-live shop -c syncd.toml")
def go_live(
    account: Annotated[str, typer.Argument(help="The account's key.")],
    config: ConfigFile = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    leave_unmapped: Annotated[
        bool, typer.Option("--leave-unmapped", help="Go live although some listings have no SKU; those stay untouched.")
    ] = False,
    listed: Annotated[
        Path | None,
        typer.Option(
            "--list",
            help="Write every number that would change there. Default: go-live-ACCOUNT.csv if many.",
            metavar="CSV",
        ),
    ] = None,
) -> None:
    """Let an account write its numbers, after showing every one that would change."""
    from syncd.cli.go_live import ask_and_go_live

    going = ask_and_go_live(config, account, console, yes=yes, leave_unmapped=leave_unmapped, listed=listed)
    if not asyncio.run(going):
        raise typer.Exit(1)


@app.command(epilog="Example: syncd pause shop -c syncd.toml")
def pause(
    account: Annotated[str, typer.Argument(help="The account's key.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Stop everything that goes out for an account, at once and without a restart; its orders still come in."""
    from syncd.cli.pause import pause as stop

    stop(config, account, console)


@app.command(epilog="Example: syncd resume shop -c syncd.toml")
def resume(
    account: Annotated[str, typer.Argument(help="The account's key.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Let a paused account go on as what it was: live, or observing."""
    from syncd.cli.pause import resume as go_on

    go_on(config, account, console)

"""Moving old movements into files, and proving those: `syncd archive`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncd.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, console

app = typer.Typer()


@app.command(
    epilog="Example: syncd archive --to /var/lib/syncd/archive -c syncd.toml; "
    "syncd archive --to /var/lib/syncd/archive --keep-days 800; syncd archive --verify /var/lib/syncd/archive --json"
)
def archive(
    to: Annotated[
        Path | None, typer.Option(help="The folder of the files, made if it is not there.", metavar="DIR")
    ] = None,
    verify: Annotated[Path | None, typer.Option(help="Prove the files in this folder instead.", metavar="DIR")] = None,
    keep_days: Annotated[int, typer.Option(help="Keep what moved within so many days, 35 or more.")] = 400,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Move old movements out of the ledger into files with hashes, beside a running daemon."""
    from syncd.cli.archive import archive as move

    if not move(config, to, verify, keep_days, console, as_json=as_json):
        raise typer.Exit(1)

"""`syncd`: every command, by group."""

from __future__ import annotations

import logging
from typing import Annotated

import structlog
import typer

from syncd import __version__
from syncd.cli.commands import (
    accounts,
    alerting,
    archiving,
    auditing,
    demo,
    entering,
    erasing,
    explaining,
    importing,
    looking,
    service,
    shipping,
    trials,
)

app = typer.Typer(
    name="syncd",
    help="Keep one seller's stock true across marketplaces.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
# As `--help` lists them.
for without_a_name in (demo, trials, service, looking, accounts, shipping, entering, archiving):
    app.add_typer(without_a_name.app)
for group in (auditing.audits, importing.imports, alerting.alerts, explaining.explain, erasing.erase):
    app.add_typer(group)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"syncd {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Keep one seller's stock true across marketplaces."""
    # A command prints what it found; of the log only what needs a look. `run` sets the log up as configured.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

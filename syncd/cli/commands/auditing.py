"""Whether the book is right, and what is held back until it is: `syncd audit`."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, console

audits = typer.Typer(name="audit", help="Prove that the book is right, and see what is held back until it is.")


@audits.callback(
    invoke_without_command=True, epilog="Example: syncd audit -c syncd.toml --json; syncd audit release RED-CLOCK"
)
def audit(
    context: typer.Context,
    config: ConfigFile = DEFAULT_CONFIG,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run that was stopped has come to.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Prove that the book is right: levels fold from movements, reservations match open demand."""
    if context.invoked_subcommand is not None:
        return
    from syncd.cli.audit import show_audit

    if not show_audit(config, console, as_json=as_json, resume=resume):
        raise typer.Exit(1)


@audits.command("held", epilog="Example: syncd audit held -c syncd.toml")
def audit_held(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show what the audit found and is still so, and which SKUs are not raised for it."""
    from syncd.cli.audit import show_held

    show_held(config, console, as_json=as_json)


@audits.command("release", epilog="Example: syncd audit release RED-CLOCK -c syncd.toml")
def audit_release(
    sku: Annotated[str, typer.Argument(help="The SKU, or one of its aliases.")], config: ConfigFile = DEFAULT_CONFIG
) -> None:
    """Let the listings of a SKU be raised again in spite of what the audit found; who said so is noted."""
    from syncd.cli.audit import release

    if not release(config, sku, console):
        raise typer.Exit(1)

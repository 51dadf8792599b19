"""Whether the book is right, and what is held back until it is: `syncd audit`."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli.options import DEFAULT_CONFIG, ConfigFile, console

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
    """Prove that the book is right: levels fold from movements, reservations match open demand.

    Ends with 0 only when every rule ran and holds; with 1 when something is wrong, or a rule could not run.
    """
    if context.invoked_subcommand is not None:
        return
    from syncd.cli.audit import show_audit

    if not show_audit(config, console, as_json=as_json, resume=resume):
        raise typer.Exit(1)


@audits.command(
    "held", epilog="Example: syncd audit held -c syncd.toml --limit 500; syncd audit held --json > held.json"
)
def audit_held(
    config: ConfigFile = DEFAULT_CONFIG,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="So many findings; otherwise 50, and all with --json.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON, SKU by SKU.")] = False,
) -> None:
    """Show what the audit found and is still so, and which SKUs are not raised for it; the oldest first."""
    from syncd.cli.held import show_held

    show_held(config, console, as_json=as_json, limit=limit)


@audits.command(
    "release",
    epilog="Example: syncd audit release RED-CLOCK STAND -c syncd.toml; syncd audit release --rule level.short --yes",
)
def audit_release(
    skus: Annotated[list[str] | None, typer.Argument(help="SKUs, or aliases of them.", metavar="SKU")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    rule: Annotated[
        str | None, typer.Option("--rule", help="Only what this rule holds; of all SKUs when none is named.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that the audit holds.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Let listings be raised again in spite of what the audit found; who said so is noted.

    It covers a finding as it is now: one that grows, or is gone and comes back, holds its SKU again.
    """
    from syncd.cli.release_held import release

    if everything and skus:
        raise typer.BadParameter("name SKUs, or everything by --all: not both")
    if not skus and not everything and rule is None:
        raise typer.BadParameter("name SKUs, a rule by --rule, or everything by --all; `syncd audit held` shows them")
    if not release(config, skus or (), console, everything=everything, rule=rule, yes=yes):
        raise typer.Exit(1)

"""What is wrong, and who hears of it: `syncd alert list`, `close`, `test` and `stopped`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from syncd.cli.options import DEFAULT_CONFIG, ConfigFile, console

alerts = typer.Typer(name="alert", help="See what is wrong, close it, test the ways to be told.", no_args_is_help=True)


@alerts.command("list", epilog="Example: syncd alert list -c syncd.toml --severity critical --all")
def alert_list(
    config: ConfigFile = DEFAULT_CONFIG,
    kind: Annotated[str | None, typer.Option(help="Only alerts of this kind, such as oversold.")] = None,
    severity: Annotated[str | None, typer.Option(help="Only what is at least so bad: info, warning, critical.")] = None,
    limit: Annotated[int, typer.Option(help="So many, the newest first.", min=1, max=10_000)] = 200,
    everything: Annotated[bool, typer.Option("--all", help="All of them, however many.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List what is wrong at the moment."""
    from syncd.cli.alert import Wanted, list_alerts

    list_alerts(config, console, Wanted(kind, severity, None if everything else limit), as_json=as_json)


@alerts.command("close", epilog="Example: syncd alert close parked_event:4711 --yes -c syncd.toml")
def alert_close(
    key: Annotated[str, typer.Argument(help="The alert's key, as `syncd alert list` shows it.")],
    config: ConfigFile = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Close an alert by hand; it says first whether its cause still stands, and when it would open again."""
    from syncd.cli.close_alert import close_alert

    if not close_alert(config, key, console, yes=yes):
        raise typer.Exit(1)


@alerts.command("test", epilog="Example: syncd alert test ops-chat -c syncd.toml")
def alert_test(
    route: Annotated[str | None, typer.Argument(help="The route's or webhook's name. Default: all of them.")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Send a real test message on each route and webhook, and say what came back."""
    from syncd.cli.alert import try_routes

    if not asyncio.run(try_routes(config, route, console)):
        raise typer.Exit(1)


@alerts.command("stopped", epilog="Example: syncd alert stopped syncd.service -c syncd.toml")
def alert_stopped(
    unit: Annotated[str, typer.Argument(help="The service manager's unit that has failed.")] = "syncd.service",
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Tell people that the service is not started any more; the unit syncd-failed@ does it."""
    from syncd.cli.alert_stopped import tell_stopped

    if not asyncio.run(tell_stopped(config, unit, console)):
        raise typer.Exit(1)

"""`syncd check`: everything that would keep the daemon from working, before it starts."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from adapters.contract import AdapterError, AuthExpired, Clock, RateLimited, Rejected
from syncd import config as settings
from syncd.bootstrap import open_channel, open_database
from syncd.chance import SystemRng
from syncd.clock import clock_from
from syncd.errors import ConfigError, SyncdError


async def check_all(path: Path, console: Console, *, offline: bool) -> bool:
    """Print what is right and what is wrong, each with its remedy. Returns whether all is well."""
    try:
        config = settings.load(path, with_secrets=True)
    except ConfigError as err:
        _wrong(console, f"configuration {err.path}")
        for problem in err.problems:
            console.print(f"    [bold]{escape(problem.key or 'file')}[/]: {escape(problem.problem)}")
            console.print(f"      {escape(problem.remedy)}", style="dim")
        return False
    _right(
        console, f"configuration {path}: {len(config.accounts)} accounts, {len(config.warehouses)} warehouses, secrets"
    )
    good = _check_database(config, console)
    if offline:
        return good
    clock = clock_from(config.clock.record)
    for account in config.accounts:
        good = await _check_account(account, clock, console) and good
    return good


def _check_database(config: settings.Config, console: Console) -> bool:
    try:
        open_database(config).close()
    except SyncdError as err:
        _wrong(console, str(err))
        return False
    _right(console, f"database {config.database.url}")
    return True


async def _check_account(account: settings.Account, clock: Clock, console: Console) -> bool:
    channel = open_channel(account, clock, SystemRng())
    try:
        identity = await channel.identify()
    except AdapterError as err:
        _wrong(console, f"account {account.key}: {err}")
        console.print(f"      {_remedy(err)}", style="dim")
        return False
    finally:
        await channel.close()
    if identity.missing_scopes:
        _wrong(console, f"account {account.key}: {identity.name} does not grant {', '.join(identity.missing_scopes)}")
        console.print("      add these scopes to the app and install it again", style="dim")
        return False
    _right(console, f"account {account.key}: {identity.name}, API {identity.api_version}")
    for warning in identity.warnings:
        console.print(f"    [yellow]![/] {escape(warning)}")
    return True


def _remedy(err: AdapterError) -> str:
    if isinstance(err, AuthExpired):
        return "check client_id and the secret, and that the app is still installed"
    if isinstance(err, RateLimited):
        return f"ask again in {err.retry_after_s:.0f} s"
    if isinstance(err, Rejected):
        return "the channel understood and refused: check base_url and location"
    return "check base_url and that this machine reaches it; the daemon would go on trying"


def _right(console: Console, what: str) -> None:
    console.print(f"  [green]✓[/] {escape(what)}")


def _wrong(console: Console, what: str) -> None:
    console.print(f"  [red]✗[/] {escape(what)}")

"""`syncd check`: everything that would keep the daemon from working, before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import typer
from rich.console import Console
from rich.markup import escape

from adapters.contract import AdapterError, Clock, Identity
from syncd import config as settings
from syncd.bootstrap import SettingsRefused, open_channel, open_database, open_stock_source
from syncd.chance import SystemRng
from syncd.cli import EXIT_CONFIG
from syncd.cli.remedies import remedy
from syncd.clock import ScaledClock, clock_from
from syncd.errors import ConfigError, SyncdError


async def check_all(path: Path, console: Console, *, offline: bool) -> bool:
    """Print what is right and what is wrong, each with its remedy. Returns whether all is well.

    A wrong configuration ends it with the exit code that `syncd run` would end with.
    """
    try:
        config = settings.load(path, with_secrets=True)
    except ConfigError as err:
        _wrong(console, f"configuration {err.path}")
        for problem in err.problems:
            console.print(f"    [bold]{escape(problem.key or 'file')}[/]: {escape(problem.problem)}")
            console.print(f"      {escape(problem.remedy)}", style="dim")
        raise typer.Exit(EXIT_CONFIG) from None
    _right(
        console, f"configuration {path}: {len(config.accounts)} accounts, {len(config.warehouses)} warehouses, secrets"
    )
    good = _check_database(config, console)
    clock = _clock(config, console)
    if clock is None or offline:
        return good and clock is not None
    for account in config.accounts:
        good = await _check_account(account, clock, console) and good
    for warehouse in config.warehouses:
        good = await _check_warehouse(config, warehouse, clock, console) and good
    return good


def _check_database(config: settings.Config, console: Console) -> bool:
    try:
        open_database(config).close()
    except SyncdError as err:
        _wrong(console, str(err))
        return False
    _right(console, f"database {config.database.url}")
    return True


def _clock(config: settings.Config, console: Console) -> ScaledClock | None:
    try:
        return clock_from(config.clock.record)
    except SyncdError as err:
        _wrong(console, str(err))
        return None


async def _check_account(account: settings.Account, clock: Clock, console: Console) -> bool:
    try:
        channel = open_channel(account, clock, SystemRng())
    except SettingsRefused as err:
        _wrong(console, str(err))
        return False
    return await _ask(f"account {account.key}", channel, console)


async def _check_warehouse(
    config: settings.Config, warehouse: settings.Warehouse, clock: Clock, console: Console
) -> bool:
    try:
        source = open_stock_source(config, warehouse, clock, SystemRng())
    except SettingsRefused as err:
        _wrong(console, str(err))
        return False
    return source is None or await _ask(f"warehouse {warehouse.key}", source, console)


class _Asked(Protocol):
    """A vendor's adapter, as far as it can say who it speaks for."""

    async def identify(self) -> Identity: ...

    async def close(self) -> None: ...


async def _ask(what: str, vendor: _Asked, console: Console) -> bool:
    try:
        identity = await vendor.identify()
    except AdapterError as err:
        _wrong(console, f"{what}: {err}")
        console.print(f"      {escape(remedy(err))}", style="dim")
        return False
    finally:
        await vendor.close()
    if identity.missing_scopes:
        _wrong(console, f"{what}: {identity.name} does not grant {', '.join(identity.missing_scopes)}")
        console.print("      add these scopes to the app and install it again", style="dim")
        return False
    _right(console, f"{what}: {identity.name}" + (f", API {identity.api_version}" if identity.api_version else ""))
    for warning in identity.warnings:
        console.print(f"    [yellow]![/] {escape(warning)}")
    return True


def _right(console: Console, what: str) -> None:
    console.print(f"  [green]✓[/] {escape(what)}")


def _wrong(console: Console, what: str) -> None:
    console.print(f"  [red]✗[/] {escape(what)}")

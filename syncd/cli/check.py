"""`syncd check`: everything that would keep the daemon from working, before it starts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from adapters.contract import Clock
from syncd import config as settings
from syncd.accounts.checkup import (
    ask,
    clock_address,
    look_at_clock,
    look_at_listings,
    look_at_orders,
    look_from_outside,
    mistakes,
    vendor_of,
)
from syncd.accounts.findings import Finding, Verdict, right, wrong
from syncd.accounts.mistakes import mistakes_of_shipbob
from syncd.alerts.hearing import who_hears
from syncd.alerts.opening import RouteRefused, open_route, open_webhook
from syncd.alerts.senders.sender import Sender
from syncd.bootstrap import SettingsRefused, open_channel, open_database, open_stock_source
from syncd.chance import SystemRng
from syncd.cli import EXIT_CONFIG
from syncd.clock import clock_from
from syncd.errors import ConfigError, SyncdError

Tell = Callable[[Finding], None]


async def check_all(path: Path, console: Console, *, offline: bool, json: bool = False) -> bool:
    """Print what is right and what is wrong, each with its remedy. Returns whether nothing is wrong.

    A wrong configuration ends it with the exit code that `syncd run` would end with.
    """
    found: list[Finding] = []

    def tell(finding: Finding) -> None:
        found.append(finding)
        if not json:
            _print(finding, console)

    readable = await _check(path, tell, offline=offline)
    if json:
        console.print_json(msgspec.json.encode({"findings": found}).decode())
    if not readable:
        raise typer.Exit(EXIT_CONFIG)
    return all(each.verdict is not Verdict.WRONG for each in found)


async def _check(path: Path, tell: Tell, *, offline: bool) -> bool:
    """Tell everything there is to tell. Returns whether there is a configuration to go by."""
    try:
        config = settings.load(path, with_secrets=True)
    except ConfigError as err:
        for problem in err.problems:
            key = problem.key or "file"
            tell(wrong(f"configuration {err.path}", f"{key}: {problem.problem}", problem.remedy))
        return False
    counted = f"{len(config.accounts)} accounts, {len(config.warehouses)} warehouses, secrets"
    tell(right(f"configuration {path}", counted))
    _check_database(config, tell)
    await _check_routes(config, tell)
    try:
        clock = clock_from(config.clock.record)
    except SyncdError as err:
        tell(wrong("clock", str(err), "take [clock] out: it is for demos"))
        return True
    for account in config.accounts:
        await _check_account(account, clock, tell, offline=offline)
    for warehouse in config.warehouses:
        await _check_warehouse(config, warehouse, clock, tell, offline=offline)
    if not offline:
        for each in await look_from_outside(config):
            tell(each)
    return True


def _check_database(config: settings.Config, tell: Tell) -> None:
    try:
        open_database(config).close()
    except SyncdError as err:
        tell(wrong("database", str(err), "`syncd migrate -c FILE` makes it, or brings it to this version"))
    else:
        tell(right("database", config.database.url))


async def _check_account(account: settings.Account, clock: Clock, tell: Tell, *, offline: bool) -> None:
    subject = f"account {account.key}"
    slips = mistakes(account)
    for each in slips:
        tell(each)
    if offline or any(each.verdict is Verdict.WRONG for each in slips):
        return  # asking with what is wrong already would only tell it once more
    try:
        channel = open_channel(account, clock, SystemRng())
    except SettingsRefused as err:
        tell(
            wrong(
                subject,
                str(err).removeprefix(f"{subject}: "),
                "correct it in the configuration, or hand the right secret over",
            )
        )
        return
    try:
        answers = await ask(subject, account.channel.value, channel)
        if all(each.verdict is not Verdict.WRONG for each in answers):
            answers += await look_at_orders(subject, account.channel.value, channel, clock.now())
            answers += await look_at_listings(subject, account.key, channel)
    finally:
        await channel.close()
    address = clock_address(account)
    for each in answers + (await look_at_clock(subject, address) if address else []):
        tell(each)


async def _check_warehouse(
    config: settings.Config, warehouse: settings.Warehouse, clock: Clock, tell: Tell, *, offline: bool
) -> None:
    subject = f"warehouse {warehouse.key}"
    if warehouse.shipbob is not None:
        for each in mistakes_of_shipbob(subject, warehouse.shipbob):
            tell(each)
    if offline:
        return
    try:
        source = open_stock_source(config, warehouse, clock, SystemRng())
    except SettingsRefused as err:
        tell(
            wrong(
                subject,
                str(err).removeprefix(f"{subject}: "),
                "correct it in the configuration, or hand the right secret over",
            )
        )
        return
    if source is None:
        return
    try:
        answers = await ask(subject, vendor_of(warehouse), source)
    finally:
        await source.close()
    for each in answers:
        tell(each)


async def _check_routes(config: settings.Config, tell: Tell) -> None:
    """Open everything by which people and programs are told; nothing is sent."""
    for each in who_hears(config):
        tell(each)
    opened: list[tuple[str, Callable[[], Sender]]] = [
        (f"route {each.name}", partial(open_route, each)) for each in config.alerts.routes
    ]
    opened += [(f"webhook {each.name}", partial(open_webhook, each)) for each in config.webhooks]
    for subject, open_it in opened:
        try:
            sender = open_it()
        except RouteRefused as err:
            tell(wrong(subject, err.problem, "hand the right secret over; `syncd alert test` then sends a test"))
        else:
            await sender.close()


_MARKS = {Verdict.RIGHT: "[green]✓[/]", Verdict.ODD: "[yellow]![/]", Verdict.WRONG: "[red]✗[/]"}


def _print(finding: Finding, console: Console) -> None:
    colon = " " if finding.subject == "database" else ": "
    console.print(f"  {_MARKS[finding.verdict]} {escape(finding.subject + colon + finding.told)}")
    if finding.remedy:
        console.print(f"      {escape(finding.remedy)}", style="dim")

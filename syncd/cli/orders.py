"""`syncd orders`: the newest orders, by state, account and time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from sqlalchemy import Connection

from syncd import config as settings
from syncd.bootstrap import open_database
from syncd.cli.reading import a_table, add, as_json, at, find_account
from syncd.clock import clock_from
from syncd.insight.order_filter import OrderFilter
from syncd.insight.orders import OrderRow, list_orders

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


def show_orders(
    path: Path,
    console: Console,
    *,
    which: OrderFilter | None,
    account: str | None,
    since: str | None,
    limit: int,
    json: bool,
) -> None:
    """Print orders, the last taken in first. Raises Unknown for an account that nobody knows."""
    config = settings.load(path)
    placed_since = None if since is None else read_since(since, clock_from(config.clock.record).now())
    db = open_database(config)
    try:
        account_id = db.read_now(find_account, account)
        found: list[OrderRow] = []
        after: int | None = None
        while True:
            page = db.read_now(_page, after, min(limit - len(found), 500), which, account_id, placed_since)
            found += page[0]
            after = page[1]
            if after is None or len(found) >= limit:
                break
    finally:
        db.close()
    if json:
        as_json({"orders": found, "more": after is not None}, console)
        return
    _print(found, console)
    if after is not None:
        console.print(f"and more: {len(found)} are shown, see --limit")


def _page(
    connection: Connection,
    after: int | None,
    limit: int,
    which: OrderFilter | None,
    account_id: int | None,
    since: datetime | None,
) -> tuple[tuple[OrderRow, ...], int | None]:
    page = list_orders(connection, after, limit, which, account_id, since)
    return page.rows, page.after


def _print(orders: list[OrderRow], console: Console) -> None:
    if not orders:
        console.print("no such order", style="dim")
        return
    table = a_table("Orders", "id", "order", "account", "state", "placed", "lines", "note", right=("id",))
    for each in orders:
        lines = ", ".join(f"{line.quantity} x {line.code or '?'}" for line in each.lines)
        add(table, each.id, each.order, each.account, each.state, at(each.placed_at), lines, note(each))
    console.print(table)


def note(order: OrderRow) -> str:
    """What a person should know of an order at a glance."""
    said = []
    for reason in sorted({each.reason for line in order.lines for each in line.missing}):
        pieces = sum(each.pieces for line in order.lines for each in line.missing if each.reason == reason)
        said.append(f"{pieces} {reason}")
    if any(line.parked for line in order.lines):
        said.append("a line is parked")
    if order.in_review:
        said.append(f"in review: {order.in_review}")
    if order.test:
        said.append("test")
    return "; ".join(said)


def read_since(text: str, now: datetime) -> datetime:
    """An instant like 2026-11-22T08:00:00+01:00, or a time ago like 30m, 6h or 2d."""
    number, unit = text[:-1], text[-1:]
    if number.isdecimal() and unit in _UNITS and len(number) < 6:
        return now - timedelta(**{_UNITS[unit]: int(number)})
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise typer.BadParameter(
            f"{text!r} is no time: write 30m, 6h or 2d ago, or an instant with an offset like 2026-11-22T08:00:00+01:00"
        )
    return instant

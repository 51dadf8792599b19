"""`syncd status`: what the database says."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from syncd import config as settings
from syncd.bootstrap import open_database
from syncd.clock import clock_from
from syncd.insight.status import AccountStatus, age_s, read_status


def show_status(path: Path, console: Console, *, as_json: bool) -> None:
    config = settings.load(path)
    db = open_database(config)
    try:
        now = clock_from(config.clock.record).now()
        status = db.read_now(read_status, now)
    finally:
        db.close()
    if as_json:
        console.print_json(json.dumps(status.to_json()))
        return
    table = Table(title="Accounts", title_justify="left")
    for name in ("account", "state", "last poll"):
        table.add_column(name)
    for name in ("orders in", "due", "waiting", "oversold", "placed to shown p95"):
        table.add_column(name, justify="right")
    for account in status.accounts:
        polled = age_s(account.polled_to, now)
        table.add_row(
            account.key,
            account.state,
            "never" if polled is None else f"{polled:.0f} s ago",
            str(sum(account.orders_in.values())),
            str(account.backlog.due),
            str(sum(account.backlog.waiting.values())),
            str(account.totals.get("oversold_units", 0)),
            _shown_p95(account),
        )
    console.print(table)
    for alert in status.alerts:
        console.print(f"[yellow]![/] {escape(alert.message)}")
    if not status.alerts:
        console.print("no open alerts", style="dim")


def _shown_p95(account: AccountStatus) -> str:
    lag = account.lags.get("placed_to_shown")
    p95 = lag.quantile_s(0.95) if lag else None
    return "–" if p95 is None else f"{p95:.1f} s"

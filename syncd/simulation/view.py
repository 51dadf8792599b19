"""The demo on the terminal while it runs; it fits 80 columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from syncd.insight.status import AccountStatus, Status, WarehouseStatus
from syncd.simulation.lags import lag_table, lag_words
from syncd.simulation.summary import Tallies

_WAYS = ("webhook", "queue", "poll", "fetch")


def live_view(
    headline: str, address: str, status: Status, tallies: Tallies, unpaid: int, down: Collection[str]
) -> RenderableType:
    """What the operator sees while shoppers buy; `down` are the channels whose API answers nobody just now."""
    parts: list[RenderableType] = [
        _channels(status.accounts, tallies, down),
        Text(),
        _warehouses(status.warehouses),
        Text(),
        _foot(status, address, unpaid),
    ]
    return Panel(Group(*parts), title=headline, title_align="left", width=80, padding=(1, 1))


def _channels(accounts: Collection[AccountStatus], tallies: Tallies, down: Collection[str]) -> Table:
    table = lag_table("orders\nin", "to look\nat", "num-\nbers", "told to\nwait", "over-\nsold")
    for account in accounts:
        mine = {name: n for (scope, name), n in tallies.items() if scope == f"account:{account.key}"}
        oversold = mine.get("oversold_units", 0)
        shown = account.lags.get("placed_to_shown")
        table.add_row(
            _name(account, account.key in down),
            "",
            lag_words(shown.quantile_s(0.5), shown.quantile_s(0.95)) if shown else "–",
            str(sum(n for name, n in mine.items() if name.startswith("orders_in."))),
            str(account.backlog.due + sum(account.backlog.waiting.values())),
            str(mine.get("numbers_written", 0)),
            str(mine.get("throttled", 0)),
            Text(str(oversold), style="bold red" if oversold else "dim"),
        )
        for way in _WAYS:
            _add_way(table, way, account, mine)
    return table


def _name(account: AccountStatus, down: bool) -> Text:
    colour = "red" if down else "green" if account.state == "live" else "yellow"
    return Text.assemble(("● ", colour), account.key, (" down" if down else "", "red"))


def _add_way(table: Table, way: str, account: AccountStatus, mine: Mapping[str, int]) -> None:
    orders = mine.get(f"orders_in.{way}", 0)
    if orders:
        lag = account.lags.get(f"placed_to_book.{way}")
        words = lag_words(lag.quantile_s(0.5), lag.quantile_s(0.95)) if lag else "–"
        table.add_row(f"    {way}", words, "", str(orders), style="dim")


def _warehouses(warehouses: Collection[WarehouseStatus]) -> Table:
    table = Table(box=None, expand=True, pad_edge=False)
    table.add_column("warehouse")
    table.add_column("kind")
    for heading in ("on hand", "reserved", "short", "to ship", "reserved so far"):
        table.add_column(heading, justify="right")
    for each in warehouses:
        stock = each.stock
        pieces = ("–", "–", "–") if stock is None else (stock.on_hand, stock.reserved, stock.short)
        asked = str(sum(each.shipments.values())) if each.kind == "3pl" else "–"
        table.add_row(each.key, each.kind, *(str(n) for n in pieces), asked, str(each.units_reserved))
    return table


def _foot(status: Status, address: str, unpaid: int) -> Text:
    held = sum(account.held_units for account in status.accounts)
    return Text.assemble(
        (f"{address}/status", "underline"),
        ("  alerts ", "dim"),
        (str(status.open_alerts), "yellow" if status.open_alerts else "dim"),
        ("  unpaid ", "dim"),
        (str(unpaid), "dim"),
        ("  held ", "dim"),
        (str(held), "yellow" if held else "dim"),
    )

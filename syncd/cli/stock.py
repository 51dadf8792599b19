"""`syncd stock`: where a SKU's pieces are, what its listings show, and who wants them."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from sqlalchemy import Connection

from syncd.cli.reading import a_table, add, as_json, at, reading
from syncd.insight.listings import ListingRow, ShownNumber
from syncd.insight.orders import OrderRow
from syncd.insight.stock import SkuStock, find_sku
from syncd.insight.stock_detail import StockDetail, read_stock_detail


def show_stock(path: Path, code: str, console: Console, *, json: bool) -> None:
    """Print everything about a SKU. Raises Unknown."""
    with reading(path) as db:
        detail = db.read_now(_read, code)
    if json:
        as_json(detail, console)
        return
    _print_levels(detail.stock, console)
    _print_listings(detail, console)
    _print_orders(detail, console)


def _read(connection: Connection, code: str) -> StockDetail:
    return read_stock_detail(connection, find_sku(connection, code))


def _print_levels(stock: SkuStock, console: Console) -> None:
    console.print(f"[bold]{escape(stock.sku)}[/] {escape(stock.title)}".rstrip())
    numbers = ("on hand", "unavailable", "reserved", "available", "short")
    table = a_table("Levels", "warehouse", *numbers, "counted", right=numbers)
    for each in stock.levels:
        add(
            table,
            each.warehouse,
            each.on_hand,
            each.unavailable,
            each.reserved,
            each.available,
            each.short,
            at(each.as_of),
        )
    if len(stock.levels) != 1:
        short = sum(each.short for each in stock.levels)
        table.add_section()
        add(table, "all", stock.on_hand, stock.unavailable, stock.reserved, stock.available, short, "")
    console.print(table)
    less = [
        f"{pieces} {what}"
        for what, pieces in (
            ("kept as safety stock", stock.safety_stock),
            ("wanted by orders that found none", stock.shortage),
            ("held back: they left a channel's number without an order", stock.held),
        )
        if pieces
    ]
    for said in less:
        console.print(f"  less {said}", markup=False)


def _print_listings(detail: StockDetail, console: Console) -> None:
    if not detail.listings:
        console.print("no listing is made of it", style="dim")
        return
    numbers = ("units", "sellable", "shows", "asked for")
    table = a_table("Listings", "id", "account", "listing", *numbers, "waits for", right=numbers)
    for each in detail.listings:
        units = next(part.units for part in each.components if part.sku == detail.stock.sku)
        name = each.code or each.channel_sku
        add(table, each.id, each.account, name, units, each.sellable, shows(each.shown), asked(each.shown), waits(each))
    console.print(table)
    if detail.listings_in_all > len(detail.listings):
        console.print(f"and {detail.listings_in_all - len(detail.listings)} more listings")


def _print_orders(detail: StockDetail, console: Console) -> None:
    if not detail.orders:
        console.print("no open order wants it", style="dim")
        return
    numbers = ("reserved", "missing")
    table = a_table("Open orders", "order", "account", "placed", *numbers, "from", right=numbers)
    for each in detail.orders:
        reserved, missing, places = _of_sku(each, detail.stock.sku)
        add(table, each.order, each.account, at(each.placed_at), reserved, missing, ", ".join(places))
    console.print(table)
    if detail.more_orders:
        console.print(f"and more: the {len(detail.orders)} oldest are shown")


def _of_sku(order: OrderRow, sku: str) -> tuple[int, int, list[str]]:
    """Pieces of a SKU an order has reserved and misses, and the warehouses that hold them."""
    mine = [each for line in order.lines for each in line.reserved if each.sku == sku and each.stage != "shipped"]
    missing = sum(each.pieces for line in order.lines for each in line.missing if each.sku == sku)
    return sum(each.pieces for each in mine), missing, sorted({each.warehouse for each in mine})


def shows(number: ShownNumber) -> str:
    """What a listing shows as far as we can explain it."""
    if number.at_most is None:
        return "not read yet"
    if number.at_least is not None and number.at_least != number.at_most:
        return f"{number.at_least} to {number.at_most}"
    return str(number.at_most) if number.exact else f"about {number.at_most}"


def asked(number: ShownNumber) -> str:
    """What a listing was last set to, and what is on its way."""
    last = "–" if number.asked_for is None else str(number.asked_for)
    return last if number.on_its_way is None else f"{last}, now {number.on_its_way}"


def waits(listing: ListingRow) -> str:
    """Why a listing does not show its sellable quantity yet."""
    if listing.unwritable:
        return f"not ours to set: {listing.unwritable}"
    if not listing.dirty:
        return ""
    return listing.waits_for or "its turn"

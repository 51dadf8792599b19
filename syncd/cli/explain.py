"""`syncd explain`: why an order's units come from where they do, and why a listing shows its number."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from sqlalchemy import Connection

from syncd.cli.orders import note
from syncd.cli.reading import a_table, add, as_json, at, find_account, reading
from syncd.cli.stock import asked, shows, waits
from syncd.insight.explain_listing import ComponentTerm, ExplainedListing, explain_listing
from syncd.insight.explain_order import Allocation, ExplainedOrder, explain_order
from syncd.insight.listings import find_listing
from syncd.insight.orders import OrderRow, find_order


def show_order(path: Path, name: str, account: str | None, console: Console, *, json: bool) -> None:
    """Print an order's decisions with inputs and candidates. Raises Unknown and Ambiguous."""
    with reading(path) as db:
        told = db.read_now(_read_order, name, account)
    if json:
        as_json(told, console)
        return
    _print_order(told.order, console)
    if told.recipient_erased_at:
        console.print(f"its recipient was erased at {at(told.recipient_erased_at)}", style="dim")
    for made in told.allocations:
        _print_allocation(made, console)
    if not told.allocations:
        console.print("no warehouse was ever chosen for it: none of its lines maps to a SKU, or it wanted nothing")


def _read_order(connection: Connection, name: str, account: str | None) -> ExplainedOrder:
    return explain_order(connection, find_order(connection, name, find_account(connection, account)))


def _print_order(order: OrderRow, console: Console) -> None:
    head = f"[bold]{escape(order.order)}[/] of {escape(order.account)}: {order.state}, placed {at(order.placed_at)}"
    console.print(f"{head}, taken in {at(order.taken_in_at)} by {escape(order.way)}")
    if said := note(order):
        console.print(f"  {said}", style="yellow", markup=False)
    table = a_table("Lines", "line", "code", "wanted", "sent", "reserved", "missing", right=("wanted", "sent"))
    for line in order.lines:
        reserved = [f"{e.pieces} {e.sku} at {e.warehouse} ({e.stage})" for e in line.reserved]
        missing = [f"{e.pieces} {e.sku or 'of no SKU'} ({e.reason})" for e in line.missing]
        parked = [f"parked: {line.parked}"] if line.parked else []
        by_channel = ["the channel ships it"] if line.by_channel else []
        add(
            table,
            line.channel_line_id,
            line.code,
            line.quantity,
            line.shipped,
            "\n".join(reserved + by_channel),
            "\n".join(missing + parked),
        )
    console.print(table)


def _print_allocation(made: Allocation, console: Console) -> None:
    to = " ".join(part for part in (made.to_country, made.to_postcode_prefix) if part) or "an unknown place"
    console.print(
        f"decision {made.id} at {at(made.decided_at)} by {made.policy} (version {made.policy_version}), to {to}",
        markup=False,
    )
    for each in made.wanted:
        parts = ", ".join(f"{pieces} {sku}" for sku, pieces in each.pieces_a_unit.items())
        console.print(f"  wanted: line {each.channel_line_id}, {each.units} units of {parts}", markup=False)
    numbers = ("rank", "units", "km", "a parcel", "a unit")
    table = a_table("", "warehouse", *numbers, "free then", "why", right=numbers)
    for place in made.candidates:
        free = ", ".join(f"{pieces} {sku}" for sku, pieces in place.free.items()) or "none"
        costs = (_minor(place.per_parcel_minor), _minor(place.per_unit_minor))
        km = None if place.distance_km is None else f"{place.distance_km:.1f}"
        add(table, place.warehouse, place.rank, place.units, km, *costs, free, place.why)
    console.print(table)
    for line, units in made.short.items():
        console.print(f"  short: line {line}, {units} units that no warehouse has", style="yellow", markup=False)
    verdict = "decide the same again today" if made.derives_again else "would be decided otherwise by today's version"
    console.print(f"  the inputs kept {verdict}", style="dim")


def _minor(amount: int | None) -> str | None:
    """Minor units of the cost currency, as they are."""
    return None if amount is None else str(amount)


def show_listing(path: Path, name: str, console: Console, *, json: bool) -> None:
    """Print how a listing's number comes about. Raises Unknown and Ambiguous."""
    with reading(path) as db:
        told = db.read_now(_read_listing, name)
    if json:
        as_json(told, console)
        return
    row = told.listing
    console.print(
        f"[bold]{escape(row.code or row.channel_sku)}[/] {escape(row.title)} of {escape(row.account)}"
        f" ({told.account_state}), listing {row.id}: {escape(row.channel_sku)} at {escape(row.channel_location)}"
    )
    if told.sellable is None:
        console.print("it is made of no SKU: nothing is written until it is mapped", style="yellow")
    for term in told.components:
        _print_term(term, console)
    if told.sellable is not None:
        _print_sum(told, console)
    _print_shown(told, console)


def _read_listing(connection: Connection, name: str) -> ExplainedListing:
    return explain_listing(connection, find_listing(connection, name))


def _print_term(term: ComponentTerm, console: Console) -> None:
    table = a_table(f"{term.sku}: {term.each} a unit", "term", "pieces", "where from", right=("pieces",))
    levels = "; ".join(
        f"{each.warehouse} {each.available}:"
        f" {each.on_hand} less {each.unavailable} unavailable, {each.reserved} reserved"
        for each in term.levels
    )
    add(table, "available", term.available, levels or "no warehouse of the pool has it")
    add(table, "- safety stock", -term.safety_stock, "")
    wanting = ", ".join(f"{each.pieces} {each.order} of {each.account} ({each.reason})" for each in term.orders)
    add(table, "- wanted, not found", -term.shortage, wanting)
    held = ", ".join(f"{each.pieces} since {at(each.since)} at {each.account}, {each.kind}" for each in term.holds)
    add(table, "- held back", -term.held, held)
    table.add_section()
    add(table, "free", term.free, f"enough for {max(0, term.units)} units")
    console.print(table)


def _print_sum(told: ExplainedListing, console: Console) -> None:
    table = a_table("The number", "term", "units", "", right=("units",))
    places = ", ".join(f"{each.warehouse} {each.units}" for each in told.makeable)
    add(table, "makeable", told.makeable_units, places or "nowhere")
    add(table, "free", told.free_units, f"{told.tightest} allows the fewest" if len(told.components) > 1 else "")
    add(table, "the lesser of both", min(told.makeable_units, told.free_units), "")
    add(table, "- buffer", -told.buffer, f"of the {told.buffer_from}" if told.buffer else "")
    add(table, "cap", told.cap, f"of the {told.cap_from}" if told.cap_from else "none")
    table.add_section()
    add(table, "sellable", told.sellable, "never below 0")
    console.print(table)


def _print_shown(told: ExplainedListing, console: Console) -> None:
    number = told.listing.shown
    console.print(f"shows {shows(number)}, asked for {asked(number)}, last read {_read_as(told)}", markup=False)
    if told.last_write is not None:
        outcome = told.last_write.outcome
        when = at(told.last_write.decided_at)
        console.print(f"last written {when}: from {outcome.get('from')} to {outcome.get('to')}", markup=False)
    if told.parked_line:
        console.print("an order line of it is parked: it is not raised meanwhile", style="yellow")
    for found in told.held_by_audit:
        console.print(f"the audit found {escape(found)}: it is not raised meanwhile", style="yellow")
    if reason := waits(told.listing):
        console.print(f"waits for: {reason}, looked at again {at(told.listing.look_again_at)}", markup=False)


def _read_as(told: ExplainedListing) -> str:
    number = told.listing.shown
    return "never" if number.last_read_at is None else f"as {number.last_read} at {at(number.last_read_at)}"

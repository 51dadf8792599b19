"""Watch it work: `syncd demo`, with made-up shoppers or real orders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncd.cli.options import console

app = typer.Typer()


@app.command(
    epilog="Example: syncd demo --for 60s --seed 7 --summary out.json. "
    "Real orders: syncd demo --orders orders.csv --speed max; docs/replay.md tells more."
)
def demo(
    for_: Annotated[
        str | None,
        typer.Option("--for", help="How long shoppers buy, in real time: 60s, 5m, 1h. Default: until Ctrl-C."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same shoppers and faults.")] = 1,
    speed: Annotated[
        str | None,
        typer.Option(help="Seller's seconds a real second, 1 to 600; max with --orders. Default: 60.", metavar="SPEED"),
    ] = None,
    summary: Annotated[Path | None, typer.Option(help="Write the figures there as JSON.", metavar="FILE")] = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="Keep all files of the run there.")] = None,
    faults: Annotated[bool, typer.Option(help="Let the marketplaces fail now and then; not with --orders.")] = True,
    picture: Annotated[Path | None, typer.Option(help="Save the terminal's picture as SVG.", metavar="FILE")] = None,
    orders: Annotated[
        Path | None,
        typer.Option(help="Play these orders: an export of Shopify, Amazon or eBay, or any CSV.", metavar="FILE"),
    ] = None,
    told: Annotated[
        list[str] | None, typer.Option("--map", help="Which column is what; may be repeated.", metavar="FIELD=COLUMN")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many lines of --orders.", min=1)] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Only orders from this day on.", metavar="YYYY-MM-DD")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only orders before this day.", metavar="YYYY-MM-DD")] = None,
    zone: Annotated[str, typer.Option(help="The time zone of instants that name none.")] = "UTC",
    dates: Annotated[
        str | None,
        typer.Option(
            metavar="day-first|month-first", help="How 01/02/2011 is read. Default: as the file's other dates tell."
        ),
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="An empty PostgreSQL database. Default: a SQLite file.", metavar="URL")
    ] = None,
    kills: Annotated[int, typer.Option("--kill", help="Kill the daemon so often on the way (-9).", min=0)] = 0,
    faithful: Annotated[
        bool, typer.Option("--faithful", help="No shopper comes before every channel shows what the last one left.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report of --orders as JSON.")] = False,
) -> None:
    """Watch syncd work: local marketplaces, seeded shoppers or real orders, no accounts needed."""
    from syncd.cli.demo import DemoArguments
    from syncd.cli.demo import demo as run_demo

    arguments = DemoArguments(
        for_,
        seed,
        speed,
        summary,
        folder,
        faults,
        picture,
        orders,
        told or (),
        limit,
        from_,
        until,
        zone,
        dates,
        database,
        kills,
        faithful,
        as_json,
    )
    if not run_demo(arguments, console):
        raise typer.Exit(1)

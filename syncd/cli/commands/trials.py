"""Without a seller's accounts: `syncd simulate` and `syncd sandbox`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli.options import console

app = typer.Typer()


@app.command(
    epilog="Example: syncd simulate --days 1 --seed 7. With confidence intervals: syncd simulate --seeds 10. "
    "Your own accounts, warehouses, buffers and policies: syncd simulate --config syncd.toml --seeds 5 --json. "
    "Your own orders: syncd simulate --orders orders.csv, whose first lines could be "
    "placed_at,channel,order,sku,quantity and 2026-11-27T09:30:00-05:00,main-shop,1001,RED-CLOCK,1. "
    "docs/simulate.md tells how to read the figures."
)
def simulate(
    days: Annotated[
        float | None, typer.Option(help="How many days shoppers buy. Default: 1, or as long as --orders lasts.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same days, to the last event.")] = 1,
    seeds: Annotated[int, typer.Option(help="So many trials, with the seeds from --seed on.", min=1, max=1000)] = 1,
    config: Annotated[
        Path | None,
        typer.Option(help="Your syncd.toml: its accounts and warehouses, in sandboxes of their own.", metavar="FILE"),
    ] = None,
    orders: Annotated[
        Path | None,
        typer.Option(
            help="Place these orders. CSV: placed_at, channel, order, sku, quantity; country, postcode, city, unpaid, "
            "cancelled_at if you like.",
            metavar="FILE",
        ),
    ] = None,
    save_orders: Annotated[
        Path | None, typer.Option(help="Write what shoppers wanted as such a CSV.", metavar="FILE")
    ] = None,
    skus: Annotated[int | None, typer.Option(help="SKUs of a made-up seller. Default: 60.", min=8, max=5000)] = None,
    orders_per_day: Annotated[float | None, typer.Option(help="Purchases a day, on average. Default: 500.")] = None,
    faults: Annotated[bool, typer.Option(help="Let vendors fail, machines stop and power be cut.")] = True,
    jobs: Annotated[
        int | None, typer.Option(help="So many trials at a time. Default: as many as there are cores.", min=1)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
    trace: Annotated[Path | None, typer.Option(help="Write every event of the trial there.", metavar="FILE")] = None,
) -> None:
    """Run days of a seller in virtual time, with everything going wrong, and tell what it would have cost."""
    from syncd.cli.simulate import SimulateOptions
    from syncd.cli.simulate import simulate as run_simulation

    options = SimulateOptions(
        days, seed, seeds, config, orders, save_orders, skus, orders_per_day, faults, jobs, as_json, trace
    )
    code = run_simulation(options, console)
    if code:
        raise typer.Exit(code)


@app.command(
    epilog="Example: syncd sandbox --only amazon,ebay --port-base 9200 --speed 60. "
    "Another: syncd sandbox shops.json --clock clock.json. docs/sandbox.md tells what to send them."
)
def sandbox(
    stands: Annotated[
        Path | None,
        typer.Argument(
            help="The stands to open, the shops.json of `syncd demo --dir`. Default: a small made-up seller's.",
            metavar="FILE",
        ),
    ] = None,
    clock: Annotated[Path | None, typer.Option(help="The clock record to run by. Default: real time.")] = None,
    seed: Annotated[int, typer.Option(help="The made-up seller and the faults; not with FILE.")] = 1,
    only: Annotated[
        str | None,
        typer.Option(help="Only these of shopify, amazon, ebay and shipbob, separated by commas.", metavar="VENDORS"),
    ] = None,
    port_base: Annotated[int, typer.Option(help="The first port; not with FILE.", min=1024, max=65500)] = 9200,
    speed: Annotated[float, typer.Option(help="Seller's seconds a real second.", min=1.0, max=600.0)] = 1.0,
    faults: Annotated[bool, typer.Option(help="Let the vendors fail now and then; not with FILE.")] = True,
) -> None:
    """Run the vendors' sandboxes alone, each on its own port."""
    from syncd.cli.sandbox import SandboxOptions, run_sandboxes

    options = SandboxOptions(stands, clock, seed, only, port_base, speed, faults)
    asyncio.run(run_sandboxes(options, console))

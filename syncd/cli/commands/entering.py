"""Goods that came, went or broke, entered by hand: `syncd receive`, `adjust` and `transfer`."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, console

Key = Annotated[
    str | None, typer.Option(help="The entry's own name, like a delivery note's number: the same key is booked once.")
]
Damaged = Annotated[bool, typer.Option("--damaged", help="They are damaged pieces, which cannot be sold.")]
NEGATIVE = {"ignore_unknown_options": True}  # -2 is a number

app = typer.Typer()


@app.command(
    epilog="Example: syncd receive RED-CLOCK 40 --in hamburg --key DN-7781 -c syncd.toml; "
    "syncd receive RED-CLOCK 1 --in hamburg --returned --damaged --key RMA-12",
    context_settings=NEGATIVE,
)
def receive(
    sku: Annotated[str, typer.Argument(help="The SKU, or one of its aliases.")],
    pieces: Annotated[int, typer.Argument(help="How many pieces came.")],
    warehouse: Annotated[str, typer.Option("--in", help="The warehouse's key.")],
    config: ConfigFile = DEFAULT_CONFIG,
    returned: Annotated[bool, typer.Option("--returned", help="A buyer sent them back.")] = False,
    damaged: Damaged = False,
    reason: Annotated[str, typer.Option(help="Where they came from, for whoever reads the book later.")] = "received",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Book pieces that arrived in a warehouse, from a supplier or back from a buyer."""
    from syncd.cli.entries import Wanted, enter
    from syncd.stock.entries import EntryKind

    kind = EntryKind.RETURN if returned else EntryKind.RECEIPT
    enter(config, Wanted(kind, sku, pieces, warehouse, reason, key, damaged=damaged), console, as_json=as_json)


@app.command(
    epilog='Example: syncd adjust RED-CLOCK -2 --in hamburg --reason "fell off the shelf" -c syncd.toml; '
    'two got wet: syncd adjust RED-CLOCK 2 --broke --in hamburg --reason "wet"; '
    'both are thrown away: syncd adjust RED-CLOCK -2 --damaged --in hamburg --reason "wet"',
    context_settings=NEGATIVE,
)
def adjust(
    sku: Annotated[str, typer.Argument(help="The SKU, or one of its aliases.")],
    pieces: Annotated[int, typer.Argument(help="How many were found; less than 0: lost.")],
    warehouse: Annotated[str, typer.Option("--in", help="The warehouse's key.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever reads the book later.")],
    config: ConfigFile = DEFAULT_CONFIG,
    broke: Annotated[
        bool, typer.Option("--broke", help="They still stand there and cannot be sold; less than 0: mended.")
    ] = False,
    damaged: Damaged = False,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Book pieces that were lost, found, broken or mended. It is true whatever is promised to orders."""
    from syncd.cli.entries import Wanted, enter
    from syncd.stock.entries import EntryKind

    kind = EntryKind.DAMAGE if broke else EntryKind.ADJUSTMENT
    enter(config, Wanted(kind, sku, pieces, warehouse, reason, key, damaged=damaged), console, as_json=as_json)


@app.command(
    epilog="Example: syncd transfer RED-CLOCK 12 --from hamburg --to berlin -c syncd.toml",
    context_settings=NEGATIVE,
)
def transfer(
    sku: Annotated[str, typer.Argument(help="The SKU, or one of its aliases.")],
    pieces: Annotated[int, typer.Argument(help="How many pieces.")],
    source: Annotated[str, typer.Option("--from", help="The key of the warehouse they leave.")],
    target: Annotated[str, typer.Option("--to", help="The key of the warehouse they go to.")],
    config: ConfigFile = DEFAULT_CONFIG,
    reason: Annotated[str, typer.Option(help="Why, for whoever reads the book later.")] = "transferred",
    damaged: Damaged = False,
    moved: Annotated[
        bool, typer.Option("--moved", help="They have been carried over already, promised to orders or not.")
    ] = False,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Book pieces out of one warehouse and into another, at once. What is promised to orders stays."""
    from syncd.cli.entries import Wanted, enter
    from syncd.stock.entries import EntryKind

    enter(
        config,
        Wanted(EntryKind.TRANSFER, sku, pieces, source, reason, key, target, damaged=damaged, is_done=moved),
        console,
        as_json=as_json,
    )

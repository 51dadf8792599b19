"""Every command of `syncd`; what it does lies in the module it imports when it is called."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from syncd import __version__
from syncd.insight.order_filter import OrderFilter

app = typer.Typer(
    name="syncd",
    help="Keep one seller's stock true across marketplaces.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
imports = typer.Typer(name="import", help="Take in items, stock counts and listings.", no_args_is_help=True)
app.add_typer(imports)
alerts = typer.Typer(name="alert", help="See what is wrong, close it, test the ways to be told.", no_args_is_help=True)
app.add_typer(alerts)
explain = typer.Typer(name="explain", help="Say why a number or a choice came about.", no_args_is_help=True)
app.add_typer(explain)
erase = typer.Typer(name="erase", help="Erase what is known of buyers.", no_args_is_help=True)
app.add_typer(erase)
audits = typer.Typer(name="audit", help="Prove that the book is right, and see what is held back until it is.")
app.add_typer(audits)

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file.", envvar="SYNCD_CONFIG", metavar="FILE")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
DEFAULT_CONFIG = Path("/etc/syncd/syncd.toml")
console = Console()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"syncd {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Keep one seller's stock true across marketplaces."""
    # A command prints what it found; of the log only what needs a look. `run` sets the log up as configured.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


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


@app.command(
    epilog="Example: syncd init -c syncd.toml --warehouse main,country=US,postcode=10001 "
    "--account shopify,shop=my-shop,client_id=CLIENT_ID,location=123. "
    "Others: --account amazon,seller_id=A1,marketplaces=ATVPDKIKX0DER+A2EUQ1WTGCTBG2,client_id=...; "
    "--account ebay,client_id=...,marketplace=EBAY_US; --warehouse bob,country=US,shipbob_channel=123. "
    "Without flags it asks."
)
def init(
    config: ConfigFile = DEFAULT_CONFIG,
    warehouse: Annotated[
        list[str] | None,
        typer.Option(help="KEY,country=..; postcode, kind, name, time_zone. Repeat it.", metavar="SPEC"),
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option(help="CHANNEL,name=value,..; key, warehouses, buffer. Repeat it.", metavar="SPEC"),
    ] = None,
    database: Annotated[str | None, typer.Option(help="Its URL. Default: a SQLite file.", metavar="URL")] = None,
    password_secret: Annotated[
        str | None, typer.Option(help="The name of the secret with the database's password.", metavar="NAME")
    ] = None,
    public_url: Annotated[str | None, typer.Option(help="Where vendors reach us, over https.", metavar="URL")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a configuration; the old one is kept.")] = False,
) -> None:
    """Write a first configuration, create the database, and say what comes next."""
    from syncd.cli.init import InitOptions
    from syncd.cli.init import init as begin

    begin(InitOptions(config, warehouse or (), account or (), database, password_secret, public_url, force), console)


@app.command(epilog="Example: syncd run -c /etc/syncd/syncd.toml")
def run(
    config: ConfigFile = DEFAULT_CONFIG,
    standby: Annotated[
        bool, typer.Option("--standby", help="Wait while another syncd runs on the database, then take over.")
    ] = False,
) -> None:
    """Run the daemon."""
    from syncd import config as settings
    from syncd.bootstrap import open_world
    from syncd.daemon_service import Service
    from syncd.last_resort import end_surely
    from syncd.logging import configure

    loaded = settings.load(config, with_secrets=True)
    configure(loaded.log.level, loaded.log.format)
    world = open_world(loaded)
    try:
        asyncio.run(Service(config, world, world.db).run(standby=standby))
    finally:
        surely = end_surely(code=1)  # a transaction that hangs would keep a process that does nothing any more
        world.db.close()
        surely.cancel()


@app.command(epilog="Example: syncd reload -c /etc/syncd/syncd.toml. Under systemd: systemctl reload syncd")
def reload(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Have the running daemon take its configuration anew: all of it, or nothing with all that is wrong in it."""
    from syncd.cli import EXIT_CONFIG
    from syncd.cli.reload import reload as ask

    if not ask(config, console):
        raise typer.Exit(EXIT_CONFIG)


@app.command(epilog="Example: syncd check -c syncd.toml --offline")
def check(
    config: ConfigFile = DEFAULT_CONFIG,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the channels who we are.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check the configuration, the database, every account and warehouse, and say what to do about what is wrong."""
    from syncd.cli.check import check_all

    if not asyncio.run(check_all(config, console, offline=offline, json=as_json)):
        raise typer.Exit(1)


@app.command(epilog="Example: syncd migrate -c syncd.toml")
def migrate(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Create the database, or bring its schema to this version."""
    from syncd import config as settings
    from syncd.db.migrate import migrate as apply

    before, after = apply(settings.load(config).database.url_with_password())
    if before == after:
        console.print(f"the database is at {after} already")
    else:
        console.print(f"the database went from {before or 'nothing'} to {after}")


@audits.callback(
    invoke_without_command=True, epilog="Example: syncd audit -c syncd.toml --json; syncd audit release RED-CLOCK"
)
def audit(
    context: typer.Context,
    config: ConfigFile = DEFAULT_CONFIG,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run that was stopped has come to.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Prove that the book is right: levels fold from movements, reservations match open demand."""
    if context.invoked_subcommand is not None:
        return
    from syncd.cli.audit import show_audit

    if not show_audit(config, console, as_json=as_json, resume=resume):
        raise typer.Exit(1)


@audits.command("held", epilog="Example: syncd audit held -c syncd.toml")
def audit_held(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show what the audit found and is still so, and which SKUs are not raised for it."""
    from syncd.cli.audit import show_held

    show_held(config, console, as_json=as_json)


@audits.command("release", epilog="Example: syncd audit release RED-CLOCK -c syncd.toml")
def audit_release(
    sku: Annotated[str, typer.Argument(help="The SKU, or one of its aliases.")], config: ConfigFile = DEFAULT_CONFIG
) -> None:
    """Let the listings of a SKU be raised again in spite of what the audit found; who said so is noted."""
    from syncd.cli.audit import release

    if not release(config, sku, console):
        raise typer.Exit(1)


@app.command(epilog="Example: syncd status -c syncd.toml")
def status(
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show how every account is doing, from the database."""
    from syncd.cli.reports import show_status

    show_status(config, console, as_json=as_json)


@app.command(epilog="Example: syncd stock RED-CLOCK -c syncd.toml")
def stock(
    sku: Annotated[str, typer.Argument(help="The SKU, or one of its aliases.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show a SKU: its levels in each warehouse, what each listing shows, and the open orders that want it."""
    from syncd.cli.stock import show_stock

    show_stock(config, sku, console, json=as_json)


@app.command(epilog="Example: syncd orders --state open --account shop --since 2d -c syncd.toml")
def orders(
    config: ConfigFile = DEFAULT_CONFIG,
    state: Annotated[
        OrderFilter | None, typer.Option(help="Only these; short and in_review are open ones to look at.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Only of this account, by its key.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only placed since: 30m, 6h or 2d ago, or an instant with an offset.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=100_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List orders, the last taken in first."""
    from syncd.cli.orders import show_orders

    show_orders(config, console, which=state, account=account, since=since, limit=limit, json=as_json)


@explain.command("order", epilog="Example: syncd explain order '#1042' -c syncd.toml")
def explain_order(
    order: Annotated[str, typer.Argument(help="The order's name or id at the channel, or its number here.")],
    config: ConfigFile = DEFAULT_CONFIG,
    account: Annotated[str | None, typer.Option(help="The account's key, when several have such an order.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say which warehouse an order's units come from, from which inputs, and why the others were turned down."""
    from syncd.cli.explain import show_order

    show_order(config, order, account, console, json=as_json)


@explain.command("listing", epilog="Example: syncd explain listing shop:RED-CLOCK -c syncd.toml")
def explain_listing(
    listing: Annotated[str, typer.Argument(help="The listing's number here, or ACCOUNT:SKU.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say how a listing's number comes about: every term, buffer, hold and cap, and what it waits for."""
    from syncd.cli.explain import show_listing

    show_listing(config, listing, console, json=as_json)


@app.command("go-live", epilog="Example: syncd go-live shop -c syncd.toml")
def go_live(
    account: Annotated[str, typer.Argument(help="The account's key.")],
    config: ConfigFile = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    leave_unmapped: Annotated[
        bool, typer.Option("--leave-unmapped", help="Go live although some listings have no SKU; those stay untouched.")
    ] = False,
    listed: Annotated[
        Path | None,
        typer.Option(
            "--list",
            help="Write every number that would change there. Default: go-live-ACCOUNT.csv if many.",
            metavar="CSV",
        ),
    ] = None,
) -> None:
    """Let an account write its numbers, after showing every one that would change."""
    from syncd.cli.go_live import ask_and_go_live

    going = ask_and_go_live(config, account, console, yes=yes, leave_unmapped=leave_unmapped, listed=listed)
    if not asyncio.run(going):
        raise typer.Exit(1)


@app.command(epilog="Example: syncd pause shop -c syncd.toml")
def pause(
    account: Annotated[str, typer.Argument(help="The account's key.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Stop everything that goes out for an account, at once and without a restart; its orders still come in."""
    from syncd.cli.pause import pause as stop

    stop(config, account, console)


@app.command(epilog="Example: syncd resume shop -c syncd.toml")
def resume(
    account: Annotated[str, typer.Argument(help="The account's key.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Let a paused account go on as what it was: live, or observing."""
    from syncd.cli.pause import resume as go_on

    go_on(config, account, console)


@app.command(epilog="Example: syncd ship '#1042' -c syncd.toml")
def ship(
    order: Annotated[str, typer.Argument(help="The order's name as the channel shows it, or its channel id.")],
    config: ConfigFile = DEFAULT_CONFIG,
    account: Annotated[str | None, typer.Option(help="The account's key, when several have such an order.")] = None,
) -> None:
    """Book an order's units as shipped from our own warehouses."""
    from syncd.cli.ship import ship_and_tell

    ship_and_tell(config, order, account, console)


Key = Annotated[
    str | None, typer.Option(help="The entry's own name, like a delivery note's number: the same key is booked once.")
]
Damaged = Annotated[bool, typer.Option("--damaged", help="The pieces cannot be sold.")]


@app.command(epilog="Example: syncd receive RED-CLOCK 40 --in hamburg --key DN-7781 -c syncd.toml")
def receive(
    sku: Annotated[str, typer.Argument(help="The SKU, or one of its aliases.")],
    pieces: Annotated[int, typer.Argument(help="How many pieces came.")],
    warehouse: Annotated[str, typer.Option("--in", help="The warehouse's key.")],
    config: ConfigFile = DEFAULT_CONFIG,
    returned: Annotated[bool, typer.Option("--returned", help="A buyer sent them back.")] = False,
    damaged: Damaged = False,
    reason: Annotated[str, typer.Option(help="Where they came from, for whoever reads the book later.")] = "received",
    key: Key = None,
) -> None:
    """Book pieces that arrived in a warehouse, from a supplier or back from a buyer."""
    from syncd.cli.entries import Wanted, enter
    from syncd.stock.entries import EntryKind

    kind = EntryKind.RETURN if returned else EntryKind.RECEIPT
    enter(config, Wanted(kind, sku, pieces, warehouse, reason, key, damaged=damaged), console)


@app.command(
    epilog='Example: syncd adjust RED-CLOCK -2 --in hamburg --reason "fell off the shelf" -c syncd.toml',
    context_settings={"ignore_unknown_options": True},  # -2 is a number
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
) -> None:
    """Book pieces that were lost, found, broken or mended. It is true whatever is promised to orders."""
    from syncd.cli.entries import Wanted, enter
    from syncd.stock.entries import EntryKind

    kind = EntryKind.DAMAGE if broke else EntryKind.ADJUSTMENT
    enter(config, Wanted(kind, sku, pieces, warehouse, reason, key, damaged=damaged), console)


@app.command(epilog="Example: syncd transfer RED-CLOCK 12 --from hamburg --to berlin -c syncd.toml")
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
) -> None:
    """Book pieces out of one warehouse and into another, at once. What is promised to orders stays."""
    from syncd.cli.entries import Wanted, enter
    from syncd.stock.entries import EntryKind

    enter(
        config,
        Wanted(EntryKind.TRANSFER, sku, pieces, source, reason, key, target, damaged=damaged, is_done=moved),
        console,
    )


@erase.command("order", epilog="Example: syncd erase order '#1042' --account shop -c syncd.toml")
def erase_order(
    order: Annotated[str, typer.Argument(help="The order's name or id at the channel, or its number here.")],
    config: ConfigFile = DEFAULT_CONFIG,
    account: Annotated[str | None, typer.Option(help="The account's key, when several have such an order.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only show what would be erased.")] = False,
) -> None:
    """Erase an order's buyer, the recipient and the bodies of its events, after showing what there is."""
    from syncd.cli.erase import erase_order as forget

    if not forget(config, order, account, console, yes=yes, dry=dry):
        raise typer.Exit(1)


@imports.command("items", epilog="Example: syncd import items items.csv -c syncd.toml")
def import_items(
    file: Annotated[Path, typer.Argument(help="CSV: sku, title, gtin, safety_stock, alias, component, units.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Take in SKUs, their other names, and what kits and packs are made of."""
    from syncd.cli.imports import items

    if not items(config, file, console):
        raise typer.Exit(1)


@imports.command("stock", epilog="Example: syncd import stock count.csv -c syncd.toml")
def import_stock(
    file: Annotated[Path, typer.Argument(help="CSV: sku, warehouse, on_hand, unavailable, as_of.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_of: Annotated[str | None, typer.Option(help="When it was counted, for rows that do not say: ISO 8601.")] = None,
) -> None:
    """Take in what was counted in the warehouses."""
    from syncd.cli.imports import stock

    if not stock(config, file, as_of, console):
        raise typer.Exit(1)


@imports.command("listings", epilog="Example: syncd import listings --from shop -c syncd.toml")
def import_listings(
    account: Annotated[str, typer.Option("--from", help="The account's key.")],
    config: ConfigFile = DEFAULT_CONFIG,
    unmapped: Annotated[
        Path | None, typer.Option(help="Where to write what found no SKU. Default: unmapped-ACCOUNT.csv.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option("--map", help="Such a file with its sku column filled in.")] = None,
) -> None:
    """Read an account's listings and map them to SKUs by code, or else by GTIN."""
    from syncd.cli.imports import listings

    asyncio.run(listings(config, account, unmapped, mapping, console))


@alerts.command("list", epilog="Example: syncd alert list -c syncd.toml --severity critical --all")
def alert_list(
    config: ConfigFile = DEFAULT_CONFIG,
    kind: Annotated[str | None, typer.Option(help="Only alerts of this kind, such as oversold.")] = None,
    severity: Annotated[str | None, typer.Option(help="Only what is at least so bad: info, warning, critical.")] = None,
    limit: Annotated[int, typer.Option(help="So many, the newest first.", min=1, max=10_000)] = 200,
    everything: Annotated[bool, typer.Option("--all", help="All of them, however many.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List what is wrong at the moment."""
    from syncd.cli.alert import Wanted, list_alerts

    list_alerts(config, console, Wanted(kind, severity, None if everything else limit), as_json=as_json)


@alerts.command("close", epilog="Example: syncd alert close parked_event:4711 --yes -c syncd.toml")
def alert_close(
    key: Annotated[str, typer.Argument(help="The alert's key, as `syncd alert list` shows it.")],
    config: ConfigFile = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Close an alert by hand; it says first whether its cause still stands, and when it would open again."""
    from syncd.cli.close_alert import close_alert

    if not close_alert(config, key, console, yes=yes):
        raise typer.Exit(1)


@alerts.command("test", epilog="Example: syncd alert test ops-chat -c syncd.toml")
def alert_test(
    route: Annotated[str | None, typer.Argument(help="The route's or webhook's name. Default: all of them.")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Send a real test message on each route and webhook, and say what came back."""
    from syncd.cli.alert import try_routes

    if not asyncio.run(try_routes(config, route, console)):
        raise typer.Exit(1)


@alerts.command("stopped", epilog="Example: syncd alert stopped syncd.service -c syncd.toml")
def alert_stopped(
    unit: Annotated[str, typer.Argument(help="The service manager's unit that has failed.")] = "syncd.service",
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Tell people that the service is not started any more; the unit syncd-failed@ does it."""
    from syncd.cli.alert_stopped import tell_stopped

    if not asyncio.run(tell_stopped(config, unit, console)):
        raise typer.Exit(1)

"""From a first configuration to a daemon that runs: `syncd init`, `run`, `reload`, `check` and `migrate`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from syncd.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, console

app = typer.Typer()


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
    from syncd.cli.migrate import migrate as bring_up_to_date

    bring_up_to_date(config, console)

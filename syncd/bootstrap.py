"""The one place that names concrete classes: from a configuration to the parts that run."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.contract import Channel, Clock, Rng
from adapters.shopify import ShopifyChannel, ShopifySettings, shopify_traits
from allocation import Policy
from syncd import config as settings
from syncd import secrets
from syncd.accounts.store import AccountSetup, Identities, WarehouseSetup, read_identities, sync_parties
from syncd.chance import SystemRng
from syncd.clock import ScaledClock, clock_from
from syncd.db.database import Database
from syncd.db.migrate import database_missing, require_current
from syncd.errors import SyncdError
from syncd.orders.book import AccountView, PoolWarehouse, Rate


class DatabaseMissing(SyncdError):
    """The database file does not exist."""


class NotYetKnown(SyncdError):
    """The configuration names what the daemon has not taken over yet."""

    def __init__(self, keys: list[str]) -> None:
        super().__init__(f"the database does not know {', '.join(keys)} yet: start `syncd run` with this configuration")


@dataclass(frozen=True, slots=True)
class World:
    """A configuration brought to life: its database, its clock, and what accounts look like to the book."""

    config: settings.Config
    db: Database
    clock: ScaledClock
    ids: Identities
    views: dict[int, AccountView]

    def account_id(self, key: str) -> int:
        """Raises UnknownAccount, naming those there are."""
        if key not in {each.key for each in self.config.accounts}:
            raise UnknownAccount(key, [each.key for each in self.config.accounts])
        return self.ids.accounts[key]


class UnknownAccount(SyncdError):
    """The configuration has no account of that key."""

    def __init__(self, key: str, known: list[str]) -> None:
        super().__init__(f"no account has the key {key!r}: the configuration names {', '.join(known) or 'none'}")


def open_database(config: settings.Config) -> Database:
    """The configuration's database, at the right schema. Raises DatabaseMissing and SchemaError, saying what to do."""
    url = config.database.url_with_password()
    missing = database_missing(url)
    if missing is not None:
        raise DatabaseMissing(f"the database file {missing} does not exist: run `syncd migrate -c FILE` first")
    db = Database(url)
    try:
        require_current(db.writer)
    except SyncdError:
        db.close()
        raise
    return db


def open_world(config: settings.Config) -> World:
    """Open the database and bring the configuration's accounts and warehouses into it."""
    db = open_database(config)
    clock = clock_from(config.clock.record)
    ids = db.transact_now(sync_parties, account_setups(config), warehouse_setups(config), clock.now())
    return World(config, db, clock, ids, account_views(config, ids))


def visit_world(config: settings.Config) -> World:
    """The same beside a running daemon, whose view of accounts and pools stays as it is. Raises NotYetKnown."""
    db = open_database(config)
    ids = db.read_now(read_identities)
    unknown = [each.key for each in config.accounts if each.key not in ids.accounts]
    unknown += [each.key for each in config.warehouses if each.key not in ids.warehouses]
    if unknown:
        db.close()
        raise NotYetKnown(unknown)
    return World(config, db, clock_from(config.clock.record), ids, account_views(config, ids))


def account_setups(config: settings.Config) -> tuple[AccountSetup, ...]:
    return tuple(
        AccountSetup(
            key=each.key,
            channel=each.channel.value,
            policy=each.policy.value,
            buffer=each.buffer,
            cap=each.cap,
            pool=each.warehouses,
        )
        for each in config.accounts
    )


def warehouse_setups(config: settings.Config) -> tuple[WarehouseSetup, ...]:
    return tuple(
        WarehouseSetup(each.key, each.label, each.kind.value, each.country, each.postcode or "", each.time_zone)
        for each in config.warehouses
    )


def account_views(config: settings.Config, ids: Identities) -> dict[int, AccountView]:
    """Each account as applying its orders must know it. `live` is read from the database when it matters."""
    warehouses = {each.key: each for each in config.warehouses}
    views = {}
    for account in config.accounts:
        pool = tuple(
            PoolWarehouse(
                warehouse_id=ids.warehouses[key],
                key=key,
                rank=rank,
                own=warehouses[key].kind is settings.WarehouseKind.OWN,
                country=warehouses[key].country,
                postcode=warehouses[key].postcode or "",
                rates=tuple(Rate(r.zone, r.per_parcel_minor, r.per_unit_minor) for r in warehouses[key].rates),
            )
            for rank, key in enumerate(account.warehouses)
        )
        account_id = ids.accounts[account.key]
        traits = shopify_traits(account.shopify.poll_every_s)
        views[account_id] = AccountView(
            account_id=account_id,
            key=account.key,
            live=False,
            policy=Policy(account.policy.value),
            granularity_s=traits.instant_granularity_s,
            staleness_s=traits.staleness_s,
            index_lag_s=traits.index_lag_s,
            pool=pool,
        )
    return views


def open_channel(account: settings.Account, clock: Clock, rng: Rng) -> Channel:
    """The account's adapter, with its secrets resolved. Raises SecretMissing."""
    shop = account.shopify
    previous = secrets.resolve(shop.previous_client_secret).get_secret_value() if shop.previous_client_secret else None
    return ShopifyChannel(
        ShopifySettings(
            base_url=shop.base_url,
            client_id=shop.client_id,
            client_secret=secrets.resolve(shop.client_secret).get_secret_value(),
            previous_client_secret=previous,
            location=shop.location,
            api_version=shop.api_version,
            poll_every_s=shop.poll_every_s,
        ),
        clock,
        rng,
    )


def open_channels(world: World, rng: Rng | None = None) -> dict[str, Channel]:
    """Every account's adapter by account key."""
    return {each.key: open_channel(each, world.clock, rng or SystemRng()) for each in world.config.accounts}

"""The one place that names concrete classes: from a configuration to the parts that run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.contract import Channel, ChannelTraits, Clock, Rng
from adapters.warehouse import Fulfiller, StockSource
from allocation import Policy
from syncd import config as settings
from syncd import secrets
from syncd.accounts.store import AccountSetup, Identities, WarehouseSetup, read_identities, sync_parties
from syncd.alerts.opening import topics_of
from syncd.chance import SystemRng
from syncd.clock import ScaledClock, clock_from
from syncd.db.database import Database
from syncd.db.migrate import database_missing, require_current
from syncd.errors import SyncdError
from syncd.orders.book import AccountView, PoolWarehouse, Rate

if TYPE_CHECKING:
    from adapters.amazon import AmazonSettings, QueueSettings


class DatabaseMissing(SyncdError):
    """The database file does not exist."""


class NotYetKnown(SyncdError):
    """The configuration names what the daemon has not taken over yet."""

    def __init__(self, keys: list[str]) -> None:
        super().__init__(f"the database does not know {', '.join(keys)} yet: start `syncd run` with this configuration")


class SettingsRefused(SyncdError):
    """What the configuration and its secrets say cannot be used to speak to a vendor."""

    def __init__(self, owner: str, problem: str) -> None:
        super().__init__(f"{owner}: {problem}")


@contextmanager
def _settings_of(owner: str) -> Iterator[None]:
    """A secret is looked at only when its adapter is made: what is wrong with one is told as its owner's."""
    try:
        yield
    except ValueError as err:
        raise SettingsRefused(owner, str(err)) from None  # the cause may quote the secret


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
    db = Database(url, topics=topics_of(config))
    try:
        require_current(db.writer)
    except SyncdError:
        db.close()
        raise
    return db


def open_world(config: settings.Config) -> World:
    """Open the database and bring the configuration's accounts and warehouses into it."""
    return furnish_world(config, open_database(config), clock_from(config.clock.record))


def furnish_world(config: settings.Config, db: Database, clock: ScaledClock) -> World:
    """Bring the configuration's accounts and warehouses into a database that is open already."""
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
        traits = traits_of(account)
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


def traits_of(account: settings.Account) -> ChannelTraits:
    """What the publishing protocol must know of the account's channel."""
    if account.amazon is not None:
        from adapters.amazon.traits import amazon_traits

        return amazon_traits(account.amazon.poll_every_s)
    if account.ebay is not None:
        from adapters.ebay.traits import ebay_traits

        return ebay_traits(account.ebay.poll_every_s)
    from adapters.shopify.traits import shopify_traits

    assert account.shopify is not None, "an account has the table of its channel"
    return shopify_traits(account.shopify.poll_every_s)


def open_channel(account: settings.Account, clock: Clock, rng: Rng) -> Channel:
    """The account's adapter, with its secrets resolved. Raises SecretMissing and SettingsRefused.

    A vendor's code is loaded only where an account needs it: some of it is large.
    """
    with _settings_of(f"account {account.key}"):
        return _open_channel(account, clock, rng)


def _open_channel(account: settings.Account, clock: Clock, rng: Rng) -> Channel:
    if account.amazon is not None:
        from adapters.amazon import AmazonChannel

        return AmazonChannel(_amazon(account.amazon), clock, rng)
    if account.ebay is not None:
        return _open_ebay(account.ebay, clock, rng)
    assert account.shopify is not None, "an account has the table of its channel"
    return _open_shopify(account.shopify, clock, rng)


def _open_shopify(shop: settings.Shopify, clock: Clock, rng: Rng) -> Channel:
    from adapters.shopify import ShopifyChannel, ShopifySettings

    return ShopifyChannel(
        ShopifySettings(
            base_url=shop.base_url,
            client_id=shop.client_id,
            client_secret=_secret(shop.client_secret),
            previous_client_secret=_secret(shop.previous_client_secret) if shop.previous_client_secret else None,
            location=shop.location,
            api_version=shop.api_version,
            poll_every_s=shop.poll_every_s,
        ),
        clock,
        rng,
    )


def _amazon(seller: settings.Amazon) -> AmazonSettings:
    from adapters.amazon import AmazonSettings

    queue = seller.queue
    return AmazonSettings(
        base_url=seller.host,
        token_url=seller.token_url,
        seller_id=seller.seller_id,
        marketplace_ids=seller.marketplace_ids,
        client_id=seller.client_id,
        client_secret=_secret(seller.client_secret),
        refresh_token=_secret(seller.refresh_token_secret),
        queue=None if queue is None else _amazon_queue(queue),
        poll_every_s=seller.poll_every_s,
    )


def _amazon_queue(queue: settings.AmazonQueue) -> QueueSettings:
    from adapters.amazon import QueueSettings

    return QueueSettings(
        url=queue.url,
        region=queue.region,
        endpoint_url=queue.endpoint_url,
        access_key_id=queue.access_key_id,
        secret_access_key=_secret(queue.secret_access_key_secret),
    )


def _open_ebay(seller: settings.Ebay, clock: Clock, rng: Rng) -> Channel:
    from adapters.ebay import EbayChannel, EbaySettings

    token = seller.verification_token_secret
    return EbayChannel(
        EbaySettings(
            base_url=seller.base_url,
            client_id=seller.client_id,
            client_secret=_secret(seller.client_secret),
            refresh_token=_secret(seller.refresh_token_secret),
            marketplace_id=seller.marketplace_id,
            verification_token=_secret(token) if token else None,
            poll_every_s=seller.poll_every_s,
        ),
        clock,
        rng,
    )


def _secret(name: str) -> str:
    return secrets.resolve(name).get_secret_value()


def api_token(config: settings.Config) -> str | None:
    """What opens the reading API to others than this machine. Raises SecretMissing."""
    name = config.http.api_token_secret
    return None if name is None else _secret(name)


def open_channels(world: World, rng: Rng | None = None) -> dict[str, Channel]:
    """Every account's adapter by account key."""
    return {each.key: open_channel(each, world.clock, rng or SystemRng()) for each in world.config.accounts}


@dataclass(frozen=True, slots=True)
class OutsideWarehouses:
    """Warehouses with an API, by key: those that ship for us, and those whose levels alone can be read."""

    fulfillers: dict[str, Fulfiller]
    sources: dict[str, StockSource]


def open_warehouses(world: World, rng: Rng | None = None) -> OutsideWarehouses:
    """Every outside warehouse's adapter, with its secrets resolved. Raises SecretMissing."""
    chance = rng or SystemRng()
    found = OutsideWarehouses({}, {})
    for warehouse in world.config.warehouses:
        if warehouse.shipbob is not None:
            with _settings_of(f"warehouse {warehouse.key}"):
                found.fulfillers[warehouse.key] = _open_shipbob(warehouse.shipbob, world.clock, chance)
        elif (source := open_stock_source(world.config, warehouse, world.clock, chance)) is not None:
            found.sources[warehouse.key] = source
    return found


def open_stock_source(
    config: settings.Config, warehouse: settings.Warehouse, clock: Clock, rng: Rng
) -> StockSource | None:
    """What tells a warehouse's levels; None for one without an API. Raises SecretMissing and SettingsRefused."""
    if warehouse.shipbob is not None:
        with _settings_of(f"warehouse {warehouse.key}"):
            return _open_shipbob(warehouse.shipbob, clock, rng)
    owner = next((each for each in config.accounts if each.key == warehouse.account), None)
    if owner is None or owner.amazon is None:
        return None
    from adapters.amazon import AmazonStock

    with _settings_of(f"warehouse {warehouse.key}"):
        return AmazonStock(_amazon(owner.amazon), clock, rng)


def _open_shipbob(at: settings.Shipbob, clock: Clock, rng: Rng) -> Fulfiller:
    from adapters.shipbob import ShipbobSettings, ShipbobWarehouse

    return ShipbobWarehouse(
        ShipbobSettings(
            base_url=at.base_url,
            token=_secret(at.token_secret),
            channel_id=at.channel_id,
            location_id=at.location_id,
            webhook_secret=_secret(at.webhook_secret) if at.webhook_secret else None,
            api_version=at.api_version,
            poll_every_s=at.poll_every_s,
        ),
        clock,
        rng,
    )

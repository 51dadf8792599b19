"""The seller's own configuration as a cast: who sells where, from which warehouses, by which rules; nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from syncd import config as settings
from syncd.errors import ConfigError, ConfigProblem
from syncd.money import from_minor
from syncd.simulation.wanted import WantedOrder
from syncd.simulation.world import Cast, ChannelPlan, WarehousePlan

_SKUS = 60
_SHARES = {"shopify": 0.45, "amazon": 0.35, "ebay": 0.20}  # of all shoppers, by vendor
_EVERYWHERE = 6  # of ten SKUs


def load_cast(path: Path) -> Cast:
    """The cast of a configuration file; no secret is read. Raises ConfigError with everything that is wrong."""
    config = settings.load(path)
    if not config.accounts:
        raise ConfigError(path, [ConfigProblem("account", "there is none", "Describe at least one under [[account]]")])
    return cast_of(config)


def cast_of(config: settings.Config) -> Cast:
    """Channels, warehouses, policies, pools, buffers and caps as they are; vendors' own details are the sandboxes'."""
    currency = config.cost.currency
    channels = tuple(_channel(each) for each in config.accounts)
    warehouses = tuple(_warehouse(each, currency) for each in config.warehouses if _takes_part(each))
    assortments = assortments_of([each.key for each in channels])
    return Cast(channels, warehouses, assortments, _SKUS, currency, webhooks=config.http.public_url is not None)


def with_orders(cast: Cast, orders: Sequence[WantedOrder]) -> Cast:
    """The cast without the accounts that no order is for: they would have nothing to sell."""
    keys = {order.account for order in orders}
    return replace(
        cast,
        channels=tuple(each for each in cast.channels if each.key in keys),
        warehouses=tuple(each for each in cast.warehouses if each.kind != "fba"),
    )


def assortments_of(keys: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Of ten SKUs most are listed everywhere, the others everywhere but on one account, or on one alone."""
    if len(keys) == 1:
        return (tuple(keys),)
    dealt = [tuple(keys)] * _EVERYWHERE
    for number in range(10 - _EVERYWHERE):
        chosen = keys[number % len(keys)]
        alone = number == 10 - _EVERYWHERE - 1
        dealt.append((chosen,) if alone else tuple(key for key in keys if key != chosen))
    return tuple(dealt)


def _channel(account: settings.Account) -> ChannelPlan:
    vendor = account.shopify or account.amazon or account.ebay
    assert vendor is not None, "an account has its channel's table"
    heard = not (account.amazon and account.amazon.queue is None) and not (
        account.ebay and account.ebay.verification_token_secret is None
    )
    return ChannelPlan(
        account.key,
        account.channel.value,
        account.key,
        account.policy.value,
        account.warehouses,
        _SHARES[account.channel.value],
        account.buffer,
        account.cap,
        vendor.poll_every_s,
        heard,
    )


def _takes_part(warehouse: settings.Warehouse) -> bool:
    """Whether anything is known of what lies there: of FBA only through its account."""
    return warehouse.kind is not settings.WarehouseKind.FBA or warehouse.account is not None


def _warehouse(warehouse: settings.Warehouse, currency: str) -> WarehousePlan:
    return WarehousePlan(
        warehouse.key,
        warehouse.label,
        warehouse.kind.value,
        warehouse.country,
        warehouse.postcode or "",
        warehouse.time_zone,
        tuple(
            (
                rate.zone,
                str(from_minor(rate.per_parcel_minor, currency)),
                str(from_minor(rate.per_unit_minor, currency)),
            )
            for rate in warehouse.rates
        ),
        "shipbob" if warehouse.shipbob is not None else None,
        warehouse.account,
    )

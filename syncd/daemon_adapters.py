"""What speaks to the outside: made of a configuration and its secrets alone, before anything of it is in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from adapters.contract import Channel
from syncd.alerts.courier import CourierTools
from syncd.alerts.messenger import LEASE as MESSENGER
from syncd.alerts.messenger import Messenger
from syncd.alerts.opening import open_messenger
from syncd.bootstrap import OutsideWarehouses, World, api_token, open_channels, open_warehouses
from syncd.db.lease import Lease
from syncd.host import Host
from syncd.leases import SCHEDULER, account_lease, warehouse_lease

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Adapters:
    """Channels by account key, warehouses by key, and the messenger where anybody is to be told."""

    channels: dict[str, Channel]
    outside: OutsideWarehouses
    messenger: Messenger | None
    api_token: str | None = field(repr=False)

    @property
    def leases(self) -> list[str]:
        """The leases that whoever works with them must hold."""
        told = [MESSENGER] if self.messenger is not None else []
        accounts = map(account_lease, self.channels)
        warehouses = map(warehouse_lease, (*self.outside.fulfillers, *self.outside.sources))
        return [SCHEDULER, *told, *accounts, *warehouses]

    async def close(self) -> None:
        """Close every connection; one that fails to close keeps no other from it."""
        closing: list[Coroutine[Any, Any, None]] = [each.close() for each in self.channels.values()]
        closing += [each.close() for each in (*self.outside.fulfillers.values(), *self.outside.sources.values())]
        closing += [self.messenger.close()] if self.messenger is not None else []
        for ended in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(ended, Exception):
                log.warning("adapter.close_failed", error=type(ended).__name__, exc_info=ended)


def open_adapters(world: World, host: Host, lease: Callable[[str], Lease]) -> Adapters:
    """Make them, with their secrets resolved. Of `world` only configuration, database and clock are looked at.

    Raises SecretMissing and SettingsRefused.
    """
    channels = open_channels(world, host.rng)
    outside = open_warehouses(world, host.rng)
    tools = CourierTools(world.db, lambda: lease(MESSENGER), world.clock, host.rng, host.real_now)
    return Adapters(channels, outside, open_messenger(world.config, tools), api_token(world.config))

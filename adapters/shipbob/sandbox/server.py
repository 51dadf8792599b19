"""The sandbox as a whole: one account behind one aiohttp application."""

from __future__ import annotations

import httpx
from aiohttp import web

from adapters.contract import Clock, Rng
from adapters.sandbox_kit.control_errors import control_errors
from adapters.shipbob.sandbox.access import Access
from adapters.shipbob.sandbox.control_face import ControlFace
from adapters.shipbob.sandbox.deliveries import Deliveries
from adapters.shipbob.sandbox.depot import Depot
from adapters.shipbob.sandbox.faults import Faults
from adapters.shipbob.sandbox.floor import Floor
from adapters.shipbob.sandbox.operations import Operations
from adapters.shipbob.sandbox.outbox import Outbox
from adapters.shipbob.sandbox.quota import Quota
from adapters.shipbob.sandbox.seed import WarehouseSeed
from adapters.shipbob.sandbox.stats import Stats
from adapters.shipbob.sandbox.subscriptions import Subscriptions
from adapters.shipbob.sandbox.vendor_face import VendorFace
from adapters.shipbob.sandbox.views import Views


class ShipbobSandbox:
    """One ShipBob account. `app` serves the vendor's face under its version and the control face under /_control/.

    Serving `app` starts and stops the webhook deliveries and the work on the floor; `start` and `stop` are for who
    drives it otherwise.
    """

    def __init__(
        self, seed: WarehouseSeed, clock: Clock, rng: Rng, webhook_transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.depot = Depot(seed, clock, rng)
        self.faults = Faults(seed.faults, clock, rng)
        self.stats = Stats()
        self._subscriptions = Subscriptions(clock, rng)
        self._deliveries = Deliveries(self._subscriptions, self.faults, clock, rng, webhook_transport)
        self._views = Views(seed, self.depot.locations)
        self._floor = Floor(self.depot, Outbox(self._views, self._deliveries))
        self.app = self._build_app()

    async def start(self) -> None:
        """Begin to deliver webhooks. Starting twice is starting once."""
        self._deliveries.start()

    async def stop(self) -> None:
        """Leave the floor as it is, and give up what is still to be delivered."""
        await self._floor.stop()
        await self._deliveries.stop()

    def _build_app(self) -> web.Application:
        seed, clock = self.depot.seed, self.depot.clock
        operations = Operations(self.depot, self._floor, self._views, self._subscriptions, self.stats)
        access, quota = Access(seed), Quota(seed.calls_a_minute, clock)
        app = web.Application(middlewares=[control_errors])
        VendorFace(seed.api_version, operations, access, quota, self.faults, self.stats, clock).add_routes(app)
        ControlFace(self.depot, self._floor, self._deliveries, access, self.faults, self.stats).add_routes(app)
        app.on_startup.append(self._on_startup)
        app.on_cleanup.append(self._on_cleanup)
        return app

    async def _on_startup(self, _: web.Application) -> None:
        await self.start()

    async def _on_cleanup(self, _: web.Application) -> None:
        await self.stop()

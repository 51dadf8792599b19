"""The sandbox as a whole: one shop behind one aiohttp application."""

from __future__ import annotations

import httpx
from aiohttp import web

from adapters.contract import Clock, Rng
from adapters.sandbox_kit.control_errors import control_errors
from adapters.sandbox_kit.shown_log import ShownLog
from adapters.shopify.sandbox.control_face import ControlFace
from adapters.shopify.sandbox.deliveries import LIVE, Deliveries, Patience
from adapters.shopify.sandbox.faults import Faults
from adapters.shopify.sandbox.graphql_api import GraphQlApi
from adapters.shopify.sandbox.order_desk import OrderDesk
from adapters.shopify.sandbox.outbox import Outbox
from adapters.shopify.sandbox.seed import ShopSeed
from adapters.shopify.sandbox.shop import Shop
from adapters.shopify.sandbox.stats import Stats
from adapters.shopify.sandbox.subscriptions import Subscriptions
from adapters.shopify.sandbox.tokens import Tokens
from adapters.shopify.sandbox.vendor_face import VendorFace


class ShopifySandbox:
    """One Shopify shop. `app` serves the vendor's face under /admin/ and the control face under /_control/.

    Serving `app` starts and stops the webhook deliveries; `start` and `stop` are for who drives it otherwise.
    """

    def __init__(
        self,
        seed: ShopSeed,
        clock: Clock,
        rng: Rng,
        webhook_transport: httpx.AsyncBaseTransport | None = None,
        patience: Patience = LIVE,
    ) -> None:
        self.shop = Shop(seed, clock, rng)
        self.faults = Faults(seed.faults, clock, rng)
        self.stats = Stats()
        self._subscriptions = Subscriptions(self.shop)
        self._deliveries = Deliveries(seed, self._subscriptions, self.faults, clock, rng, webhook_transport, patience)
        self.app = self._build_app()

    @property
    def shown_log(self) -> ShownLog:
        return self.shop.shown

    async def start(self) -> None:
        """Begin to deliver webhooks. Starting twice is starting once."""
        self._deliveries.start()

    async def stop(self) -> None:
        """Give up what is still to be delivered."""
        await self._deliveries.stop()

    def _build_app(self) -> web.Application:
        shop, clock, rng = self.shop, self.shop.clock, self.shop.rng
        outbox = Outbox(shop, self._deliveries)
        tokens = Tokens(shop.seed, clock, rng)
        api = GraphQlApi(shop, outbox, self._subscriptions, self.stats)
        desk = OrderDesk(shop, outbox)
        app = web.Application(middlewares=[control_errors])
        VendorFace(shop, api, tokens, self.faults, self.stats).add_routes(app)
        ControlFace(
            shop, desk, outbox, self._subscriptions, self._deliveries, tokens, self.faults, self.stats
        ).add_routes(app)
        app.on_startup.append(self._on_startup)
        app.on_cleanup.append(self._on_cleanup)
        return app

    async def _on_startup(self, _: web.Application) -> None:
        await self.start()

    async def _on_cleanup(self, _: web.Application) -> None:
        await self.stop()

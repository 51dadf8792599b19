"""The sandbox as a whole: one seller behind one aiohttp application."""

from __future__ import annotations

import httpx
from aiohttp import web

from adapters.contract import Clock, Rng
from adapters.ebay.sandbox.account_api import AccountApi
from adapters.ebay.sandbox.analytics_api import AnalyticsApi
from adapters.ebay.sandbox.control_face import ControlFace
from adapters.ebay.sandbox.day import Calendar
from adapters.ebay.sandbox.deliveries import Deliveries
from adapters.ebay.sandbox.destinations import Destinations
from adapters.ebay.sandbox.faults import Faults
from adapters.ebay.sandbox.fulfillment_api import FulfillmentApi
from adapters.ebay.sandbox.inventory_api import InventoryApi
from adapters.ebay.sandbox.notification_api import NotificationApi
from adapters.ebay.sandbox.order_desk import OrderDesk
from adapters.ebay.sandbox.price_quantity import PriceQuantity
from adapters.ebay.sandbox.quotas import Quotas
from adapters.ebay.sandbox.revisions import Revisions
from adapters.ebay.sandbox.seed import SellerSeed
from adapters.ebay.sandbox.seller import Seller
from adapters.ebay.sandbox.signing import SigningKey
from adapters.ebay.sandbox.stats import Stats
from adapters.ebay.sandbox.subscriptions import Subscriptions
from adapters.ebay.sandbox.tokens import Tokens
from adapters.ebay.sandbox.topics import known_topics
from adapters.ebay.sandbox.vendor_face import VendorFace
from adapters.sandbox_kit.control_errors import control_errors
from adapters.sandbox_kit.postman import Postman
from adapters.sandbox_kit.shown_log import ShownLog

ANSWER_WITHIN_S = 5.0  # real seconds; the vendor's own limit is not published
CONNECT_WITHIN_S = 1.0


class EbaySandbox:
    """One eBay seller. `app` serves the vendor's APIs at their own paths and the control face under /_control/.

    Serving `app` starts and stops the notifications; `start` and `stop` are for who drives it otherwise.
    """

    def __init__(
        self, seed: SellerSeed, clock: Clock, rng: Rng, webhook_transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.seller = Seller(seed, clock, rng)
        self.faults = Faults(seed.faults, clock, rng)
        self.stats = Stats()
        self._postman = Postman(webhook_transport, within_s=ANSWER_WITHIN_S, connect_within_s=CONNECT_WITHIN_S)
        self._topics = known_topics(order_push=seed.order_push)
        self._destinations = Destinations(self.seller, self._postman)
        self._subscriptions = Subscriptions(self.seller, self._destinations, self._topics)
        self._key = SigningKey(rng)
        self._deliveries = Deliveries(self.seller, self._subscriptions, self._key, self.faults, self._postman)
        self.app = self._build_app()

    @property
    def shown_log(self) -> ShownLog:
        return self.seller.shown

    async def start(self) -> None:
        """Begin to deliver notifications. Starting twice is starting once."""
        self._postman.start()

    async def stop(self) -> None:
        """Give up what is still to be delivered."""
        await self._deliveries.stop()
        await self._postman.stop()

    def _build_app(self) -> web.Application:
        seller, seed = self.seller, self.seller.seed
        calendar = Calendar(seller.clock, seed.timezone)
        tokens = Tokens(seed, seller.clock, seller.rng)
        quotas = Quotas(calendar, seed.daily_quotas)
        desk = OrderDesk(seller, self._deliveries.confirm)
        writes = PriceQuantity(seller, Revisions(calendar, seed.revisions_a_day), self.stats)
        operations = [
            *InventoryApi(seller, writes).operations(),
            *FulfillmentApi(seller, desk).operations(),
            *NotificationApi(
                self._destinations, self._subscriptions, self._topics, self._key, self._deliveries
            ).operations(),
            *AccountApi(seed).operations(),
            *AnalyticsApi(quotas).operations(),
        ]
        app = web.Application(middlewares=[control_errors])
        VendorFace(seller, operations, tokens, quotas, self.faults, self.stats).add_routes(app)
        ControlFace(seller, desk, self._deliveries, tokens, self.faults, self.stats).add_routes(app)
        app.on_startup.append(self._on_startup)
        app.on_cleanup.append(self._on_cleanup)
        return app

    async def _on_startup(self, _: web.Application) -> None:
        await self.start()

    async def _on_cleanup(self, _: web.Application) -> None:
        await self.stop()

"""The sandbox as a whole: one seller behind one aiohttp application."""

from __future__ import annotations

import httpx
from aiohttp import web

from adapters.amazon.sandbox.control_face import ControlFace
from adapters.amazon.sandbox.courier import Courier
from adapters.amazon.sandbox.faults import Faults
from adapters.amazon.sandbox.gateway import Gateway
from adapters.amazon.sandbox.operations import Operations
from adapters.amazon.sandbox.order_desk import OrderDesk
from adapters.amazon.sandbox.order_index import OrderIndex
from adapters.amazon.sandbox.outbox import Outbox
from adapters.amazon.sandbox.queue import MessageQueue
from adapters.amazon.sandbox.queue_face import QueueFace
from adapters.amazon.sandbox.seed import SellerSeed
from adapters.amazon.sandbox.seller import Seller
from adapters.amazon.sandbox.stats import Stats
from adapters.amazon.sandbox.stockroom import Stockroom
from adapters.amazon.sandbox.submissions import Submissions
from adapters.amazon.sandbox.token_face import TokenFace
from adapters.amazon.sandbox.tokens import Tokens
from adapters.amazon.sandbox.wire import Wire
from adapters.contract import Clock, Rng
from adapters.sandbox_kit.control_errors import control_errors
from adapters.sandbox_kit.shown_log import ShownLog


class AmazonSandbox:
    """One Amazon seller.

    `app` serves Login with Amazon under /auth/, the Selling Partner API under its own paths, the queue of order
    notifications at /000000000000/orders (and at /, where AWS clients post) and the control face under /_control/.
    Serving `app` starts and stops what runs beside it; `start` and `stop` are for who drives it otherwise. Amazon's
    news goes to the queue, so `webhook_transport` is only there to look like the other sandboxes.
    """

    def __init__(
        self, seed: SellerSeed, clock: Clock, rng: Rng, webhook_transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.seller = Seller(seed, clock, rng)
        self.faults = Faults(seed.faults, clock, rng)
        self.stats = Stats()
        self.queue = MessageQueue(clock, rng)
        self._courier = Courier(self.queue, self.faults, clock)
        self._wire = Wire()
        self.app = self._build_app()

    @property
    def shown_log(self) -> ShownLog:
        return self.seller.shown

    async def start(self) -> None:
        """Be ready to answer. Starting twice is starting once."""
        self._wire.open()

    async def stop(self) -> None:
        """Give up what is still to be delivered, and let go of who is kept waiting."""
        self._wire.close()
        self.queue.wake()
        await self._courier.stop()

    def _build_app(self) -> web.Application:
        seller, clock, rng = self.seller, self.seller.clock, self.seller.rng
        index = OrderIndex()
        submissions = Submissions(seller, self.stats)
        stockroom = Stockroom(seller, submissions)
        desk = OrderDesk(seller, stockroom, Outbox(seller, index, self._courier).order_changed)
        tokens = Tokens(seller.seed, clock, rng)
        app = web.Application(middlewares=[control_errors])
        TokenFace(tokens, self.faults, self.stats).add_routes(app)
        operations = Operations(seller, index, desk, submissions).all()
        Gateway(seller, tokens, self.faults, self.stats, self._wire).add_routes(app, operations)
        QueueFace(seller, self.queue, self.faults, self.stats, self._wire).add_routes(app)
        ControlFace(
            seller, desk, stockroom, submissions, self._courier, self.queue, tokens, self.faults, self.stats
        ).add_routes(app)
        app.on_startup.append(self._on_startup)
        app.on_shutdown.append(self._on_shutdown)
        return app

    async def _on_startup(self, _: web.Application) -> None:
        await self.start()

    async def _on_shutdown(self, _: web.Application) -> None:
        await self.stop()

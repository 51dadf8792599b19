"""Makes an order's change known: to searches after a while, to the queue after seconds."""

from __future__ import annotations

from datetime import timedelta

from adapters.amazon.sandbox.courier import Courier
from adapters.amazon.sandbox.notifications import order_change
from adapters.amazon.sandbox.order_index import OrderIndex, Version
from adapters.amazon.sandbox.order_views import whole_view
from adapters.amazon.sandbox.records import Order
from adapters.amazon.sandbox.seed import spread
from adapters.amazon.sandbox.seller import Seller


class Outbox:
    def __init__(self, seller: Seller, index: OrderIndex, courier: Courier) -> None:
        self._seller = seller
        self._index = index
        self._courier = courier

    def order_changed(self, order: Order, reason: str) -> None:
        """Render the order as it stands; call it once a change, after the change."""
        seller = self._seller
        lag = timedelta(seconds=seller.rng.uniform(*spread(seller.seed.visibility_lag_s)))
        version = Version(order.id, order.created_at, order.updated_at, whole_view(seller, order))
        self._index.note(version, seller.now() + lag)
        if seller.seed.order_notifications:
            self._courier.send(order_change(seller, order, reason))

"""Turns what happened on the floor into news for subscribers."""

from __future__ import annotations

from adapters.shipbob.sandbox.deliveries import Deliveries
from adapters.shipbob.sandbox.records import Order, Shipment, Status
from adapters.shipbob.sandbox.subscriptions import Topic
from adapters.shipbob.sandbox.views import Views


class Outbox:
    """Renders each piece of news at once, so that late deliveries carry the state of their time."""

    def __init__(self, views: Views, deliveries: Deliveries) -> None:
        self._views = views
        self._deliveries = deliveries

    def shipped(self, order: Order, shipment: Shipment) -> None:
        self._deliveries.announce(Topic.ORDER_SHIPPED, self._views.shipment(order, shipment))

    def cancelled(self, order: Order, shipment: Shipment) -> None:
        self._deliveries.announce(Topic.CANCELLED, self._views.shipment(order, shipment))

    def stopped(self, order: Order, shipment: Shipment) -> None:
        topic = Topic.ON_HOLD if shipment.status is Status.ON_HOLD else Topic.EXCEPTION
        self._deliveries.announce(topic, self._views.shipment(order, shipment))

"""The Fulfillment API: orders, and shipments of them."""

from __future__ import annotations

from adapters.ebay.sandbox.calls import Answer, Call, Operation
from adapters.ebay.sandbox.errors import fulfillment_error
from adapters.ebay.sandbox.order_desk import OrderDesk
from adapters.ebay.sandbox.order_search import search
from adapters.ebay.sandbox.order_views import order_view, shipment_view
from adapters.ebay.sandbox.records import Order
from adapters.ebay.sandbox.seed import FULFILLMENT_SCOPE
from adapters.ebay.sandbox.seller import Seller
from adapters.ebay.sandbox.shipping import ShipmentForm, read_shipment
from adapters.sandbox_kit.control_errors import Refused

_BASE = "/sell/fulfillment/v1/order"


class FulfillmentApi:
    def __init__(self, seller: Seller, desk: OrderDesk) -> None:
        self._seller = seller
        self._desk = desk

    def operations(self) -> list[Operation]:
        api, scope = "sell.fulfillment", (FULFILLMENT_SCOPE,)
        shipments = f"{_BASE}/{{id}}/shipping_fulfillment"
        return [
            Operation("get_orders", "GET", _BASE, api, scope, self.orders),
            Operation("get_order", "GET", f"{_BASE}/{{id}}", api, scope, self.order),
            Operation("create_shipping_fulfillment", "POST", shipments, api, scope, self.ship),
            Operation("get_shipping_fulfillments", "GET", shipments, api, scope, self.shipments),
            Operation("get_shipping_fulfillment", "GET", f"{shipments}/{{shipment}}", api, scope, self.shipment),
        ]

    async def orders(self, call: Call) -> Answer:
        return Answer(200, search(self._seller, call))

    async def order(self, call: Call) -> Answer:
        field_groups = call.query("fieldGroups")
        if field_groups not in (None, "TAX_BREAKDOWN"):
            raise fulfillment_error(400, 32800, f"Invalid field group: {field_groups}")
        return Answer(200, order_view(self._order(call, status=404), self._seller.seed, detailed=True))

    async def ship(self, call: Call) -> Answer:
        order = self._order(call, status=400)
        wanted = read_shipment(call.decode(ShipmentForm), order, self._seller.instant())
        try:
            shipment = self._desk.ship(order, wanted.parts, wanted.shipped_at, wanted.carrier, wanted.tracking)
        except Refused as refused:
            status = 400 if refused.field == "quantity" else 409
            raise fulfillment_error(status, 32600, f"Invalid input data: {refused.problem}") from refused
        return Answer(201, None, {"Location": str(call.request.url.with_query(None) / shipment.id)})

    async def shipments(self, call: Call) -> Answer:
        order = self._order(call, status=400)
        views = [shipment_view(shipment) for shipment in order.shipments]
        return Answer(200, {"total": len(views), "fulfillments": views})

    async def shipment(self, call: Call) -> Answer:
        order = self._order(call, status=400)
        for shipment in order.shipments:
            if shipment.id == call.part("shipment"):
                return Answer(200, shipment_view(shipment))
        raise fulfillment_error(404, 32110, f"Invalid shipping fulfillment ID: {call.part('shipment')}")

    def _order(self, call: Call, *, status: int) -> Order:
        order = self._seller.visible(call.part("id"))
        if order is None:
            raise fulfillment_error(status, 32100, f"Invalid order ID: {call.part('id')}")
        return order

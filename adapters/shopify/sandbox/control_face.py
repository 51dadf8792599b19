"""The other side of the counter: shoppers and staff, for demos, tests and simulations."""

from __future__ import annotations

from aiohttp import web

from adapters.sandbox_kit.control_errors import Missing
from adapters.sandbox_kit.control_input import Form, item_forms
from adapters.sandbox_kit.control_routes import Answer, add_control_routes
from adapters.sandbox_kit.fault_control import change_faults, fault_report
from adapters.sandbox_kit.order_pages import answer_orders, wants_orders
from adapters.sandbox_kit.shown_log import Why
from adapters.shopify.sandbox.control_forms import (
    read_address,
    read_fulfilment,
    read_item,
    read_known_item,
    read_part,
    read_wanted,
)
from adapters.shopify.sandbox.deliveries import Deliveries
from adapters.shopify.sandbox.errors import Json
from adapters.shopify.sandbox.faults import Faults
from adapters.shopify.sandbox.order_desk import OrderDesk
from adapters.shopify.sandbox.outbox import Outbox
from adapters.shopify.sandbox.records import Item, Order, RestockType
from adapters.shopify.sandbox.shop import Shop
from adapters.shopify.sandbox.stats import Stats
from adapters.shopify.sandbox.stockroom import Stockroom
from adapters.shopify.sandbox.subscriptions import Subscriptions, Topic
from adapters.shopify.sandbox.tokens import Tokens
from adapters.shopify.sandbox.truth import order_report, stats_report, subscription_report, truth_report


class ControlFace:
    """Everything under /_control/. It is never slow, never fails by chance and needs no token."""

    def __init__(
        self,
        shop: Shop,
        desk: OrderDesk,
        outbox: Outbox,
        subscriptions: Subscriptions,
        deliveries: Deliveries,
        tokens: Tokens,
        faults: Faults,
        stats: Stats,
    ) -> None:
        self._shop = shop
        self._desk = desk
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._deliveries = deliveries
        self._tokens = tokens
        self._faults = faults
        self._stats = stats

    def add_routes(self, app: web.Application) -> None:
        posts: dict[str, Answer] = {
            "items": self.add_items,
            "levels": self.set_level,
            "orders": self.place_order,
            "orders/{id}/cancel": self.cancel_order,
            "orders/{id}/edit": self.edit_order,
            "orders/{id}/refund": self.refund_order,
            "orders/{id}/fulfil": self.fulfil_order,
            "faults": self.set_faults,
            "tokens/expire": self.expire_tokens,
            "webhooks": self.subscribe,
            "webhooks/pause": self.pause_webhooks,
            "webhooks/resume": self.resume_webhooks,
        }
        gets: dict[str, Answer] = {
            "truth": self.truth,
            "truth/orders": self.orders,
            "shown": self._shop.shown.answer,
            "stats": self.stats,
            "faults": self.faults,
            "webhooks": self.webhooks,
        }
        add_control_routes(app, posts, gets)

    # --- the catalogue and the shelves --------------------------------------------------------------------------

    async def add_items(self, request: web.Request) -> web.Response:
        """{items: [...]}; a bare list or a single item will do."""
        forms = item_forms(await request.read())
        seeds = [read_item(form) for form in forms]
        for form, seed in zip(forms, seeds, strict=True):
            if self._shop.item_by_sku(seed.sku) is not None or sum(one.sku == seed.sku for one in seeds) > 1:
                raise form.bad("sku", f"{seed.sku} exists already", "choose another sku")
        items = [self._shop.add_item(seed) for seed in seeds]
        return web.json_response({"items": [_item_ids(item) for item in items]}, status=201)

    async def set_level(self, request: web.Request) -> web.Response:
        """A person types a new available number into the vendor's admin."""
        form = Form.of(await request.read())
        item = read_known_item(form, self._shop)
        available = form.whole("available")
        place = form.optional_text("location")
        form.done()
        for level in item.levels.values():
            if place is None or place in (str(level.location_id), self._shop.locations[level.location_id].name):
                room = Stockroom(self._shop, Why.HAND)
                room.set_available(level, available)
                self._outbox.level_news(room.moved.values())
                return web.json_response({"sku": item.sku, "available": available, "on_hand": level.now.on_hand})
        raise form.bad("location", f"{item.sku} is not stocked there", "give the name or id of a location that has it")

    # --- orders -------------------------------------------------------------------------------------------------

    async def place_order(self, request: web.Request) -> web.Response:
        form = Form.of(await request.read())
        wanted = read_wanted(form, self._shop)
        ship_to = read_address(form.form("ship_to"), self._shop)
        note = form.optional_text("note")
        test = form.flag("test", default=False)
        form.done()
        order = self._desk.place(wanted, ship_to, note, test=test)
        return web.json_response({"id": str(order.id), "name": order.name}, status=201)

    async def cancel_order(self, request: web.Request) -> web.Response:
        order = self._order(request)
        form = Form.of(await request.read())
        restock = form.flag("restock", default=True)
        recorded = form.flag("record_refund", default=True)
        form.done()
        self._desk.cancel(order, restock=restock, reason="CUSTOMER", record_refund=recorded)
        return _order_answer(order)

    async def edit_order(self, request: web.Request) -> web.Response:
        order = self._order(request)
        form = Form.of(await request.read())
        part = read_part(form, order, self._shop)
        quantity = form.whole("quantity", minimum=0)
        restock = form.flag("restock", default=True)
        form.done()
        self._desk.edit(order, part, quantity, restock=restock)
        return _order_answer(order)

    async def refund_order(self, request: web.Request) -> web.Response:
        order = self._order(request)
        form = Form.of(await request.read())
        part = read_part(form, order, self._shop)
        quantity = form.whole("quantity", minimum=1)
        kind = form.choice("restock_type", RestockType)
        form.done()
        self._desk.refund(order, part, quantity, kind)
        return _order_answer(order)

    async def fulfil_order(self, request: web.Request) -> web.Response:
        order = self._order(request)
        form = Form.of(await request.read())
        parts = read_fulfilment(form, order)
        form.done()
        self._desk.fulfil(order, parts)
        return _order_answer(order)

    # --- what goes wrong, and who hears of it -------------------------------------------------------------------

    async def set_faults(self, request: web.Request) -> web.Response:
        change_faults(Form.of(await request.read()), self._faults)
        return await self.faults(request)

    async def expire_tokens(self, request: web.Request) -> web.Response:
        self._tokens.expire_all()
        return web.json_response({})

    async def subscribe(self, request: web.Request) -> web.Response:
        form = Form.of(await request.read())
        topic = form.choice("topic", Topic)
        uri = form.text("uri")
        form.done()
        refusal = self._subscriptions.refusal(topic, uri)
        if refusal is not None:
            raise form.bad("uri", refusal, "give another http:// or https:// address")
        made = self._subscriptions.add(topic, uri)
        return web.json_response(subscription_report(made), status=201)

    async def pause_webhooks(self, request: web.Request) -> web.Response:
        self._deliveries.pause()
        return web.json_response({"deliveries_pending": self._deliveries.pending})

    async def resume_webhooks(self, request: web.Request) -> web.Response:
        self._deliveries.resume()
        return web.json_response({"deliveries_pending": self._deliveries.pending})

    # --- reports ------------------------------------------------------------------------------------------------

    async def truth(self, request: web.Request) -> web.Response:
        told = truth_report(self._shop, self._deliveries, orders=wants_orders(request))
        return web.json_response(told)

    async def orders(self, request: web.Request) -> web.Response:
        return answer_orders(request, self._shop.orders.values(), order_report)

    async def stats(self, request: web.Request) -> web.Response:
        return web.json_response(stats_report(self._stats, self._deliveries, self._faults))

    async def faults(self, request: web.Request) -> web.Response:
        return web.json_response(fault_report(self._faults))

    async def webhooks(self, request: web.Request) -> web.Response:
        return web.json_response({"webhooks": [subscription_report(one) for one in self._subscriptions.listed()]})

    def _order(self, request: web.Request) -> Order:
        given = request.match_info["id"]
        order = self._shop.orders.get(int(given)) if given.isdecimal() else None
        if order is None:
            raise Missing(f"this shop has no order {given}")
        return order


def _order_answer(order: Order) -> web.Response:
    return web.json_response({"id": str(order.id), "name": order.name})


def _item_ids(item: Item) -> Json:
    return {
        "sku": item.sku,
        "inventory_item_id": str(item.id),
        "variant_id": str(item.variant_id),
        "product_id": str(item.product_id),
    }

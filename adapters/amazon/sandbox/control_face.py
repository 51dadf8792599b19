"""The other side of the counter: shoppers, staff and FBA's warehouse, for demos, tests and simulations."""

from __future__ import annotations

from aiohttp import web

from adapters.amazon.sandbox.control_forms import (
    read_item,
    read_known_item,
    read_ship_to,
    read_wanted,
)
from adapters.amazon.sandbox.courier import Courier
from adapters.amazon.sandbox.faults import Faults
from adapters.amazon.sandbox.order_desk import OrderDesk
from adapters.amazon.sandbox.queue import MessageQueue
from adapters.amazon.sandbox.records import Order
from adapters.amazon.sandbox.seller import Seller
from adapters.amazon.sandbox.stats import Stats
from adapters.amazon.sandbox.stockroom import Stockroom
from adapters.amazon.sandbox.submissions import Submissions
from adapters.amazon.sandbox.tokens import Tokens
from adapters.amazon.sandbox.truth import order_report, stats_report, truth_report
from adapters.sandbox_kit.control_errors import Missing
from adapters.sandbox_kit.control_input import Form, item_forms
from adapters.sandbox_kit.control_routes import Answer, add_control_routes
from adapters.sandbox_kit.fault_control import change_faults, fault_report
from adapters.sandbox_kit.order_pages import answer_orders, wants_orders


class ControlFace:
    """Everything under /_control/. It is never slow, never fails by chance and needs no token."""

    def __init__(
        self,
        seller: Seller,
        desk: OrderDesk,
        stockroom: Stockroom,
        submissions: Submissions,
        courier: Courier,
        queue: MessageQueue,
        tokens: Tokens,
        faults: Faults,
        stats: Stats,
    ) -> None:
        self._seller = seller
        self._desk = desk
        self._stockroom = stockroom
        self._submissions = submissions
        self._courier = courier
        self._queue = queue
        self._tokens = tokens
        self._faults = faults
        self._stats = stats

    def add_routes(self, app: web.Application) -> None:
        posts: dict[str, Answer] = {
            "items": self.add_items,
            "levels": self.set_level,
            "fba": self.set_fba,
            "orders": self.place_order,
            "orders/{id}/pay": self.pay_order,
            "orders/{id}/cancel": self.cancel_order,
            "orders/{id}/edit": self.edit_order,
            "orders/{id}/fulfil": self.fulfil_order,
            "faults": self.set_faults,
            "tokens/expire": self.expire_tokens,
        }
        gets: dict[str, Answer] = {
            "truth": self.truth,
            "truth/orders": self.orders,
            "shown": self.shown,
            "stats": self.stats,
            "faults": self.faults,
        }
        add_control_routes(app, posts, gets)

    # --- the catalogue and its numbers --------------------------------------------------------------------------

    async def add_items(self, request: web.Request) -> web.Response:
        forms = item_forms(await request.read())
        seeds = [read_item(form) for form in forms]
        for form, seed in zip(forms, seeds, strict=True):
            if seed.sku in self._seller.items or sum(one.sku == seed.sku for one in seeds) > 1:
                raise form.bad("sku", f"{seed.sku} exists already", "choose another sku")
        items = [self._seller.add_item(seed) for seed in seeds]
        shown = [{"sku": item.sku, "asin": item.asin, "gtin": item.gtin} for item in items]
        return web.json_response({"items": shown}, status=201)

    async def set_level(self, request: web.Request) -> web.Response:
        """A person types a new number into Seller Central."""
        form = Form.of(await request.read())
        item = read_known_item(form, self._seller)
        available = form.whole("available", minimum=0)
        form.done()
        if item.offered is None:
            raise form.bad("sku", f"only FBA sells {item.sku}", "set its stock with POST /_control/fba")
        self._stockroom.set_offered(item, available)
        return web.json_response({"sku": item.sku, "available": available})

    async def set_fba(self, request: web.Request) -> web.Response:
        """FBA counts, receives or loses units."""
        form = Form.of(await request.read())
        item = read_known_item(form, self._seller)
        fulfillable = form.whole("fulfillable", minimum=0)
        unfulfillable = form.whole("unfulfillable", minimum=0) if form.has("unfulfillable") else None
        form.done()
        fba = self._stockroom.count_fba(item, fulfillable, unfulfillable)
        shown = {"sku": item.sku, "fulfillable": fba.fulfillable, "unfulfillable": fba.unfulfillable}
        return web.json_response(shown)

    # --- orders -------------------------------------------------------------------------------------------------

    async def place_order(self, request: web.Request) -> web.Response:
        """Buy. What only FBA sells is FBA's order, unless the form says otherwise."""
        form = Form.of(await request.read())
        wanted = read_wanted(form, self._seller)
        ship_to = read_ship_to(form.form("ship_to"))
        paid = not form.flag("unpaid", default=False)
        by_channel = form.flag("by_channel", default=all(one.item.offered is None for one in wanted))
        form.done()
        order = self._desk.place(wanted, ship_to, by_channel=by_channel, paid=paid)
        return web.json_response({"id": order.id, "name": order.id}, status=201)

    async def pay_order(self, request: web.Request) -> web.Response:
        order = self._order(request)
        Form.of(await request.read()).done()
        self._desk.pay(order)
        return _order_answer(order)

    async def cancel_order(self, request: web.Request) -> web.Response:
        order = self._order(request)
        form = Form.of(await request.read())
        restock = form.flag("restock", default=True)
        form.done()
        self._desk.cancel(order, restock=restock)
        return _order_answer(order)

    async def edit_order(self, request: web.Request) -> web.Response:
        """A part of the order is cancelled: so many units of a SKU are left."""
        order = self._order(request)
        form = Form.of(await request.read())
        item = read_known_item(form, self._seller)
        quantity = form.whole("quantity", minimum=0)
        restock = form.flag("restock", default=True)
        form.done()
        self._desk.reduce(order, item.sku, quantity, restock=restock)
        return _order_answer(order)

    async def fulfil_order(self, request: web.Request) -> web.Response:
        order = self._order(request)
        Form.of(await request.read()).done()
        self._desk.ship(order)
        return _order_answer(order)

    # --- what goes wrong ----------------------------------------------------------------------------------------

    async def set_faults(self, request: web.Request) -> web.Response:
        change_faults(Form.of(await request.read()), self._faults)
        return await self.faults(request)

    async def expire_tokens(self, request: web.Request) -> web.Response:
        self._tokens.expire_all()
        return web.json_response({})

    # --- reports ------------------------------------------------------------------------------------------------

    async def truth(self, request: web.Request) -> web.Response:
        told = truth_report(self._seller, self._submissions, self._courier, self._queue, orders=wants_orders(request))
        return web.json_response(told)

    async def orders(self, request: web.Request) -> web.Response:
        return answer_orders(request, self._seller.orders.values(), order_report)

    async def shown(self, request: web.Request) -> web.Response:
        self._submissions.settle()
        return await self._seller.shown.answer(request)

    async def stats(self, request: web.Request) -> web.Response:
        self._submissions.settle()
        return web.json_response(stats_report(self._stats, self._courier, self._queue, self._faults))

    async def faults(self, request: web.Request) -> web.Response:
        return web.json_response(fault_report(self._faults))

    def _order(self, request: web.Request) -> Order:
        given = request.match_info["id"]
        order = self._seller.orders.get(given)
        if order is None:
            raise Missing(f"this seller has no order {given}")
        return order


def _order_answer(order: Order) -> web.Response:
    return web.json_response({"id": order.id, "name": order.id})

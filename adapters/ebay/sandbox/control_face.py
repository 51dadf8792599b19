"""The other side of the counter: shoppers and staff, for demos, tests and simulations."""

from __future__ import annotations

from aiohttp import web

from adapters.ebay.sandbox.control_input import read_item, read_offer, read_ship_to, read_wanted
from adapters.ebay.sandbox.deliveries import Deliveries
from adapters.ebay.sandbox.errors import Json
from adapters.ebay.sandbox.faults import Faults
from adapters.ebay.sandbox.order_desk import OrderDesk
from adapters.ebay.sandbox.records import Offer, Order
from adapters.ebay.sandbox.seller import Seller
from adapters.ebay.sandbox.stats import Stats
from adapters.ebay.sandbox.tokens import Tokens
from adapters.ebay.sandbox.truth import order_report, stats_report, truth_report
from adapters.sandbox_kit.control_errors import Missing, Refused
from adapters.sandbox_kit.control_input import Form, item_forms
from adapters.sandbox_kit.control_routes import Answer, add_control_routes
from adapters.sandbox_kit.fault_control import change_faults, fault_report
from adapters.sandbox_kit.order_pages import answer_orders, wants_orders
from adapters.sandbox_kit.shown_log import Why


class ControlFace:
    """Everything under /_control/. It is never slow, never fails by chance and needs no token."""

    def __init__(
        self, seller: Seller, desk: OrderDesk, deliveries: Deliveries, tokens: Tokens, faults: Faults, stats: Stats
    ) -> None:
        self._seller = seller
        self._desk = desk
        self._deliveries = deliveries
        self._tokens = tokens
        self._faults = faults
        self._stats = stats

    def add_routes(self, app: web.Application) -> None:
        posts: dict[str, Answer] = {
            "items": self.add_items,
            "levels": self.set_level,
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
            "shown": self._seller.shown.answer,
            "stats": self.stats,
            "faults": self.faults,
        }
        add_control_routes(app, posts, gets)

    # --- the catalogue ------------------------------------------------------------------------------------------

    async def add_items(self, request: web.Request) -> web.Response:
        """{items: [...]}; a bare list or a single item will do."""
        forms = item_forms(await request.read())
        seeds = [read_item(form) for form in forms]
        for form, seed in zip(forms, seeds, strict=True):
            if self._seller.offer_of(seed.sku) is not None or sum(one.sku == seed.sku for one in seeds) > 1:
                raise form.bad("sku", f"{seed.sku} exists already", "choose another sku")
        offers = [self._seller.list_item(seed) for seed in seeds]
        return web.json_response({"items": [_item_ids(offer) for offer in offers]}, status=201)

    async def set_level(self, request: web.Request) -> web.Response:
        """A person types a new number into Seller Hub: it becomes the item's total and the offer's cap."""
        form = Form.of(await request.read())
        offer = read_offer(form, self._seller)
        available = form.whole("available", minimum=offer.reserved)
        form.done()
        now, before = self._seller.now(), offer.live()
        offer.item.quantity.become(now, available)
        if offer.cap is not None:
            offer.cap.become(now, available)
        self._seller.note_shown(offer, before, Why.HAND)
        return web.json_response({"sku": offer.item.sku, "available": offer.live()})

    # --- orders -------------------------------------------------------------------------------------------------

    async def place_order(self, request: web.Request) -> web.Response:
        form = Form.of(await request.read())
        wanted = read_wanted(form, self._seller)
        ship_to = read_ship_to(form.form("ship_to"), self._seller)
        unpaid = form.flag("unpaid", default=False)
        if form.flag("by_channel", default=False):
            raise Refused("by_channel", "eBay ships nothing itself", "leave it out")
        form.done()
        order = self._desk.place(wanted, ship_to, unpaid=unpaid)
        return _order_answer(order, status=201)

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
        order = self._order(request)
        raise Refused("quantity", f"eBay does not let anyone change the lines of {order.id}", "cancel the whole order")

    async def fulfil_order(self, request: web.Request) -> web.Response:
        order = self._order(request)
        Form.of(await request.read()).done()
        self._desk.ship_all(order)
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
        told = truth_report(self._seller, self._deliveries, orders=wants_orders(request))
        return web.json_response(told)

    async def orders(self, request: web.Request) -> web.Response:
        return answer_orders(request, self._seller.orders.values(), order_report)

    async def stats(self, request: web.Request) -> web.Response:
        return web.json_response(stats_report(self._stats, self._deliveries, self._faults))

    async def faults(self, request: web.Request) -> web.Response:
        return web.json_response(fault_report(self._faults))

    def _order(self, request: web.Request) -> Order:
        order = self._seller.orders.get(request.match_info["id"])
        if order is None:
            raise Missing(f"this seller has no order {request.match_info['id']}")
        return order


def _order_answer(order: Order, status: int = 200) -> web.Response:
    return web.json_response({"id": order.id, "name": order.id}, status=status)


def _item_ids(offer: Offer) -> Json:
    return {"sku": offer.item.sku, "offer_id": offer.id, "listing_id": offer.listing_id}

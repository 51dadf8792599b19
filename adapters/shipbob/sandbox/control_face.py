"""The other side of the counter: the people in the warehouse, for demos, tests and simulations."""

from __future__ import annotations

from aiohttp import web

from adapters.sandbox_kit.control_errors import Missing, Refused
from adapters.sandbox_kit.control_input import Form, item_forms
from adapters.sandbox_kit.control_routes import Answer, add_control_routes
from adapters.sandbox_kit.fault_control import change_faults, fault_report
from adapters.shipbob.sandbox.access import Access
from adapters.shipbob.sandbox.deliveries import Deliveries
from adapters.shipbob.sandbox.depot import Depot
from adapters.shipbob.sandbox.faults import Faults
from adapters.shipbob.sandbox.floor import Floor
from adapters.shipbob.sandbox.records import Item, Order, Status
from adapters.shipbob.sandbox.seed import ItemSeed
from adapters.shipbob.sandbox.stats import Stats
from adapters.shipbob.sandbox.truth import level_report, stats_report, truth_report

HELD = {"exception": Status.EXCEPTION, "on_hold": Status.ON_HOLD}


class ControlFace:
    """Everything under /_control/. It is never slow, never fails by chance and needs no token."""

    def __init__(
        self, depot: Depot, floor: Floor, deliveries: Deliveries, access: Access, faults: Faults, stats: Stats
    ) -> None:
        self._depot = depot
        self._floor = floor
        self._deliveries = deliveries
        self._access = access
        self._faults = faults
        self._stats = stats

    def add_routes(self, app: web.Application) -> None:
        posts: dict[str, Answer] = {
            "items": self.add_items,
            "levels": self.count,
            "receive": self.receive,
            "orders/{key}/ship": self.ship,
            "orders/{key}/exception": self.hold,
            "orders/{key}/cancel": self.cancel,
            "faults": self.set_faults,
            "tokens/expire": self.revoke,
        }
        gets: dict[str, Answer] = {"truth": self.truth, "stats": self.stats, "faults": self.faults}
        add_control_routes(app, posts, gets)

    # --- the shelves --------------------------------------------------------------------------------------------

    async def add_items(self, request: web.Request) -> web.Response:
        """{items: [{sku, name? or title?, on_hand? or quantity?}]}, or such a list, or one such item."""
        seeds: list[ItemSeed] = []
        for form in item_forms(await request.read()):
            seed = _read_item(form)
            if seed.sku in self._depot.items or any(one.sku == seed.sku for one in seeds):
                raise form.bad("sku", f"{seed.sku} exists already", "choose another sku")
            seeds.append(seed)
        items = [self._depot.add_item(seed) for seed in seeds]
        made = [{"sku": item.sku, "inventory_id": item.inventory_id, "product_id": item.product_id} for item in items]
        return web.json_response({"items": made}, status=201)

    async def count(self, request: web.Request) -> web.Response:
        """A person counts a shelf and types what is there."""
        form = Form.of(await request.read())
        item, location_id = self._item(form), self._location(form)
        on_hand = form.whole("on_hand", minimum=0)
        form.done()
        self._depot.count(item, location_id, on_hand)
        self._floor.restock(item)
        return web.json_response(level_report(item, self._depot.level(item, location_id)))

    async def receive(self, request: web.Request) -> web.Response:
        """Goods arrive, and go first to what waits for them."""
        form = Form.of(await request.read())
        item, location_id = self._item(form), self._location(form)
        quantity = form.whole("quantity", minimum=1)
        form.done()
        self._depot.receive(item, location_id, quantity)
        self._floor.restock(item)
        return web.json_response(level_report(item, self._depot.level(item, location_id)))

    # --- orders -------------------------------------------------------------------------------------------------

    async def ship(self, request: web.Request) -> web.Response:
        """Let whatever of an order has not left leave now."""
        order = self._order(request)
        Form.of(await request.read()).done()
        refusals = [self._floor.ship(order, shipment) for shipment in order.shipments if shipment.open] or [
            "none is open"
        ]
        said = [refusal for refusal in refusals if refusal is not None]
        if len(said) == len(refusals):
            raise Refused(
                "id", f"nothing of {order.reference} can leave: {said[0]}", "receive stock, or take another order"
            )
        return _order_answer(order)

    async def hold(self, request: web.Request) -> web.Response:
        """Stop an order: {reason, status?: exception or on_hold}."""
        order = self._order(request)
        form = Form.of(await request.read())
        reason = form.text("reason")
        given = form.text("status", "exception")
        if given not in HELD:
            raise form.bad("status", "is none of the choices", f"give one of {', '.join(HELD)}")
        form.done()
        held = [shipment for shipment in order.shipments if shipment.open]
        if not held:
            raise Refused("id", f"{order.reference} is {order.status} already", "take an order that has not left")
        for shipment in held:
            self._floor.hold(order, shipment, reason, HELD[given])
        return _order_answer(order)

    async def cancel(self, request: web.Request) -> web.Response:
        """A person at the warehouse cancels what has not been picked."""
        order = self._order(request)
        Form.of(await request.read()).done()
        refusals = [self._floor.cancel(order, shipment) for shipment in order.shipments]
        if all(refusals):
            raise Refused("id", f"{order.reference}: {refusals[0]}", "take an order that is not being picked")
        return _order_answer(order)

    # --- what goes wrong ----------------------------------------------------------------------------------------

    async def set_faults(self, request: web.Request) -> web.Response:
        change_faults(Form.of(await request.read()), self._faults)
        return await self.faults(request)

    async def revoke(self, request: web.Request) -> web.Response:
        """Refuse the token from now on, or with {refused: false} take it again."""
        form = Form.of(await request.read())
        refused = form.flag("refused", default=True)
        form.done()
        self._access.revoked = refused
        return web.json_response({"refused": refused})

    # --- reports ------------------------------------------------------------------------------------------------

    async def truth(self, request: web.Request) -> web.Response:
        return web.json_response(truth_report(self._depot, self._deliveries))

    async def stats(self, request: web.Request) -> web.Response:
        return web.json_response(stats_report(self._stats, self._deliveries, self._faults))

    async def faults(self, request: web.Request) -> web.Response:
        return web.json_response(fault_report(self._faults))

    # --- reading ------------------------------------------------------------------------------------------------

    def _item(self, form: Form) -> Item:
        sku = form.text("sku")
        if sku not in self._depot.items:
            raise form.bad("sku", f"this account has no {sku}", "add it with POST /_control/items")
        return self._depot.items[sku]

    def _location(self, form: Form) -> int:
        location_id = form.whole("location_id", self._depot.seed.location_id)
        known = [location.id for location in self._depot.locations]
        if location_id not in known:
            raise form.bad("location_id", f"there is no location {location_id}", f"give one of {known}")
        return location_id

    def _order(self, request: web.Request) -> Order:
        key = request.match_info["key"]
        order = self._depot.by_reference.get(key)
        if order is None and key.isascii() and key.isdecimal():
            order = self._depot.orders.get(int(key))
        if order is None:
            raise Missing(f"this account has no order {key}", "take a reference or an id from GET /_control/truth")
        return order


def _read_item(form: Form) -> ItemSeed:
    name = form.optional_text("title" if form.has("title") else "name") or ""
    on_hand = form.whole("quantity" if form.has("quantity") else "on_hand", 0, minimum=0)
    seed = ItemSeed(form.text("sku"), name, on_hand)
    form.optional_text("gtin")  # every sandbox may be told of one; this one has no use for it
    form.done()
    return seed


def _order_answer(order: Order) -> web.Response:
    return web.json_response({"id": str(order.id), "reference": order.reference, "status": order.status})

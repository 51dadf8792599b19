"""An account that answers what it is told to, and orders and shipments as ShipBob prints them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from adapters.contract import Address
from adapters.shipbob import ShipbobSettings
from adapters.shipbob.wire import OrderView
from adapters.warehouse import ShipmentLine, ShipmentOrder
from tests.unit.shopify.doubles import NOW

BASE_URL = "https://shipbob.example"
SECRET = "whsec_c3luY2Qtc2hpcGJvYi10ZXN0LTI0LWJ5"
CHANNEL = 128944
LOCATION = 8
Json = dict[str, Any]
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]

ANN = Address("Ann Roe", ("1 Main Street", "Flat 2"), "Springfield", "IL", "62701", "US")


def settings(**changes: object) -> ShipbobSettings:
    given: dict[str, object] = {
        "base_url": BASE_URL,
        "token": "pat-hush",
        "channel_id": CHANNEL,
        "location_id": LOCATION,
        "webhook_secret": SECRET,
    }
    return ShipbobSettings(**{**given, **changes})  # type: ignore[arg-type] # a builder of one frozen value


class ScriptedAccount:
    """Answers each operation ("GET order") with the next scripted answer, the last one for ever. Remembers calls."""

    def __init__(self) -> None:
        self.scripts: dict[str, list[Answer]] = {}
        self.requests: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self._answer)

    def script(self, operation: str, *answers: Answer) -> None:
        self.scripts[operation] = list(answers)

    def asked(self, operation: str) -> list[httpx.Request]:
        return [request for request in self.requests if _operation(request) == operation]

    def sent(self, operation: str) -> list[Any]:
        return [msgspec.json.decode(request.content) for request in self.asked(operation)]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answers = self.scripts[_operation(request)]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)


def _operation(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path.removeprefix('/2026-01/')}"


def ok(body: object, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def too_many(**headers: str) -> httpx.Response:
    body = {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 25 seconds."}
    return ok(body, 429, **headers)


def an_order(reference: str = "syncd-1", *lines: tuple[str, int], ship_to: Address = ANN) -> ShipmentOrder:
    """What we ask for: one RED, unless a test wants other lines."""
    wanted = lines or (("RED", 1),)
    return ShipmentOrder(
        reference=reference,
        order_name="#1001",
        ship_to=ship_to,
        lines=tuple(
            ShipmentLine(f"line-{at}", sku, quantity, f"{sku} thing") for at, (sku, quantity) in enumerate(wanted)
        ),
        placed_at=NOW,
    )


def shipped_product(sku: str, *inventory: tuple[int, int]) -> Json:
    """A product in a shipment; `inventory`: (inventory item, pieces)."""
    items = [{"id": item, "quantity": quantity, "quantity_committed": quantity} for item, quantity in inventory]
    return {"id": 5, "reference_id": sku, "sku": sku, "name": sku, "inventory_items": items}


def a_shipment(status: str | None = "Processing", *products: Json, **more: object) -> Json:
    return {"id": 71, "status": status, "status_details": [], "products": list(products), "tracking": None, **more}


def tracking(number: str = "1Z1") -> Json:
    return {
        "carrier": "UPS",
        "carrier_service": "UPS Ground",
        "tracking_number": number,
        "tracking_url": f"https://ups.example/{number}",
        "shipping_date": "2026-11-22T18:30:00+00:00",
    }


def order_json(*shipments: Json, ordered: dict[str, int] | None = None, **more: object) -> Json:
    """An order as ShipBob prints it: one RED of ours, in Processing."""
    wanted = {"RED": 1} if ordered is None else ordered
    return {
        "id": 55,
        "reference_id": "syncd-1",
        "order_number": "#1001",
        "status": "Processing",
        "type": "DTC",
        "channel": {"id": CHANNEL, "name": "syncd"},
        "products": [{"id": 5, "reference_id": sku, "sku": sku, "quantity": number} for sku, number in wanted.items()],
        "shipments": list(shipments),
        **more,
    }


def view(order: Json) -> OrderView:
    return msgspec.convert(order, OrderView)


def level(fulfillable: object, location_id: object = LOCATION) -> Json:
    return {
        "location_id": location_id,
        "name": "Cicero (IL)",
        "on_hand_quantity": 99,
        "fulfillable_quantity": fulfillable,
        "committed_quantity": 4,
    }


def item_json(sku: object, *levels: Json, inventory_id: int = 1) -> Json:
    return {"inventory_id": inventory_id, "sku": sku, "name": "thing", "locations": list(levels)}


def levels_page(*items: object, after: str | None = None) -> httpx.Response:
    """A page of levels; `after`: the address of the next one."""
    return ok({"items": list(items), "next": after, "prev": None, "first": None, "last": None})

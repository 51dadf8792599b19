"""What each of the vendor's operations does: (status, JSON) of a request that reached the account."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.shipbob.sandbox.depot import Depot
from adapters.shipbob.sandbox.floor import Floor
from adapters.shipbob.sandbox.order_form import Invalid, read_order
from adapters.shipbob.sandbox.order_list import BadQuery, listed, whole
from adapters.shipbob.sandbox.records import Json, Order
from adapters.shipbob.sandbox.stats import Stats
from adapters.shipbob.sandbox.subscriptions import SECRET, Subscription, Subscriptions, Topic
from adapters.shipbob.sandbox.views import Views, instant

LEVELS_A_PAGE = 50
MOST_LEVELS_A_PAGE = 250


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as an operation sees it. `read_at` is set when a replica answers that is behind."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    read_at: datetime | None


Operation = Callable[[Asked], tuple[int, Any]]


class Operations:
    """Every operation of the account. They raise Invalid (422) and BadQuery (400)."""

    def __init__(self, depot: Depot, floor: Floor, views: Views, subscriptions: Subscriptions, stats: Stats) -> None:
        self._depot = depot
        self._floor = floor
        self._views = views
        self._subscriptions = subscriptions
        self._stats = stats

    # --- the account and its shelves ----------------------------------------------------------------------------

    def channels(self, asked: Asked) -> tuple[int, Json]:
        return 200, {"items": [self._views.channel()], "next": None, "prev": None}

    def locations(self, asked: Asked) -> tuple[int, list[Json]]:
        return 200, [self._views.location(location) for location in self._depot.locations]

    def levels(self, asked: Asked) -> tuple[int, Json]:
        """A page of items. The cursor names the last inventory item of the page before."""
        query = asked.query
        size = whole(query, "PageSize", LEVELS_A_PAGE, most=MOST_LEVELS_A_PAGE)
        location_id = whole(query, "LocationId", 0, most=2**31 - 1) or None
        after = _position(query.get("Cursor"))
        search = query.get("SearchBy", "").lower()
        wanted = query["InventoryIds"].split(",") if "InventoryIds" in query else None
        found = [
            item
            for item in self._depot.items.values()
            if item.inventory_id > after
            and (search in item.sku.lower() or search in item.name.lower())
            and (wanted is None or str(item.inventory_id) in wanted)
            and (location_id is None or location_id in item.levels)
        ]
        page = found[:size]
        path = f"/{self._depot.seed.api_version}/inventory-level/locations"
        kept = "".join(f"&{name}={query[name]}" for name in ("LocationId", "SearchBy") if name in query)
        more = f"{path}?Cursor={_cursor(page[-1].inventory_id)}&PageSize={size}{kept}" if len(found) > size else None
        return 200, {
            "items": [self._views.levels(item, asked.read_at, location_id) for item in page],
            "first": f"{path}?PageSize={size}{kept}" if after else None,
            "prev": None,
            "next": more,
            "last": None,
        }

    # --- orders -------------------------------------------------------------------------------------------------

    def create_order(self, asked: Asked) -> tuple[int, Json]:
        form, lines, location_id = read_order(asked.body, self._depot)
        reference = form["reference_id"]
        if reference in self._depot.by_reference:
            self._stats.duplicates_refused += 1
            raise Invalid({"reference_id": ["An order with this reference id already exists in the channel."]})
        order = self._depot.place(reference, form, lines, location_id)
        self._floor.take_in(order)
        self._stats.writes_applied += 1
        return 201, self._views.order(order)

    def orders(self, asked: Asked) -> tuple[int, list[Json]]:
        return 200, [self._views.order(order) for order in listed(self._depot, asked.query)]

    def order(self, asked: Asked) -> tuple[int, Json | None]:
        order = self._order(asked)
        return (200, self._views.order(order)) if order is not None else (404, None)

    def shipments(self, asked: Asked) -> tuple[int, list[Json] | None]:
        order = self._order(asked)
        if order is None:
            return 404, None
        return 200, [self._views.shipment(order, shipment) for shipment in order.shipments]

    def shipment(self, asked: Asked) -> tuple[int, Json | None]:
        for order in self._depot.orders.values():
            for shipment in order.shipments:
                if str(shipment.id) == asked.path["id"]:
                    return 200, self._views.shipment(order, shipment)
        return 404, None

    def cancel_order(self, asked: Asked) -> tuple[int, Json | None]:
        """Cancel what can be, shipment by shipment. 200 says only that each of them has an answer."""
        order = self._order(asked)
        if order is None:
            return 404, None
        if order.status == "Cancelled":
            raise Invalid({"orderId": ["The order has been cancelled before."]})
        refusals = {one.id: self._floor.cancel(order, one) for one in order.shipments if one.status != "Cancelled"}
        done = sum(refusal is None for refusal in refusals.values())
        self._stats.writes_applied += done
        status = "Success" if done == len(refusals) else "PartialSuccess" if done else "Failure"
        results = [
            {"shipment_id": shipment_id, "action": "Cancel", "is_success": refusal is None, "reason": refusal}
            for shipment_id, refusal in refusals.items()
        ]
        return 200, {
            "order_id": order.id,
            "order": self._views.order(order),
            "status": status,
            "canceled_shipment_results": results,
        }

    # --- webhooks -----------------------------------------------------------------------------------------------

    def webhooks(self, asked: Asked) -> tuple[int, Json]:
        items = [{**_subscription(one), "enabled": one.enabled} for one in self._subscriptions.listed()]
        return 200, {"items": items, "next": None, "prev": None}

    def create_webhook(self, asked: Asked) -> tuple[int, Json]:
        form = asked.body if isinstance(asked.body, dict) else {}
        url, topics, secret = form.get("url"), form.get("topics"), form.get("secret")
        schemes = ("https://", "http://") if self._depot.seed.allow_http_urls else ("https://",)
        if not isinstance(url, str) or not url.startswith(schemes):
            raise Invalid({"url": ["The URL must use HTTPS."]})
        if not isinstance(topics, list) or not topics or not set(topics) <= {topic.value for topic in Topic}:
            raise Invalid({"topics": ["Give at least one of the known topics."]})
        if secret is not None and not (isinstance(secret, str) and SECRET.fullmatch(secret)):
            raise Invalid({"secret": ["The secret must be whsec_ and 32 characters of base64."]})
        made = self._subscriptions.add(url, [Topic(topic) for topic in topics], secret, form.get("description"))
        return 200, {**_subscription(made), "secret": made.secret}

    def delete_webhook(self, asked: Asked) -> tuple[int, None]:
        return (204 if self._subscriptions.remove(asked.path["id"]) else 404), None

    def _order(self, asked: Asked) -> Order | None:
        return self._depot.orders.get(int(asked.path["id"]))


def _subscription(subscription: Subscription) -> Json:
    return {
        "id": subscription.id,
        "url": subscription.url,
        "topics": [topic.value for topic in subscription.topics],
        "description": subscription.description,
        "created_at": instant(subscription.created_at),
    }


def _cursor(inventory_id: int) -> str:
    return base64.urlsafe_b64encode(f"after:{inventory_id}".encode()).decode()


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(cursor).decode().partition(":")
        if word == "after":
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise BadQuery("Cursor", "The cursor is not one of ours.")

"""One order, rendered in both shapes that Shopify gives it: a GraphQL node and a webhook payload."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec

from adapters.contract import Malformed, News, OrderLine, OrderNews, OrderState, RawEvent
from adapters.events import POLL_TOPIC
from adapters.shopify.webhook import resolve
from tests.unit.shopify.doubles import page

LOCATION = "gid://shopify/Location/7001"
ORDER_ID = 820982911946154508  # beyond 2**53: a float would lose its last digits
LEFT_AT = datetime(2026, 11, 22, 9, 45, tzinfo=UTC)
Json = dict[str, Any]


@dataclass(frozen=True)
class ALine:
    id: int = 866550311766439020
    variant: int | None = 49121760117052
    sku: str | None = "RED-CLOCK"
    quantity: Any = 2
    current: Any = None  # None: nothing was removed
    shipped: int = 0
    price: str = "885.95"
    requires_shipping: bool = True

    @property
    def current_quantity(self) -> Any:
        return self.quantity if self.current is None else self.current

    @property
    def unsent(self) -> Any:
        held = self.current_quantity
        return held - min(self.shipped, held) if isinstance(held, int) else held

    def node(self, currency: str) -> Json:
        return {
            "id": f"gid://shopify/LineItem/{self.id}",
            "sku": self.sku,
            "quantity": self.quantity,
            "currentQuantity": self.current_quantity,
            "unfulfilledQuantity": self.unsent,
            "nonFulfillableQuantity": 0,
            "requiresShipping": self.requires_shipping,
            "variant": {"id": f"gid://shopify/ProductVariant/{self.variant}"} if self.variant else None,
            "originalUnitPriceSet": {"shopMoney": {"amount": self.price, "currencyCode": currency}},
        }

    def payload(self) -> Json:
        return {
            "id": self.id,
            "admin_graphql_api_id": f"gid://shopify/LineItem/{self.id}",
            "sku": self.sku,
            "quantity": self.quantity,
            "current_quantity": self.current_quantity,
            "fulfillable_quantity": self.unsent,
            "requires_shipping": self.requires_shipping,
            "variant_id": self.variant,
            "price": self.price,
        }


@dataclass(frozen=True)
class ARefund:
    """Units of one line refunded. `restock_type` in GraphQL's spelling."""

    quantity: Any = 1
    restock_type: str = "CANCEL"
    line: int = 866550311766439020
    location: int | None = 7001

    def node(self) -> Json:
        location = {"id": f"gid://shopify/Location/{self.location}"} if self.location else None
        line = {"id": f"gid://shopify/LineItem/{self.line}"}
        entry = {"quantity": self.quantity, "restockType": self.restock_type, "location": location, "lineItem": line}
        return {"id": "gid://shopify/Refund/5", "createdAt": "2026-11-22T10:00:00Z", "refundLineItems": page([entry])}

    def payload(self) -> Json:
        entry = {
            "line_item_id": self.line,
            "quantity": self.quantity,
            "restock_type": self.restock_type.lower(),
            "location_id": self.location,
        }
        return {"id": 5, "created_at": "2026-11-22T05:00:00-05:00", "refund_line_items": [entry]}


@dataclass(frozen=True)
class AParcel:
    """A fulfilment. `at` that is no instant stands in both shapes as it is; `status` in GraphQL's spelling."""

    at: Any = LEFT_AT
    status: Any = "SUCCESS"

    def node(self) -> Json:
        at = self.at.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(self.at, datetime) else self.at
        return {"createdAt": at, "status": self.status}

    def payload(self, sent: list[Json]) -> Json:
        new_york = timezone(timedelta(hours=-5))
        at = self.at.astimezone(new_york).isoformat() if isinstance(self.at, datetime) else self.at
        status = self.status.lower() if isinstance(self.status, str) else self.status
        return {"id": 1, "status": status, "created_at": at, "line_items": sent}


@dataclass(frozen=True)
class AnOrder:
    id: Any = ORDER_ID
    name: str = "#1001"
    lines: tuple[ALine, ...] = (ALine(),)
    refunds: tuple[ARefund, ...] = ()
    parcels: tuple[AParcel, ...] | None = None  # the first holds all that was sent; None: one, if anything was
    cancelled: bool = False
    test: bool = False
    currency: str = "USD"
    financial_status: str = "PAID"
    country: str | None = "US"
    shipped_to: bool = True
    updated_at: str = "2026-11-22T10:00:00Z"
    more: Json = field(default_factory=dict)  # overrides of the node, and of the payload

    def with_(self, **changes: Any) -> AnOrder:
        return replace(self, **changes)

    @property
    def _fulfillment_status(self) -> str:
        if not any(line.shipped for line in self.lines):
            return "UNFULFILLED"
        return "FULFILLED" if all(not line.unsent for line in self.lines) else "PARTIALLY_FULFILLED"

    @property
    def _parcels(self) -> tuple[AParcel, ...]:
        if self.parcels is not None:
            return self.parcels
        return (AParcel(),) if any(line.shipped for line in self.lines) else ()

    def node(self) -> Json:
        address = {
            "name": "Steve Shipper",
            "address1": "123 Shipping Street",
            "address2": None,
            "city": "Shippington",
            "provinceCode": "KY",
            "zip": "40003",
            "countryCodeV2": self.country,
        }
        return {
            "id": f"gid://shopify/Order/{self.id}",
            "name": self.name,
            "createdAt": "2026-11-22T09:00:00Z",
            "updatedAt": self.updated_at,
            "cancelledAt": "2026-11-22T10:00:00Z" if self.cancelled else None,
            "test": self.test,
            "displayFinancialStatus": self.financial_status,
            "displayFulfillmentStatus": self._fulfillment_status,
            "currencyCode": self.currency,
            "shippingAddress": address if self.shipped_to else None,
            "lineItems": page([line.node(self.currency) for line in self.lines]),
            "refunds": [refund.node() for refund in self.refunds],
            "fulfillments": [parcel.node() for parcel in self._parcels],
            **self.more,
        }

    def payload(self) -> Json:
        status = {"UNFULFILLED": None, "PARTIALLY_FULFILLED": "partial", "FULFILLED": "fulfilled"}
        address = {
            "first_name": "Steve",
            "name": "Steve Shipper",
            "address1": "123 Shipping Street",
            "address2": None,
            "city": "Shippington",
            "province": "Kentucky",
            "province_code": "KY",
            "zip": "40003",
            "country": "United States",
            "country_code": self.country,
        }
        sent = [{"id": line.id, "quantity": line.shipped} for line in self.lines if line.shipped]
        return {
            "id": self.id,
            "admin_graphql_api_id": f"gid://shopify/Order/{self.id}",
            "name": self.name,
            "created_at": "2026-11-22T04:00:00-05:00",
            "updated_at": self.updated_at.replace("T10:00:00Z", "T05:00:00-05:00"),
            "cancelled_at": "2026-11-22T05:00:00-05:00" if self.cancelled else None,
            "test": self.test,
            "financial_status": self.financial_status.lower(),
            "fulfillment_status": status[self._fulfillment_status],
            "currency": self.currency,
            "shipping_address": address if self.shipped_to else None,
            "line_items": [line.payload() for line in self.lines],
            "refunds": [refund.payload() for refund in self.refunds],
            "fulfillments": [parcel.payload([] if at else sent) for at, parcel in enumerate(self._parcels)],
            **self.more,
        }

    def polled(self) -> OrderState:
        return order_in(resolved(POLL_TOPIC, self.node()))

    def delivered(self) -> OrderState:
        return order_in(resolved("orders/updated", self.payload()))

    def state(self) -> OrderState:
        """The state, having checked that both shapes give the same."""
        polled, delivered = self.polled(), self.delivered()
        assert polled == delivered
        return polled

    def line(self) -> OrderLine:
        (line,) = self.state().lines
        return line


def resolved(topic: str, found: object) -> News:
    return resolve(RawEvent("key", topic, msgspec.json.encode(found)), LOCATION)


def order_in(news: News) -> OrderState:
    assert isinstance(news, OrderNews), news
    return news.order


def fault_in(news: News) -> str:
    assert isinstance(news, Malformed), news
    return news.problem.field

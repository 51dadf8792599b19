"""The Selling Partner API's operations that the sandbox knows, each bound to what it does."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.amazon.sandbox.errors import Json, Refusal, bad_request, denied
from adapters.amazon.sandbox.fba_inventory import inventory_summaries
from adapters.amazon.sandbox.gateway import Call, Operation
from adapters.amazon.sandbox.listing_search import asked_data, search_listings
from adapters.amazon.sandbox.listing_views import listing_view
from adapters.amazon.sandbox.order_desk import OrderDesk
from adapters.amazon.sandbox.order_index import OrderIndex
from adapters.amazon.sandbox.order_search import search_orders
from adapters.amazon.sandbox.order_views import Dataset, gated, whole_view
from adapters.amazon.sandbox.query import choices, listed
from adapters.amazon.sandbox.seller import Seller
from adapters.amazon.sandbox.shipment_confirmation import confirm_shipment
from adapters.amazon.sandbox.submissions import Submissions


class Operations:
    """One method an operation: from a request that got in to its answer."""

    def __init__(self, seller: Seller, index: OrderIndex, desk: OrderDesk, submissions: Submissions) -> None:
        self._seller = seller
        self._index = index
        self._desk = desk
        self._submissions = submissions

    def all(self) -> list[Operation]:
        orders, listings = "/orders/2026-01-01/orders", "/listings/2021-08-01/items/{sellerId}"
        confirmation = "/orders/v0/orders/{orderId}/shipmentConfirmation"
        return [
            Operation("searchOrders", "GET", orders, self.search_orders),
            Operation("getOrder", "GET", orders + "/{orderId}", self.get_order),
            Operation("confirmShipment", "POST", confirmation, self.confirm_shipment),
            Operation("searchListingsItems", "GET", listings, self.search_listings),
            Operation("getListingsItem", "GET", listings + "/{sku}", self.get_listing),
            Operation("patchListingsItem", "PATCH", listings + "/{sku}", self.patch_listing),
            Operation("getInventorySummaries", "GET", "/fba/inventory/v1/summaries", self.inventory_summaries),
            Operation(
                "getMarketplaceParticipations", "GET", "/sellers/v1/marketplaceParticipations", self.participations
            ),
        ]

    def search_orders(self, call: Call) -> Json:
        return search_orders(self._index, call.query, self._seller.now())

    def get_order(self, call: Call) -> Json:
        """An order as it stands now: getOrder knows at once what searches learn later."""
        asked = [Dataset(name) for name in choices(call.query, "includedData", [one.value for one in Dataset])]
        order = self._seller.orders.get(call.path["orderId"])
        if order is None:
            raise Refusal(404, "NotFound", "The requested order is not found.")
        return {"order": gated(whole_view(self._seller, order), asked)}

    def confirm_shipment(self, call: Call) -> None:
        confirm_shipment(self._seller, self._desk, call.path["orderId"], call.body)

    def search_listings(self, call: Call) -> Json:
        self._check_place(call.path, call.query)
        self._submissions.settle()
        return search_listings(self._seller, call.query, call.read_at)

    def get_listing(self, call: Call) -> Json:
        self._check_place(call.path, call.query)
        self._submissions.settle()
        asked, sku = asked_data(call.query), call.path["sku"]
        item = self._seller.items.get(sku)
        if item is None:
            message = f"SKU '{sku}' not found in marketplace {self._seller.marketplace.id}"
            raise Refusal(404, "NOT_FOUND", message)
        return listing_view(self._seller, item, asked, call.read_at)

    def patch_listing(self, call: Call) -> Json:
        self._check_place(call.path, call.query)
        self._submissions.settle()
        return self._submissions.patch(call.path["sku"], call.query, call.body)

    def inventory_summaries(self, call: Call) -> Json:
        return inventory_summaries(self._seller, call.query)

    def participations(self, call: Call) -> Json:
        """The seller takes part in one marketplace, and could in no other."""
        place = self._seller.marketplace
        marketplace = {
            "id": place.id,
            "name": place.name,
            "countryCode": place.country,
            "defaultCurrencyCode": self._seller.seed.currency,
            "defaultLanguageCode": "en_US",
            "domainName": f"www.{place.name.lower()}",
        }
        part = {"isParticipating": True, "hasSuspendedListings": False}
        return {"payload": [{"marketplace": marketplace, "participation": part, "storeName": "Red Clock"}]}

    def _check_place(self, path: Mapping[str, str], query: Mapping[str, str]) -> None:
        if path["sellerId"] != self._seller.seed.seller_id:
            raise denied(403, "The seller has not authorized this application.")
        if listed(query, "marketplaceIds") != [self._seller.marketplace.id]:
            raise bad_request("marketplaceIds must name the seller's marketplace.")

"""Everything about one SKU: its levels, what each listing of it shows, and the orders that want it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from syncd.insight.listings import ListingRow, listings_of, load_listings
from syncd.insight.orders import OrderRow, load_orders, open_orders_of
from syncd.insight.stock import SkuStock, load_skus

LISTINGS = 200
ORDERS = 50


@dataclass(frozen=True, slots=True)
class StockDetail:
    """`listings` end at LISTINGS and `orders` (open ones that want the SKU, the oldest first) at ORDERS."""

    stock: SkuStock
    listings: tuple[ListingRow, ...]
    listings_in_all: int
    orders: tuple[OrderRow, ...]
    more_orders: bool


def read_stock_detail(connection: Connection, sku_id: int) -> StockDetail:
    (stock,) = load_skus(connection, [sku_id])
    listing_ids, count = listings_of(connection, sku_id, LISTINGS)
    order_ids, more = open_orders_of(connection, sku_id, ORDERS)
    return StockDetail(stock, load_listings(connection, listing_ids), count, load_orders(connection, order_ids), more)

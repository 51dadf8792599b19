"""getOrders: by ids or by filter, in pages counted in records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from adapters.ebay.sandbox.calls import Call
from adapters.ebay.sandbox.errors import Json, fulfillment_error
from adapters.ebay.sandbox.order_filter import OrderFilter, read_filter
from adapters.ebay.sandbox.order_views import order_view
from adapters.ebay.sandbox.records import Order
from adapters.ebay.sandbox.seller import Seller

DEFAULT_WINDOW = timedelta(days=90)
MAX_IDS = 50
MAX_LIMIT = 200
DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Slice:
    limit: int
    offset: int


def search(seller: Seller, call: Call) -> Json:
    """One page. `orderIds` makes every other parameter meaningless, wrong ones included."""
    ids = call.query("orderIds")
    if ids is not None:
        return _page(seller, call, _by_ids(seller, ids), Slice(MAX_IDS, 0))
    field_groups = call.query("fieldGroups")
    if field_groups not in (None, "TAX_BREAKDOWN"):
        raise fulfillment_error(400, 32800, f"Invalid field group: {field_groups}")
    wanted = read_filter(call.query("filter"), seller.now())
    return _page(seller, call, _by_filter(seller, wanted), _slice(call))


def _by_ids(seller: Seller, text: str) -> list[Order]:
    ids = list(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    if len(ids) > MAX_IDS:
        raise fulfillment_error(400, 30900, f"Exceeded maximum number of order IDs (the current limit is {MAX_IDS})")
    found = [seller.visible(one) for one in ids]
    return [order for order in found if order is not None]


def _by_filter(seller: Seller, wanted: OrderFilter) -> Sequence[Order]:
    now = seller.now()
    if wanted.created is not None:
        found = seller.created_within(wanted.created.start, wanted.created.end)
    elif wanted.modified is not None:
        found = seller.modified_within(wanted.modified.start, wanted.modified.end)
    else:
        found = seller.created_within(now - DEFAULT_WINDOW, now)
    if wanted.statuses is None:
        return found
    return [order for order in found if order.fulfillment_status in wanted.statuses]


def _page(seller: Seller, call: Call, orders: Sequence[Order], cut: Slice) -> Json:
    page: Json = {
        "href": _href(call, cut.limit, cut.offset),
        "total": len(orders),
        "limit": cut.limit,
        "offset": cut.offset,
        "orders": [
            order_view(order, seller.seed, detailed=False) for order in orders[cut.offset : cut.offset + cut.limit]
        ],
    }
    if cut.offset + cut.limit < len(orders):
        page["next"] = _href(call, cut.limit, cut.offset + cut.limit)
    if cut.offset > 0:
        page["prev"] = _href(call, cut.limit, max(0, cut.offset - cut.limit))
    return page


def _href(call: Call, limit: int, offset: int) -> str:
    """A whole address, host included, unlike the Inventory API's."""
    return str(call.request.url.update_query(limit=limit, offset=offset))


def _slice(call: Call) -> Slice:
    limit, offset = call.query("limit"), call.query("offset")
    if limit is not None and not (_is_number(limit) and 1 <= int(limit) <= MAX_LIMIT):
        raise fulfillment_error(400, 31100, f"Invalid limit: {limit}")
    if offset is not None and not _is_number(offset):
        raise fulfillment_error(400, 31000, f"Invalid offset: {offset}")
    return Slice(int(limit or DEFAULT_LIMIT), int(offset or 0))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10

"""The `orders` search: filters, orders of sorting, pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from adapters.shopify.sandbox.errors import Json, VendorError
from adapters.shopify.sandbox.order_index import Entry
from adapters.shopify.sandbox.order_views import order_view
from adapters.shopify.sandbox.paging import Cursors, connection
from adapters.shopify.sandbox.records import Order
from adapters.shopify.sandbox.search_terms import Term, read_terms, unknown
from adapters.shopify.sandbox.shop import Shop

_STATUSES = ("any", "cancelled", "closed", "not_closed", "open")


def search_orders(
    shop: Shop, query: str | None, sort_key: str, *, reverse: bool, first: int | None, after: str | None
) -> Json:
    """A page of orders as far as the index knows them.

    The update filters look at the index, so an order whose change isn't indexed yet is found under its former update.
    """
    terms = read_terms(query)
    cursors = Cursors(query, sort_key, reverse)
    shop.index.catch_up(shop.now())
    by_update = sort_key == "UPDATED_AT"
    entries = _by_update(shop, terms, after, cursors, reverse) if by_update else _by_age(shop, after, cursors, reverse)
    return connection(
        _matching(shop, entries, terms, sorted_by_update=by_update and not reverse),
        first,
        lambda entry: cursors.write(entry[1], entry[0].isoformat()),
        lambda entry: order_view(shop.orders[entry[1]]),
        has_previous=after is not None,
    )


def _by_update(
    shop: Shop, terms: tuple[Term, ...], after: str | None, cursors: Cursors, reverse: bool
) -> Iterator[Entry]:
    since = [term.instant() for term in terms if term.field == "updated_at" and term.how in (">", ">=")]
    place: Entry | None = None
    if after is not None:
        last_id, last_value = cursors.read(after)
        place = (datetime.fromisoformat(last_value), last_id)
    return shop.index.by_update(place, max(since, default=None), reverse=reverse)


def _by_age(shop: Shop, after: str | None, cursors: Cursors, reverse: bool) -> Iterator[Entry]:
    return shop.index.by_age(cursors.read(after)[0] if after is not None else None, reverse=reverse)


def _matching(
    shop: Shop, entries: Iterator[Entry], terms: tuple[Term, ...], *, sorted_by_update: bool
) -> Iterator[Entry]:
    for entry in entries:
        if sorted_by_update and any(_past(term, entry[0]) for term in terms):
            return
        order = shop.orders[entry[1]]
        if shop.readable(order) and all(_holds(term, order, entry[0]) for term in terms):
            yield entry


def _past(term: Term, updated_at: datetime) -> bool:
    """Whether no later update can meet the term any more."""
    return term.field == "updated_at" and term.how in ("<", "<=") and not term.holds(updated_at)


def _holds(term: Term, order: Order, updated_at: datetime) -> bool:
    if term.field == "updated_at":
        return term.holds(updated_at)
    if term.field in ("created_at", "processed_at"):
        return term.holds(order.created_at)
    if term.field == "status":
        return _status_holds(term, order)
    if term.field == "name":
        return term.value.lstrip("#") == str(order.number)
    if term.field == "id":
        return term.holds_for_id(order.id)
    if term.field == "test":
        return term.value == str(order.test).lower()
    if term.field == "sku":
        return any(term.mentions(line.sku) for line in order.lines)
    raise unknown(term)


def _status_holds(term: Term, order: Order) -> bool:
    if term.value not in _STATUSES:
        raise VendorError(f"Invalid status `{term.value}`; use one of {', '.join(_STATUSES)}.", "BAD_REQUEST")
    closed = order.closed_at is not None
    cancelled = order.cancelled_at is not None
    return {
        "any": True,
        "cancelled": cancelled,
        "closed": closed,
        "not_closed": not closed,
        "open": not closed and not cancelled,
    }[term.value]

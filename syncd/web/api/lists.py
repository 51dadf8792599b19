"""The lists of the API: what each holds, what it can be asked for, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from syncd.db.tables import account
from syncd.insight.decisions import KINDS, DecisionRow, list_decisions
from syncd.insight.explain_listing import ExplainedListing, explain_listing
from syncd.insight.explain_order import ExplainedOrder, explain_order
from syncd.insight.listings import ListingRow, find_listing, list_listings
from syncd.insight.order_filter import OrderFilter
from syncd.insight.orders import OrderRow, find_order, list_orders
from syncd.insight.slices import Slice
from syncd.insight.stock import SkuStock, find_sku, list_stock
from syncd.insight.stock_detail import StockDetail, read_stock_detail
from syncd.insight.unknown import Ambiguous, Unknown, alike
from syncd.web.api.parameters import Parameter, a_choice, a_name, an_instant
from syncd.web.problems import Problem, wrong_parameter

Read = Callable[[Connection, int | None, int, Mapping[str, Any]], Slice[Any]]
ReadOne = Callable[[Connection, str], Any]


@dataclass(frozen=True, slots=True)
class ApiList:
    """GET /api/v1/NAME lists `row`s; GET /api/v1/NAME/ONE tells everything about one, a `detail`."""

    name: str
    summary: str
    row: type
    parameters: tuple[Parameter, ...]
    read: Read
    detail: type | None = None
    detail_summary: str = ""
    read_one: ReadOne | None = None


def _stock(connection: Connection, after: int | None, limit: int, asked: Mapping[str, Any]) -> Slice[SkuStock]:
    return list_stock(connection, after or 0, limit, _found(connection, asked, "sku", find_sku))


def _orders(connection: Connection, after: int | None, limit: int, asked: Mapping[str, Any]) -> Slice[OrderRow]:
    which = OrderFilter(asked["state"]) if "state" in asked else None
    account_id = _found(connection, asked, "account", _account)
    return list_orders(connection, after, limit, which, account_id, asked.get("since"))


def _listings(connection: Connection, after: int | None, limit: int, asked: Mapping[str, Any]) -> Slice[ListingRow]:
    account_id = _found(connection, asked, "account", _account)
    return list_listings(connection, after or 0, limit, account_id, _found(connection, asked, "sku", find_sku))


def _decisions(connection: Connection, after: int | None, limit: int, asked: Mapping[str, Any]) -> Slice[DecisionRow]:
    order_id = _found(connection, asked, "order", find_order)
    listing_id = _found(connection, asked, "listing", find_listing)
    return list_decisions(connection, after, limit, asked.get("kind"), order_id, listing_id)


def _found(
    connection: Connection, asked: Mapping[str, Any], name: str, find: Callable[[Connection, str], int]
) -> int | None:
    """The id of what a parameter names. Raises a Problem with what is like it."""
    if name not in asked:
        return None
    try:
        return find(connection, asked[name])
    except (Unknown, Ambiguous) as err:
        raise wrong_parameter(name, f"{asked[name]!r} is not one that is known", err.remedy) from err


def _account(connection: Connection, key: str) -> int:
    ids = {row.key: row.id for row in connection.execute(select(account.c.key, account.c.id).order_by(account.c.key))}
    if key not in ids:
        raise Unknown("account", key, alike(key, ids), f"There is {', '.join(ids) or 'none yet'}")
    return int(ids[key])


def _one(find: Callable[[Connection, str], int], read: Callable[[Connection, int], Any]) -> ReadOne:
    def read_one(connection: Connection, name: str) -> Any:
        try:
            found = find(connection, name)
        except Unknown as err:
            raise Problem(404, f"no {err.what} goes by {name!r}", err.remedy) from err
        except Ambiguous as err:
            raise Problem(409, f"several {err.what}s go by {name!r}", err.remedy) from err
        return read(connection, found)

    return read_one


_ACCOUNT = a_name("account", "Only of the account with this key.")

LISTS = (
    ApiList(
        "stock",
        "SKUs with their levels by warehouse, in the order they were taken in.",
        SkuStock,
        (a_name("sku", "Only this SKU, by its code or an alias."),),
        _stock,
        StockDetail,
        "A SKU with its listings and the open orders that want it.",
        _one(find_sku, read_stock_detail),
    ),
    ApiList(
        "orders",
        "Orders with what is reserved and what is missing, the last taken in first. Nothing of the buyer.",
        OrderRow,
        (
            a_choice(
                "state",
                "Only these; `short` and `in_review` are open orders to look at.",
                [s.value for s in OrderFilter],
            ),
            _ACCOUNT,
            an_instant("since", "Only placed at or after this."),
        ),
        _orders,
        ExplainedOrder,
        "An order with each decision about it: inputs, candidates, and why each was turned down.",
        _one(find_order, explain_order),
    ),
    ApiList(
        "listings",
        "Listings: what each may show, what it shows as far as we can explain it, and what we asked for.",
        ListingRow,
        (_ACCOUNT, a_name("sku", "Only made of this SKU.")),
        _listings,
        ExplainedListing,
        "A listing with every term of its number. Name it by its number here, or as ACCOUNT:SKU.",
        _one(find_listing, explain_listing),
    ),
    ApiList(
        "decisions",
        "Decisions with their inputs and outcomes, the newest first.",
        DecisionRow,
        (
            a_choice("kind", "Only of this kind.", KINDS),
            a_name("order", "Only about this order: its name or id at the channel, or its number here."),
            a_name("listing", "Only about this listing: its number here, or ACCOUNT:SKU."),
        ),
        _decisions,
    ),
)

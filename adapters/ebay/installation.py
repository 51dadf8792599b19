"""What eBay lets us do, for `syncd check`: one cheap call for each scope that the work needs."""

from __future__ import annotations

import msgspec

from adapters.contract import Identity
from adapters.ebay.inventory import ITEMS
from adapters.ebay.orders import ORDERS
from adapters.ebay.preferences import out_of_stock_warning
from adapters.ebay.refusals import MissingScope
from adapters.ebay.rest import Call, EbayRest
from adapters.ebay.settings import EbaySettings
from adapters.ebay.wire import Wire
from adapters.reading import entries, shaped, text

_PROBES = (("sell.inventory", ITEMS), ("sell.fulfillment", ORDERS))
API_VERSION = "v1"


class Sold(Wire, frozen=True):
    seller_id: object = None


class ProbePage(msgspec.Struct, frozen=True):
    orders: object = None


async def identify(rest: EbayRest, settings: EbaySettings) -> Identity:
    """Ask for one item, one order and the preferences. The seller's name is only known from an order."""
    granted, name = [], None
    for scope, path in _PROBES:
        try:
            page = await rest.ask(Call("GET", path, {"limit": "1", "offset": "0"}), ProbePage)
        except MissingScope:
            continue
        granted.append(scope)
        orders = [shaped(raw, Sold) for raw in entries(page.orders)]
        name = next((found for order in orders if order and (found := text(order.seller_id))), name)
    return Identity(
        name=f"{name or 'an eBay seller'} on {settings.marketplace_id}",
        scopes=tuple(granted),
        missing_scopes=tuple(scope for scope, _ in _PROBES if scope not in granted),
        api_version=API_VERSION,
        warnings=await _warnings(rest, settings),
    )


async def _warnings(rest: EbayRest, settings: EbaySettings) -> tuple[str, ...]:
    polled_only = None
    if settings.verification_token is None:
        polled_only = "no verification token: eBay cannot send its news, orders are polled only"
    return tuple(told for told in (polled_only, await out_of_stock_warning(rest)) if told is not None)

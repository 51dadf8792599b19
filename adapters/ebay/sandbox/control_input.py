"""The shapes of the control face's longer requests."""

from __future__ import annotations

from adapters.ebay.sandbox.marketplaces import country_of
from adapters.ebay.sandbox.order_desk import Wanted
from adapters.ebay.sandbox.records import Offer, ShipTo
from adapters.ebay.sandbox.seed import Format, ItemSeed
from adapters.ebay.sandbox.seller import Seller
from adapters.sandbox_kit.control_input import Form

_MAX_SKU = 50
_COUNTRY_LENGTH = 2


def read_item(form: Form) -> ItemSeed:
    seed = ItemSeed(
        sku=form.text("sku"),
        title=form.optional_text("title") or "",
        quantity=form.whole("quantity", 0, minimum=0),
        gtin=form.optional_text("gtin"),
        price=form.price("price", "10.00"),
        format=form.choice("format", Format, Format.FIXED_PRICE),
        capped=form.flag("capped", default=True),
        group=form.optional_text("group"),
        in_inventory=form.flag("in_inventory", default=True),
    )
    form.done()
    if len(seed.sku) > _MAX_SKU:
        raise form.bad("sku", f"is longer than {_MAX_SKU} characters", "choose a shorter one")
    return seed


def read_offer(form: Form, seller: Seller) -> Offer:
    sku = form.text("sku")
    offer = seller.offer_of(sku)
    if offer is None:
        raise form.bad("sku", f"this seller has no {sku}", "add it with POST /_control/items")
    return offer


def read_wanted(form: Form, seller: Seller) -> list[Wanted]:
    """The lines of an order: {sku, quantity}."""
    wanted = []
    for line in form.forms("lines"):
        wanted.append(Wanted(read_offer(line, seller), line.whole("quantity", minimum=1)))
        line.done()
    return wanted


def read_ship_to(form: Form | None, seller: Seller) -> ShipTo:
    """Nobody checks out without an address: what is not given is made up."""
    form = form or Form({}, "ship_to.")
    country = form.text("country", country_of(seller.seed.marketplace_id)).upper()
    if len(country) != _COUNTRY_LENGTH or not (country.isascii() and country.isalpha()):
        raise form.bad("country", "is not a code of two letters", "give ISO 3166-1 alpha-2, such as US")
    ship_to = ShipTo(
        name=form.text("name", "A Buyer"),
        address1=form.text("address1", "1 Main Street"),
        city=form.text("city", "Springfield"),
        country=country,
        **{name: form.optional_text(name) for name in ("address2", "province", "zip", "phone")},
    )
    form.done()
    return ship_to

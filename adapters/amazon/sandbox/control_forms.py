"""The shapes of the control face's longer requests."""

from __future__ import annotations

from adapters.amazon.sandbox.order_desk import Wanted
from adapters.amazon.sandbox.records import Item, ShipTo
from adapters.amazon.sandbox.seed import ItemSeed
from adapters.amazon.sandbox.seller import Seller
from adapters.sandbox_kit.control_input import Form


def read_item(form: Form) -> ItemSeed:
    """An item; without a `quantity` but with an `fba_quantity` only FBA sells it."""
    at_fba, by_merchant = form.has("fba_quantity"), form.has("quantity")
    fba = form.whole("fba_quantity", 0, minimum=0)
    offered = form.whole("quantity", 0, minimum=0)
    seed = ItemSeed(
        sku=form.text("sku"),
        title=form.optional_text("title") or "",
        quantity=offered if by_merchant or not at_fba else None,
        fba_quantity=fba if at_fba else None,
        asin=form.optional_text("asin"),
        gtin=form.optional_text("gtin"),
        price=form.price("price", "10.00"),
        product_type=form.text("product_type", "HOME"),
    )
    form.done()
    return seed


def read_known_item(form: Form, seller: Seller) -> Item:
    sku = form.text("sku")
    item = seller.items.get(sku)
    if item is None:
        raise form.bad("sku", f"this seller has no {sku}", "add it with POST /_control/items")
    return item


def read_wanted(form: Form, seller: Seller) -> list[Wanted]:
    wanted = []
    for line in form.forms("lines"):
        wanted.append(Wanted(read_known_item(line, seller), line.whole("quantity", minimum=1)))
        line.done()
    return wanted


def read_ship_to(form: Form | None) -> ShipTo:
    """An address; a few fields or none will do."""
    usual = ShipTo()
    if form is None:
        return usual
    country = form.text("country", usual.country).upper()
    if len(country) != 2 or not country.isalpha():
        raise form.bad("country", "is not a country", 'give an ISO 3166-1 code of two letters, such as "US"')
    ship_to = ShipTo(
        form.text("name", usual.name),
        form.text("address1", usual.address1),
        form.text("city", usual.city),
        form.text("zip", usual.zip),
        country,
        form.optional_text("province"),
    )
    form.done()
    return ship_to

"""The shapes of the control face's longer requests."""

from __future__ import annotations

from graphql import is_enum_type

from adapters.sandbox_kit.control_input import Form
from adapters.shopify.sandbox.order_desk import Part, Wanted
from adapters.shopify.sandbox.records import Address, Item, Line, Order
from adapters.shopify.sandbox.schema import load_schema
from adapters.shopify.sandbox.seed import ItemSeed, Policy
from adapters.shopify.sandbox.shop import Shop


def read_item(form: Form) -> ItemSeed:
    seed = ItemSeed(
        sku=form.text("sku"),
        title=form.optional_text("title") or "",
        barcode=form.optional_text("barcode"),
        quantity=form.whole("quantity", 0),
        policy=form.choice("policy", Policy, Policy.DENY),
        tracked=form.flag("tracked", default=True),
        price=form.price("price", "10.00"),
        requires_components=form.flag("requires_components", default=False),
        requires_shipping=form.flag("requires_shipping", default=True),
    )
    form.done()
    return seed


def read_wanted(form: Form, shop: Shop) -> list[Wanted]:
    """The lines of an order: {sku, quantity}, or {title, quantity, price} for something outside the catalogue."""
    wanted = []
    for line in form.forms("lines"):
        quantity = line.whole("quantity", minimum=1)
        if line.has("title"):
            wanted.append(Wanted(None, line.text("title"), line.price("price", "0.00"), quantity))
        else:
            item = read_known_item(line, shop)
            wanted.append(Wanted(item, item.title, item.price, quantity))
        line.done()
    _refuse_what_only_others_know(form)
    return wanted


def _refuse_what_only_others_know(form: Form) -> None:
    """Every channel's sandbox knows these fields; here each order is paid, and the shop ships none itself."""
    if form.flag("unpaid", default=False):
        raise form.bad("unpaid", "this shop sells nothing unpaid", "leave it out")
    if form.flag("by_channel", default=False):
        raise form.bad("by_channel", "this shop ships nothing from stock of its own", "leave it out")


def read_address(form: Form | None, shop: Shop) -> Address | None:
    if form is None:
        return None
    country = form.text("country", "DE").upper()
    known = load_schema().type_map["CountryCode"]
    if is_enum_type(known) and country not in known.values:
        raise form.bad("country", f"{country} is not known to the sandbox", f"give one of {', '.join(known.values)}")
    address = Address(
        id=shop.ids.deal(),
        country=country,
        **{name: form.optional_text(name) for name in ("name", "address1", "address2", "city", "province", "zip")},
        phone=form.optional_text("phone"),
    )
    form.done()
    return address


def read_fulfilment(form: Form, order: Order) -> list[tuple[Line, int]]:
    """The lines to ship: `lines` of {line_id or sku, quantity}, or everything that has not shipped."""
    if not form.has("lines"):
        return [(line, line.unfulfilled) for line in order.lines if line.unfulfilled]
    parts = []
    for part in form.forms("lines"):
        key = "line_id" if part.has("line_id") else "sku"
        wanted = part.text(key)
        line = next((one for one in order.lines if wanted in (str(one.id), one.sku)), None)
        if line is None:
            raise part.bad(key, f"the order has no line {wanted}", "give a line of this order")
        parts.append((line, part.whole("quantity", line.unfulfilled, minimum=1)))
        part.done()
    return parts


def read_part(form: Form, order: Order, shop: Shop) -> Part:
    """The lines meant by `line_id` or by `sku`; an item of the shop need not be in the order yet."""
    if form.has("line_id"):
        wanted = form.text("line_id")
        lines = tuple(line for line in order.lines if str(line.id) == wanted)
        if not lines:
            raise form.bad("line_id", f"the order has no line {wanted}", "give a line of this order")
        return Part(lines[0].item, lines)
    item = read_known_item(form, shop)
    return Part(item, tuple(line for line in order.lines if line.item is item))


def read_known_item(form: Form, shop: Shop) -> Item:
    sku = form.text("sku")
    item = shop.item_by_sku(sku)
    if item is None:
        raise form.bad("sku", f"this shop has no {sku}", "add it with POST /_control/items")
    return item

"""Reads an order as a client sends it, and says what the vendor would not take."""

from __future__ import annotations

from typing import Any

from adapters.shipbob.sandbox.depot import Depot
from adapters.shipbob.sandbox.records import Json, Line

TYPES = ("DTC", "DropShip", "B2B")
LONGEST_REFERENCE = 300
LONGEST_NAME = 300
REQUIRED = "The {} field is required."


class Invalid(Exception):
    """422: what is wrong, by field."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


def read_order(body: object, depot: Depot) -> tuple[Json, list[Line], int | None]:
    """The order's form, its lines and the location it asks for. Raises Invalid."""
    errors: dict[str, list[str]] = {}
    form = body if isinstance(body, dict) else {}
    reference = _text(form, "reference_id", "reference_id", errors)
    if len(reference) > LONGEST_REFERENCE:
        errors["reference_id"] = [f"The field must be at most {LONGEST_REFERENCE} characters long."]
    _text(form, "shipping_method", "shipping_method", errors)
    if form.get("type") not in TYPES:
        errors["type"] = [f"The value must be one of {', '.join(TYPES)}."]
    _read_recipient(form.get("recipient"), errors)
    lines = _read_lines(form.get("products"), depot, errors)
    location_id = _read_location(form.get("location_id"), depot, errors)
    if errors:
        raise Invalid(errors)
    return form, lines, location_id


def _read_recipient(recipient: Any, errors: dict[str, list[str]]) -> None:
    person = recipient if isinstance(recipient, dict) else {}
    name = _text(person, "name", "recipient.name", errors)
    if len(name) > LONGEST_NAME:
        errors["recipient.name"] = [f"The field must be at most {LONGEST_NAME} characters long."]
    address = person.get("address")
    place = address if isinstance(address, dict) else {}
    for field in ("address1", "city", "country"):
        value = _text(place, field, f"recipient.address.{field}", errors)
        if field == "country" and value and not (len(value) == 2 and value.isalpha()):
            errors["recipient.address.country"] = [f"{value} is not an ISO Alpha-2 country."]


def _read_lines(products: Any, depot: Depot, errors: dict[str, list[str]]) -> list[Line]:
    lines = []
    for at, product in enumerate(products if isinstance(products, list) else []):
        given = product if isinstance(product, dict) else {}
        place = f"products[{at}]"
        sku, name = _text(given, "reference_id", f"{place}.reference_id", errors), given.get("name")
        quantity = given.get("quantity")
        if not isinstance(name, str) or not name:
            errors[f"{place}.name"] = [REQUIRED.format("name")]
        if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 1:
            errors[f"{place}.quantity"] = ["The quantity must be at least 1."]
        elif sku in depot.items:
            lines.append(Line(depot.items[sku], quantity))
        elif sku:
            # Live makes a new product of it, which then lies in Exception; here it is a mistake worth seeing.
            errors[f"{place}.reference_id"] = [f"There is no product {sku}."]
    if not lines and not any(field.startswith("products") for field in errors):
        errors["products"] = ["An order needs at least one product."]
    return lines


def _read_location(location_id: Any, depot: Depot, errors: dict[str, list[str]]) -> int | None:
    if location_id is None:
        return None
    if not any(location.id == location_id for location in depot.locations):
        errors["location_id"] = [f"There is no location {location_id}."]
    return location_id if isinstance(location_id, int) else None


def _text(values: Json, name: str, field: str, errors: dict[str, list[str]]) -> str:
    value = values.get(name)
    if isinstance(value, str) and value.strip():
        return value
    errors[field] = [REQUIRED.format(name)]
    return ""

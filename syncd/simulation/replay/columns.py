"""Which column of a file holds what: guessed by the header of common exports, or told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from syncd.errors import SyncdError, suggest

REQUIRED: Final = ("order", "sku", "quantity", "at")
OPTIONAL: Final = ("customer", "price", "description", "country", "postcode", "city", "channel", "cancelled_at")
FIELDS: Final = (*REQUIRED, *OPTIONAL)

# By the export of whom: the column of each field. Names are compared without case, blanks, hyphens and underscores.
_EXPORTS: Final[Mapping[str, Mapping[str, str]]] = {
    "an invoice list": {
        "order": "InvoiceNo",
        "sku": "StockCode",
        "quantity": "Quantity",
        "at": "InvoiceDate",
        "customer": "CustomerID",
        "price": "UnitPrice",
        "description": "Description",
        "country": "Country",
    },
    "syncd simulate": {
        "order": "order",
        "sku": "sku",
        "quantity": "quantity",
        "at": "placed_at",
        "channel": "channel",
        "country": "country",
        "postcode": "postcode",
        "city": "city",
        "cancelled_at": "cancelled_at",
    },
    "Shopify": {
        "order": "Name",
        "sku": "Lineitem sku",
        "quantity": "Lineitem quantity",
        "at": "Created at",
        "customer": "Email",
        "price": "Lineitem price",
        "description": "Lineitem name",
        "country": "Shipping Country",
        "postcode": "Shipping Zip",
        "city": "Shipping City",
        "cancelled_at": "Cancelled at",
    },
    "Amazon": {
        "order": "amazon-order-id",
        "sku": "sku",
        "quantity": "quantity",
        "at": "purchase-date",
        "customer": "buyer-email",
        "price": "item-price",
        "description": "product-name",
        "country": "ship-country",
        "postcode": "ship-postal-code",
        "city": "ship-city",
    },
    "eBay": {
        "order": "Order Number",
        "sku": "Custom Label",
        "quantity": "Quantity",
        "at": "Sale Date",
        "customer": "Buyer Username",
        "price": "Sold For",
        "description": "Item Title",
        "country": "Ship To Country",
        "postcode": "Ship To Zip",
        "city": "Ship To City",
    },
}


class OrdersUnreadable(SyncdError):
    """The file cannot be replayed; the message names what was seen, what is wanted, and the remedy."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions by field. `source`: whose export it looks like."""

    source: str
    at: Mapping[str, int]
    width: int
    carries_down: bool  # only the first line of an order names what all of them share, as Shopify has it

    def cell(self, cells: Sequence[str], field: str) -> str:
        index = self.at.get(field)
        return "" if index is None or index >= len(cells) else cells[index].strip()


def find_columns(path: Path, header: Sequence[str], told: Mapping[str, str]) -> Columns:
    """The columns of a header; `told` are column names by field, which go before any guess. Raises OrdersUnreadable."""
    seen = {_plain(name): index for index, name in reversed(list(enumerate(header))) if name.strip()}
    source, guess = max(_EXPORTS.items(), key=lambda each: _fitness(each[1], seen))
    problems = [
        f"--map {field}={name}: there is no field {field!r}. {suggest(field, FIELDS, 'Leave it out.')}"
        for field, name in told.items()
        if field not in FIELDS
    ]
    problems += [
        f"--map {field}={name}: the file has no column {name!r}. {suggest(name, header, 'Name one that it has.')}"
        for field, name in told.items()
        if field in FIELDS and _plain(name) not in seen
    ]
    wanted = {**guess, **{field: name for field, name in told.items() if field in FIELDS}}
    found = {field: seen[_plain(name)] for field, name in wanted.items() if _plain(name) in seen}
    missing = [field for field in REQUIRED if field not in found]
    if missing and not problems:
        problems.append(f"no column is known for {', '.join(missing)}. Name it, like --map {missing[0]}=COLUMN")
    if problems:
        raise OrdersUnreadable(
            path,
            "\n  ".join(
                [
                    "its columns do not fit",
                    *problems,
                    f"seen: {', '.join(name for name in header if name.strip()) or 'none'}",
                    f"wanted: {', '.join(REQUIRED)}; if you like {', '.join(OPTIONAL)}",
                ]
            ),
        )
    return Columns(source, found, len(header), source == "Shopify")


def read_told(pairs: Iterable[str]) -> dict[str, str]:
    """`field=Column` as typed. Raises ValueError for what is not so."""
    told = {}
    for pair in pairs:
        field, equals, name = pair.partition("=")
        if not equals or not field.strip() or not name.strip():
            raise ValueError(f"{pair!r} is no mapping: write field=Column, like sku=StockCode")
        told[field.strip()] = name.strip()
    return told


def _fitness(guess: Mapping[str, str], seen: Mapping[str, int]) -> tuple[int, int]:
    return sum(_plain(guess[field]) in seen for field in REQUIRED), sum(_plain(name) in seen for name in guess.values())


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())

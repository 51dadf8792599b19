"""Which SKUs a violation concerns: the one it names, else what its line, order, listing or request is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Executable, select

from syncd.db.statements import Given, Statement, statement
from syncd.db.tables import line_component, listing_component, order_line, shipment_request_line
from syncd.reconcile.pages import Row

NO_SKU: Final = 0


def read_concerned(connection: Connection, rows: Sequence[Row]) -> list[tuple[int, ...]]:
    """The SKUs of each row, in the order given; (NO_SKU,) for one that concerns none. A statement a kind of row."""
    found: dict[tuple[str, int], set[int]] = {}
    for name, skus_of in _SKUS_OF.items():
        wanted = sorted({int(row[name]) for row in rows if _named_by(row) == name})
        if wanted:
            for it, sku_id in skus_of(connection, wanted=[(each,) for each in wanted]):
                found.setdefault((name, it), set()).add(sku_id)
    return [_of_row(row, found) for row in rows]


def _of_row(row: Row, found: dict[tuple[str, int], set[int]]) -> tuple[int, ...]:
    sku_id = as_id(row.get("sku_id"))
    if sku_id is not None:
        return (sku_id,)
    name = _named_by(row)
    return tuple(sorted(found.get((name, row[name]), ()))) or (NO_SKU,) if name else (NO_SKU,)


def _named_by(row: Row) -> str | None:
    """The column that leads to a row's SKUs; None where it names its SKU itself, or nothing does."""
    if as_id(row.get("sku_id")) is not None:
        return None
    return next((name for name in _SKUS_OF if as_id(row.get(name)) is not None), None)


def as_id(value: Any) -> int | None:
    """An id as it stands in a column of keys; None for nothing, and for the text or fraction of somebody's hand."""
    return value if isinstance(value, int) else None


@statement
def _of_lines(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    made_of = select(line_component.c.order_line_id, line_component.c.sku_id)
    return made_of.join(wanted, wanted.c.id == line_component.c.order_line_id)


@statement
def _of_orders(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    lines = select(order_line.c.order_id, line_component.c.sku_id)
    return lines.join(wanted, wanted.c.id == order_line.c.order_id).join(
        line_component, line_component.c.order_line_id == order_line.c.id
    )


@statement
def _of_listings(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    made_of = select(listing_component.c.listing_id, listing_component.c.sku_id)
    return made_of.join(wanted, wanted.c.id == listing_component.c.listing_id)


@statement
def _of_requests(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    asked = select(shipment_request_line.c.request_id, shipment_request_line.c.sku_id)
    return asked.join(wanted, wanted.c.id == shipment_request_line.c.request_id)


_SKUS_OF: Final[dict[str, Statement]] = {
    "order_line_id": _of_lines,
    "order_id": _of_orders,
    "listing_id": _of_listings,
    "request_id": _of_requests,
}
"""The first of them that a row has leads to its SKUs."""

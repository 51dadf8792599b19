"""How many units of each order line have left, from the pieces that a warehouse says have. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.catalogue.codes import normalise
from syncd.fulfilment.request import Part, Request
from syncd.orders.book import LineBook


def note_pieces(request: Request, shipped: Mapping[str, int]) -> list[Part]:
    """Share the pieces out among the request's parts, oldest line first; the parts of which more have left now.

    Pieces that have left once stay so, and nothing is noted beyond what was asked for.
    """
    left: dict[str, int] = {}
    for code, pieces in shipped.items():
        left[normalise(code)] = left.get(normalise(code), 0) + pieces
    moved = []
    for part in request.parts:
        name = normalise(part.warehouse_sku)
        pieces = max(0, min(part.pieces, left.get(name, 0)))
        left[name] = left.get(name, 0) - pieces
        if pieces > part.shipped:
            part.shipped = pieces
            moved.append(part)
    return moved


def units_to_book(request: Request, line: LineBook) -> int:
    """Units of a line that have left and are still reserved. A kit has left when all of its components have.

    The channel may have said before that some have left: what was reserved for them is gone already.
    """
    per_unit = dict(line.components)
    asked = min(part.pieces // per_unit[part.sku_id] for part in request.parts if part.line is line)
    return max(0, line.handed(request.warehouse_id) - (asked - units_left(request, line)))


def units_left(request: Request, line: LineBook) -> int:
    """Whole units of a line that have left."""
    per_unit = dict(line.components)
    return min(part.shipped // per_unit[part.sku_id] for part in request.parts if part.line is line)


def missing_pieces(request: Request) -> int:
    """Pieces asked for that have not left."""
    return sum(part.pieces - part.shipped for part in request.parts)

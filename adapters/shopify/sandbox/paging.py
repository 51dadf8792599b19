"""Connections: pages of records behind opaque cursors."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, TypeVar

from adapters.shopify.sandbox.errors import Json, VendorError

PAGE_LIMIT = 250

T = TypeVar("T")


def page_size(first: int | None) -> int:
    """The asked-for size, if the vendor allows it. The wording of the refusals is from memory."""
    if first is None:
        raise VendorError("you must provide one of first or last", "BAD_REQUEST")
    if not 0 <= first <= PAGE_LIMIT:
        raise VendorError(f"first must be between 0 and {PAGE_LIMIT}", "BAD_REQUEST")
    return first


class Cursors:
    """Writes and reads cursors that are good for one search only: another query or order refuses them."""

    def __init__(self, *search: object) -> None:
        self._search = hashlib.sha256(repr(search).encode()).hexdigest()[:12]

    def write(self, last_id: int, last_value: str = "") -> str:
        plain = json.dumps({"last_id": last_id, "last_value": last_value, "search": self._search})
        return base64.urlsafe_b64encode(plain.encode()).decode()

    def read(self, cursor: str) -> tuple[int, str]:
        try:
            plain: Any = json.loads(base64.urlsafe_b64decode(cursor))
            if plain["search"] == self._search:
                return int(plain["last_id"]), str(plain["last_value"])
        except (binascii.Error, ValueError, KeyError, TypeError):
            pass
        raise VendorError("Invalid cursor for current pagination sort.", "BAD_REQUEST")


def connection(
    rows: Iterable[T],
    first: int | None,
    cursor_of: Callable[[T], str],
    view_of: Callable[[T], Json],
    *,
    has_previous: bool = False,
) -> Json:
    """A page of the first rows. Only one row more than asked for is drawn, to see whether there is a next page."""
    size = page_size(first)
    drawn = list(islice(rows, size + 1))
    page = drawn[:size]
    cursors = [cursor_of(row) for row in page]
    nodes = [view_of(row) for row in page]
    return {
        "nodes": nodes,
        "edges": [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, nodes, strict=True)],
        "pageInfo": {
            "hasNextPage": len(drawn) > size,
            "hasPreviousPage": has_previous,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def list_connection(
    rows: Sequence[T],
    first: int | None,
    after: str | None,
    id_of: Callable[[T], int],
    view_of: Callable[[T], Json],
    search: str = "",
) -> Json:
    """A page of a short list that is in order of id."""
    cursors = Cursors(search)
    last = cursors.read(after)[0] if after is not None else None
    return connection(
        (row for row in rows if last is None or id_of(row) > last),
        first,
        lambda row: cursors.write(id_of(row)),
        view_of,
        has_previous=last is not None,
    )

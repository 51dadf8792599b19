"""Which orders a list shows: the filters of GET order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from adapters.shipbob.sandbox.depot import Depot
from adapters.shipbob.sandbox.records import Order

MOST_A_PAGE = 250
DEFAULT_PAGE = 50


class BadQuery(Exception):
    """400: a parameter that cannot be used."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem


def listed(depot: Depot, query: Mapping[str, str]) -> list[Order]:
    """One page of the orders that meet every filter. Raises BadQuery."""
    page = whole(query, "Page", 1, most=2**31 - 1)
    limit = whole(query, "Limit", DEFAULT_PAGE, most=MOST_A_PAGE)
    found = list(_matching(depot, query))
    if query.get("SortOrder", "Newest") == "Newest":
        found.reverse()
    return found[(page - 1) * limit : page * limit]


def whole(query: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    given = query.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal()) or not 1 <= int(given) <= most:
        raise BadQuery(name, f"The field {name} must be between 1 and {most}.")
    return int(given)


def _matching(depot: Depot, query: Mapping[str, str]) -> Iterator[Order]:
    """Oldest first."""
    ids, references = _names(query, "IDs"), _names(query, "ReferenceIds")
    tracked = query.get("HasTracking")
    for order in depot.orders.values():
        if order.shows_from > depot.now():
            continue
        if ids is not None and str(order.id) not in ids:
            continue
        if references is not None and order.reference not in references:
            continue
        if not _within(order.created_at, query, "StartDate", "EndDate"):
            continue
        if not _within(order.updated_at, query, "LastUpdateStartDate", "LastUpdateEndDate"):
            continue
        has_tracking = any(shipment.tracking is not None for shipment in order.shipments)
        if tracked is not None and (tracked.lower() == "true") is not has_tracking:
            continue
        yield order


def _within(at: datetime, query: Mapping[str, str], start: str, end: str) -> bool:
    after, before = _instant(query, start), _instant(query, end)
    return (after is None or at > after) and (before is None or at < before)


def _instant(query: Mapping[str, str], name: str) -> datetime | None:
    given = query.get(name)
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise BadQuery(name, f"The value '{given}' is not valid for {name}.") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _names(query: Mapping[str, str], name: str) -> set[str] | None:
    given = query.get(name)
    return {part.strip() for part in given.split(",")} if given is not None else None

"""Levels: what ShipBob would still promise of each item, page by page."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import structlog

from adapters.contract import Clock
from adapters.paging import Passed
from adapters.reading import entries, shaped
from adapters.shipbob.rest import Rest
from adapters.shipbob.wire import ItemLevels, LevelsPage, LocationLevel, text, whole
from adapters.warehouse import StockPage, StockRow

log = structlog.get_logger(__name__)

STALENESS_S = 30.0  # a level may be that old; too early an instant only books less, too late a one books too much
PAGE_SIZE = 100
_SHARED = "several inventory items have this SKU"


class StockReader:
    """Reads every item's fulfillable quantity, which is already net of the orders ShipBob has accepted."""

    def __init__(self, rest: Rest, location_id: int | None, clock: Clock) -> None:
        self._rest = rest
        self._location_id = location_id
        self._clock = clock

    async def read(self) -> AsyncIterator[StockPage]:
        """All pages carry the instant before the first was asked for: later ones are at least as new."""
        as_of = self._clock.now() - timedelta(seconds=STALENESS_S)
        params = {"PageSize": str(PAGE_SIZE)}
        if self._location_id is not None:
            params["LocationId"] = str(self._location_id)
        page = await self._rest.read("inventory-level/locations", LevelsPage, params)
        known: dict[str, object] = {}
        passed = Passed("inventory-level/locations")
        while True:
            yield StockPage(as_of, _rows(page, self._location_id, known))
            if page.next is None:
                return
            passed.note(page.next)
            page = await self._rest.read_page(page.next, LevelsPage)


def _rows(page: LevelsPage, location_id: int | None, known: dict[str, object]) -> tuple[StockRow, ...]:
    """The rows of a page. `known` remembers which inventory item each SKU was seen with, over all pages."""
    items = [shaped(raw, ItemLevels) for raw in page.items or ()]
    named = [(sku, item) for item in items if item is not None and (sku := text(item.sku)) is not None]
    if len(named) < len(items):
        log.warning("shipbob.items_without_sku", count=len(items) - len(named))
    twins = Counter(sku for sku, _ in named)
    rows = []
    for sku, item in named:
        shared = twins[sku] > 1 or known.setdefault(sku, item.inventory_id) != item.inventory_id
        row = _unbelievable(sku, _SHARED) if shared else stock_row(sku, item, location_id)
        if row is not None:
            rows.append(row)
    return tuple(rows)


def stock_row(sku: str, item: ItemLevels, location_id: int | None) -> StockRow | None:
    """An item's level at our location, or over all of them; None when it is not kept there, which is no zero."""
    levels = [shaped(raw, LocationLevel) or LocationLevel() for raw in entries(item.locations)]
    if location_id is not None:
        if any(whole(level.location_id) is None for level in levels):
            return _unbelievable(sku, "location_id: missing or not a whole number")
        levels = [level for level in levels if level.location_id == location_id]
    if not levels:
        return None
    if location_id is not None and len(levels) > 1:
        return _unbelievable(sku, "locations: ours is listed more than once")
    numbers = [whole(level.fulfillable_quantity) for level in levels]
    free = [number for number in numbers if number is not None and number >= 0]
    if len(free) < len(numbers):
        return _unbelievable(sku, "fulfillable_quantity: missing, negative or not a whole number")
    return StockRow(sku, sum(free))


def _unbelievable(sku: str, problem: str) -> StockRow:
    return StockRow(sku, 0, problem=problem)

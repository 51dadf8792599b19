"""Walk through all listings of a seller, of which a search gives no more than 1000, however many it finds.

So one window of time is searched after the other, by creation: an order that nobody's edits change. Where more than
1000 were created at one instant, they are walked through by their last change, and where these have one instant too,
by SKU from both ends. What was found is compared with what Amazon counts: nothing is left out unnoticed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog

from adapters.amazon.mapping import Item, created_at, updated_at
from adapters.contract import Rejected, Transient
from adapters.paging import Passed
from adapters.reading import instant, shaped

log = structlog.get_logger(__name__)
MOST_PAGED: Final = 1000
_BOTH_ENDS: Final = 2 * MOST_PAGED
_PAGE: Final = 20  # the most allowed
_ROUNDS: Final = 3  # through what changes while it is read
_STEP: Final = timedelta(milliseconds=1)  # Amazon's instants have no finer parts
_SECOND: Final = timedelta(seconds=1)  # what an instant without parts of a second may stand for
_DATA: Final = {"includedData": "summaries,attributes,fulfillmentAvailability", "pageSize": str(_PAGE)}

Asked = Mapping[str, str]


class Pagination(msgspec.Struct, frozen=True, rename="camel"):
    next_token: str | None = None


class ItemsPage(msgspec.Struct, frozen=True, rename="camel"):
    items: list[object]
    pagination: Pagination | None = None
    number_of_results: int | None = None

    @property
    def next_token(self) -> str | None:
        return (self.pagination.next_token if self.pagination is not None else None) or None


Search = Callable[[Asked], Awaitable[ItemsPage]]


@dataclass(frozen=True, slots=True)
class Found:
    """Listings of one page, and how many of it cannot be read. `more`: others follow."""

    items: tuple[Item, ...]
    unreadable: int
    more: bool


@dataclass(frozen=True, slots=True)
class _Clock:
    """What windows of time go by: how a search sorts and filters, and what a listing says."""

    sort: str
    name: str
    of: Callable[[Item], str | None]


_CREATED: Final = _Clock("createdDate", "created", created_at)
_UPDATED: Final = _Clock("lastUpdatedDate", "lastUpdated", updated_at)


class ListingWalk:
    """One walk; `search` asks for a page of listings."""

    def __init__(self, search: Search) -> None:
        self._search = search

    async def pages(self) -> AsyncIterator[Found]:
        """Every listing at least once. Raises Rejected where Amazon gives no way to all of them."""
        async for found in self._by_time(_CREATED, {}):
            yield found

    async def _by_time(self, clock: _Clock, within: Asked) -> AsyncIterator[Found]:
        """Window after window, each from the last instant of the one before."""
        start: str | None = None
        while True:
            count, last = 0, None
            since = {} if start is None else {f"{clock.name}After": start}
            async for found in self._paged({**since, **within, "sortBy": clock.sort, "sortOrder": "ASC"}):
                count += len(found.items) + found.unreadable
                last = clock.of(found.items[-1]) if found.items else last
                yield replace(found, more=found.more or count >= MOST_PAGED)
                if count >= MOST_PAGED:
                    break
            if count < MOST_PAGED:
                return
            at = instant(last)
            if last is None or at is None:
                raise Rejected(
                    clock.sort, f"Amazon does not say it of a listing: they cannot be read past {MOST_PAGED}"
                )
            began = instant(start)
            if began is not None and at < began:
                raise Transient("searchListingsItems: windows do not advance")
            if at == began:
                until = at + (_STEP if at.microsecond else _SECOND)
                async for found in self._crowd(clock, at, until, within):
                    yield found
                last = _text(until)
            start = last

    async def _crowd(self, clock: _Clock, at: datetime, until: datetime, within: Asked) -> AsyncIterator[Found]:
        """All listings of one instant, which ends before `until`, until as many are known as Amazon counts."""
        of_it = {**within, f"{clock.name}After": _text(at), f"{clock.name}Before": _text(until - timedelta.resolution)}
        seen: set[str] = set()
        for _ in range(_ROUNDS):
            total, unreadable = await self._count(of_it), 0
            if total > _BOTH_ENDS and clock is _UPDATED:
                raise Rejected(
                    clock.sort,
                    f"more than {_BOTH_ENDS} listings were created at one instant and last changed at {_text(at)}:"
                    " Amazon pages through no more of them. Change something of some of them there, and import again",
                )
            pages = self._by_time(_UPDATED, of_it) if total > _BOTH_ENDS else self._from_both_ends(of_it, total)
            async for found in pages:
                seen.update(item.sku for item in found.items)
                unreadable += found.unreadable
                yield replace(found, more=True)
            if len(seen) + unreadable >= total >= MOST_PAGED:
                return
        raise Transient(f"the listings of {_text(at)} change faster than they can be read: import again")

    async def _from_both_ends(self, of_it: Asked, total: int) -> AsyncIterator[Found]:
        """By SKU: the first 1000, and the rest from the other end."""
        for order, wanted in (("ASC", min(total, MOST_PAGED)), ("DESC", total - MOST_PAGED)):
            count = 0
            if wanted <= 0:
                return
            async for found in self._paged({**of_it, "sortBy": "sku", "sortOrder": order}):
                count += len(found.items) + found.unreadable
                yield found
                if count >= wanted:
                    break

    async def _count(self, of_it: Asked) -> int:
        page = await self._search({**_DATA, **of_it, "pageSize": "1"})
        if page.number_of_results is None:
            raise Rejected("numberOfResults", "Amazon does not say how many listings there are")
        return page.number_of_results

    async def _paged(self, asked: Asked) -> AsyncIterator[Found]:
        token: str | None = None
        passed = Passed("searchListingsItems")
        while True:
            page = await self._search({**_DATA, **asked, **({"pageToken": token} if token else {})})
            token = page.next_token
            items = tuple(item for raw in page.items if (item := readable(raw)) is not None)
            unreadable = len(page.items) - len(items)
            if unreadable:
                log.warning("amazon.listings_unreadable", count=unreadable)
            yield Found(items, unreadable, token is not None)
            if token is None:
                return
            passed.note(token)


def readable(raw: object) -> Item | None:
    return shaped(raw, Item)


def _text(at: datetime) -> str:
    parts = "microseconds" if at.microsecond % 1000 else "milliseconds"
    return at.astimezone(UTC).isoformat(timespec=parts).replace("+00:00", "Z")

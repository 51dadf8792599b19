"""A number worked out earlier is pushed, not the one that holds when it is written.

In real life: a cache "for a minute" in front of the sellable quantity, or a job that carries its number with it. What
was sold meanwhile is put on sale again, and once nothing changes any more nobody looks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from unittest import mock

from sqlalchemy import Connection, func, select

from syncd.db.tables import movement
from syncd.publishing.load import ListingStock, load_stock

_MOVEMENTS_OLD = 12


def planted() -> AbstractContextManager[object]:
    kept: dict[int, tuple[int, ListingStock]] = {}

    def from_cache(connection: Connection, listing_ids: Sequence[int]) -> dict[int, ListingStock]:
        age = connection.execute(select(func.count()).select_from(movement)).scalar_one()
        for listing_id, found in load_stock(connection, listing_ids).items():
            if listing_id not in kept or age - kept[listing_id][0] > _MOVEMENTS_OLD:
                kept[listing_id] = age, found
        return {listing_id: kept[listing_id][1] for listing_id in listing_ids}

    return mock.patch("syncd.publishing.store.claim.load_stock", from_cache)

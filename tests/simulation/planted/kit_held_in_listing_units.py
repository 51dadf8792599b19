"""A hold of a pack is counted in packs, not in pieces.

In real life: one quantity column for all. A pack of three that somebody has bought and that no order shows yet holds
back a single piece, and the other two are sold again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from unittest import mock

from sqlalchemy import Connection, and_, func, select

from syncd.db.tables import hold, listing_component


def _unseen(connection: Connection, skus: Sequence[int]) -> dict[int, int]:
    found = connection.execute(
        select(listing_component.c.sku_id, func.sum(hold.c.quantity))
        .join(hold, and_(hold.c.listing_id == listing_component.c.listing_id, hold.c.closed_at.is_(None)))
        .where(listing_component.c.sku_id.in_(skus))
        .group_by(listing_component.c.sku_id)
    )
    return {sku_id: int(quantity) for sku_id, quantity in found}


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.publishing.load._unseen", _unseen)

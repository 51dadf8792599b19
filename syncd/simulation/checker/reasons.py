"""What the daemon says a sale waits behind, held against the book: a reason that is none excuses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from syncd.db.tables import (
    account,
    listing,
    listing_component,
    order_line,
    pool,
    warehouse,
    warehouse_cursor,
    warehouse_item,
)

STILL: Final = datetime.max.replace(tzinfo=UTC)
"""The reason is as good as ever."""

VENDORS_FAULT: Final = frozenset(
    (
        "refused by the channel",
        "unreadable at the channel",
        "the channel accepts its number and does not show it",
    )
)
"""Reasons that the book cannot prove: the channel itself has to have done something wrong."""

_LEVELS: Final = "the levels of "
_LEVELS_END: Final = " are not known"
_UNKNOWN_AFTER: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Reasons:
    """What a sale may wait behind for as long as it takes, as the book has it.

    `live_since`: by account, when it became what it is; STILL while it is not live. `told_at`: by warehouse key, when
    its levels were last heard of; STILL while that is too long ago. `unmapped`, `parked` and `unnamed` are listings.
    """

    live_since: Mapping[int, datetime]
    told_at: Mapping[str, datetime]
    unmapped: frozenset[int]
    parked: frozenset[int]
    unnamed: frozenset[int]

    def until(self, reason: str | None, account_id: int, listing_id: int) -> datetime | None:
        """Up to when a reason was one; None: it never was, or only the vendor knows."""
        if reason == "the account is not live":
            return self.live_since[account_id]
        if reason is not None and reason.startswith(_LEVELS):
            names = reason.removeprefix(_LEVELS).removesuffix(_LEVELS_END).split(", ")
            return max((self.told_at[name] for name in names if name in self.told_at), default=None)
        listings = {
            "unmapped": self.unmapped,
            "an order line of this listing is parked": self.parked,
            "a warehouse does not tell its level any more": self.unnamed,
        }
        return STILL if listing_id in listings.get(reason or "", frozenset()) else None


def read_reasons(connection: Connection, now: datetime) -> Reasons:
    before = now - _UNKNOWN_AFTER
    accounts = connection.execute(select(account.c.id, account.c.state, account.c.state_changed_at))
    cursors = connection.execute(
        select(warehouse.c.key, warehouse_cursor.c.polled_to, warehouse_cursor.c.moved_at)
        .join(warehouse, warehouse.c.id == warehouse_cursor.c.warehouse_id)
        .where(warehouse_cursor.c.stream == "stock")
    )
    mapped = select(listing_component.c.listing_id)
    unnamed = (
        select(listing.c.id)
        .join(listing_component, listing_component.c.listing_id == listing.c.id)
        .join(pool, pool.c.account_id == listing.c.account_id)
        .join(warehouse_item, warehouse_item.c.warehouse_id == pool.c.warehouse_id)
        .where(
            warehouse_item.c.sku_id == listing_component.c.sku_id,
            warehouse_item.c.unnamed_since_at <= before,
        )
    )
    return Reasons(
        {row.id: row.state_changed_at if row.state == "live" else STILL for row in accounts},
        {row.key: row.moved_at if row.polled_to >= before else STILL for row in cursors},
        frozenset(connection.execute(select(listing.c.id).where(listing.c.id.not_in(mapped))).scalars()),
        frozenset(
            connection.execute(select(order_line.c.listing_id).where(order_line.c.parked.is_not(None))).scalars()
        ),
        frozenset(connection.execute(unnamed).scalars()),
    )

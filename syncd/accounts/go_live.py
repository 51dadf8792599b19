"""Let an account go live: only with its orders taken in, its listings mapped and its stock fresh, and after a look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, or_, select

from adapters.contract import Channel, Clock, ListingRef
from syncd.accounts.pause import NOT_LIVE
from syncd.accounts.store import set_state
from syncd.db.database import Database
from syncd.db.tables import account, inbox, level, listing, listing_component, pool
from syncd.errors import SyncdError
from syncd.publishing.load import load_stock
from syncd.publishing.store.cells import read_horizon
from syncd.publishing.store.queue import wake_account

HORIZON_MAX_AGE_S = 1800.0
_PAGE = 500


class NotReadyToGoLive(SyncdError):
    """What must be done before the account may write; `reasons` says all of it."""

    def __init__(self, key: str, reasons: Sequence[str]) -> None:
        super().__init__("\n  ".join([f"{key} cannot go live yet:", *reasons]))
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class NumberChange:
    """What a listing shows now and what it would show once the account is live."""

    listing_id: int
    code: str
    channel_sku: str
    shows: int | None
    would_show: int
    problem: str | None = None


def obstacles(
    connection: Connection, account_id: int, key: str, stock_max_age: timedelta, leave_unmapped: bool, now: datetime
) -> list[str]:
    """Everything that keeps the account from going live, each with its remedy."""
    found: list[str] = []
    state = connection.execute(select(account.c.state).where(account.c.id == account_id)).scalar_one()
    if state == "live":
        return [f"{key} is live already"]
    horizon_at = read_horizon(connection, account_id)
    if horizon_at is None or now - horizon_at > timedelta(seconds=HORIZON_MAX_AGE_S):
        when = f"last at {horizon_at:%Y-%m-%d %H:%M}Z" if horizon_at else "never"
        found.append(f"its open orders are not taken in (a poll was complete {when}): let `syncd run` poll it first")
    waiting = connection.execute(
        select(func.count()).select_from(inbox).where(inbox.c.account_id == account_id, inbox.c.state == "new")
    ).scalar_one()
    if waiting:
        found.append(f"{waiting} events wait in the inbox: let `syncd run` take them in")
    found += _listing_obstacles(connection, account_id, key, leave_unmapped)
    found += _stock_obstacles(connection, account_id, now - stock_max_age, stock_max_age)
    return found


def _listing_obstacles(connection: Connection, account_id: int, key: str, leave_unmapped: bool) -> list[str]:
    is_mapped = select(1).where(listing_component.c.listing_id == listing.c.id).exists()
    mapped, unmapped = (
        connection.execute(
            select(func.count())
            .select_from(listing)
            .where(listing.c.account_id == account_id, listing.c.unwritable.is_(None), which)
        ).scalar_one()
        for which in (is_mapped, ~is_mapped)
    )
    if not mapped:
        return [f"no listing is mapped to a SKU: run `syncd import listings --from {key}`"]
    if unmapped and not leave_unmapped:
        return [
            f"{unmapped} listings are not mapped to a SKU: fill in the file that `syncd import listings --from {key}`"
            " writes, or go live without them by --leave-unmapped"
        ]
    return []


def _stock_obstacles(
    connection: Connection, account_id: int, fresh_after: datetime, stock_max_age: timedelta
) -> list[str]:
    """Mapped SKUs whose stock in the pool was never counted, or too long ago."""
    fresh = (
        select(1)
        .select_from(level)
        .join(pool, and_(pool.c.warehouse_id == level.c.warehouse_id, pool.c.account_id == account_id))
        .where(level.c.sku_id == listing_component.c.sku_id, level.c.as_of >= fresh_after)
        .exists()
    )
    stale = (
        select(1)
        .select_from(level)
        .join(pool, and_(pool.c.warehouse_id == level.c.warehouse_id, pool.c.account_id == account_id))
        .where(level.c.sku_id == listing_component.c.sku_id, or_(level.c.as_of.is_(None), level.c.as_of < fresh_after))
        .exists()
    )
    count = connection.execute(
        select(func.count(func.distinct(listing_component.c.sku_id)))
        .select_from(listing_component)
        .join(listing, and_(listing.c.id == listing_component.c.listing_id, listing.c.account_id == account_id))
        .where(or_(~fresh, stale))
    ).scalar_one()
    if not count:
        return []
    hours = stock_max_age / timedelta(hours=1)
    return [f"the stock of {count} SKUs is older than {hours:g} h or was never counted: run `syncd import stock FILE`"]


def _listing_page(connection: Connection, account_id: int, after_id: int) -> list[tuple[int, str, str, str]]:
    found = connection.execute(
        select(listing.c.id, listing.c.channel_sku, listing.c.channel_location, listing.c.code)
        .where(
            listing.c.account_id == account_id,
            listing.c.id > after_id,
            listing.c.unwritable.is_(None),
            select(1).where(listing_component.c.listing_id == listing.c.id).exists(),
        )
        .order_by(listing.c.id)
        .limit(_PAGE)
    )
    return [(row.id, row.channel_sku, row.channel_location, row.code or row.channel_sku) for row in found]


async def preview(
    db: Database, channel: Channel, account_id: int, progress: Callable[[int], None] | None = None
) -> list[NumberChange]:
    """Every number that going live would change, by reading what each listing shows now. Writes nothing."""
    changes: list[NumberChange] = []
    after, seen = 0, 0
    while page := await db.read(_listing_page, account_id, after):
        after = page[-1][0]
        stock = await db.read(load_stock, [listing_id for listing_id, *_ in page])
        for start in range(0, len(page), channel.traits.read_batch):
            part = page[start : start + channel.traits.read_batch]
            reads = await channel.read_quantities([ListingRef(sku, location) for _, sku, location, _ in part])
            for (listing_id, channel_sku, _, code), read in zip(part, reads, strict=True):
                would = stock[listing_id].number.quantity
                if read.quantity != would:
                    changes.append(NumberChange(listing_id, code, channel_sku, read.quantity, would, read.problem))
            seen += len(part)
            if progress:
                progress(seen)
    return changes


def go_live(
    connection: Connection, account_id: int, key: str, stock_max_age: timedelta, leave_unmapped: bool, now: datetime
) -> None:
    """Let the account write, if nothing stands against it at this moment. Raises NotReadyToGoLive."""
    found = obstacles(connection, account_id, key, stock_max_age, leave_unmapped, now)
    if found:
        raise NotReadyToGoLive(key, found)
    set_state(connection, account_id, "live", now)
    wake_account(connection, account_id, NOT_LIVE, now)


async def go_live_when_ready(
    db: Database, clock: Clock, account_id: int, key: str, stock_max_age: timedelta, patience_s: float
) -> None:
    """Go live as soon as nothing stands against it; after `patience_s` of the seller's seconds raise what does."""
    give_up_at = clock.now() + timedelta(seconds=patience_s)
    while True:
        try:
            await db.transact(go_live, account_id, key, stock_max_age, False, clock.now())
        except NotReadyToGoLive:
            if clock.now() >= give_up_at:
                raise
            await clock.sleep(5.0)
        else:
            return

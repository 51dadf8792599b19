"""What is read of each account and warehouse besides its totals: last order, last push, drift, and what ails it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, literal_column, select

from syncd.db.tables import account, cell, hold, listing, pool, push_batch, sales_order, warehouse
from syncd.insight.attention import Trouble, read_troubles

DRIFT_COUNTED_TO = 1_000
"""Listings that show what nothing explains are counted so far over all accounts; one more stands for any above."""

_ACCOUNT_TROUBLES = ("auth_expired", "channel_down", "polls_late", "queue_down")
_WAREHOUSE_TROUBLES = ("warehouse_auth", "warehouse_down")


@dataclass(frozen=True, slots=True)
class AccountPulse:
    """`drift` counts listings whose last read nothing explains: fewer than our sales, or not what was written."""

    last_order: str | None
    last_order_at: datetime | None
    last_push_at: datetime | None
    drift: int
    troubles: tuple[Trouble, ...]
    warehouses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pulses:
    """By the key of an account or warehouse."""

    accounts: dict[str, AccountPulse]
    warehouses: dict[str, tuple[Trouble, ...]]


def read_pulses(connection: Connection) -> Pulses:
    keys = {row.id: str(row.key) for row in connection.execute(select(account.c.id, account.c.key))}
    places = {row.id: str(row.key) for row in connection.execute(select(warehouse.c.id, warehouse.c.key))}
    orders, pushes = _last_orders(connection), _last_pushes(connection)
    drifts, pools = _drifts(connection), _pools(connection)
    wanted = [f"{kind}:{each}" for kind in _ACCOUNT_TROUBLES for each in keys]
    wanted += [f"{kind}:{each}" for kind in _WAREHOUSE_TROUBLES for each in places]
    open_now = read_troubles(connection, wanted)

    def of(kinds: tuple[str, ...], row_id: int) -> tuple[Trouble, ...]:
        return tuple(open_now[f"{kind}:{row_id}"] for kind in kinds if f"{kind}:{row_id}" in open_now)

    accounts = {}
    for row_id, key in keys.items():
        name, at = orders.get(row_id, (None, None))
        troubles = of(_ACCOUNT_TROUBLES, row_id)
        accounts[key] = AccountPulse(name, at, pushes.get(row_id), drifts.get(row_id, 0), troubles, pools.get(key, ()))
    return Pulses(accounts, {key: of(_WAREHOUSE_TROUBLES, row_id) for row_id, key in places.items()})


def _last_orders(connection: Connection) -> dict[int, tuple[str, datetime]]:
    """The order that was taken in last, by account: one step into an index each."""
    mine = sales_order.alias("mine")
    newest = select(func.max(mine.c.id)).where(mine.c.account_id == account.c.id).correlate(account).scalar_subquery()
    found = connection.execute(
        select(sales_order.c.account_id, sales_order.c.name, sales_order.c.first_applied_at)
        .select_from(account)
        .join(sales_order, sales_order.c.id == newest)
    )
    return {row.account_id: (row.name, row.first_applied_at) for row in found}


def _last_pushes(connection: Connection) -> dict[int, datetime]:
    newest = (
        select(func.max(push_batch.c.settled_at, type_=push_batch.c.settled_at.type))
        .where(push_batch.c.account_id == account.c.id)
        .scalar_subquery()
    )
    found = connection.execute(select(account.c.id, newest.label("at")))
    return {row.id: row.at for row in found if row.at is not None}


def _drifts(connection: Connection) -> dict[int, int]:
    held = select(hold.c.listing_id).where(hold.c.closed_at.is_(None)).limit(DRIFT_COUNTED_TO + 1)
    unheeded = select(cell.c.listing_id).where(cell.c.unheeded > literal_column("0")).limit(DRIFT_COUNTED_TO + 1)
    # UNION leaves out what both have.
    either = select(held.subquery("held")).union(select(unheeded.subquery("unheeded"))).subquery("either")
    found = connection.execute(
        select(listing.c.account_id, func.count())
        .join(either, either.c.listing_id == listing.c.id)
        .group_by(listing.c.account_id)
    )
    return {row[0]: row[1] for row in found}


def _pools(connection: Connection) -> dict[str, tuple[str, ...]]:
    found = connection.execute(
        select(account.c.key.label("account"), warehouse.c.key.label("place"))
        .join(pool, pool.c.account_id == account.c.id)
        .join(warehouse, warehouse.c.id == pool.c.warehouse_id)
        .order_by(account.c.key, pool.c.rank)
    )
    places: dict[str, tuple[str, ...]] = {}
    for row in found:
        places[row.account] = (*places.get(row.account, ()), row.place)
    return places

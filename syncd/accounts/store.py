"""Bring accounts, warehouses and pools of the configuration into the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, and_, delete, func, literal, or_, select, update

from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import account, pool, warehouse
from syncd.db.types import Instant
from syncd.publishing.marks import mark_accounts


@dataclass(frozen=True, slots=True)
class AccountSetup:
    """An account as the configuration has it; `pool` names warehouses in the seller's order."""

    key: str
    channel: str
    policy: str
    buffer: int
    cap: int | None
    pool: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WarehouseSetup:
    key: str
    name: str
    kind: str
    country: str
    postcode: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Identities:
    """Row ids by configuration key."""

    accounts: dict[str, int]
    warehouses: dict[str, int]


def sync_parties(
    connection: Connection, accounts: Sequence[AccountSetup], warehouses: Sequence[WarehouseSetup], now: datetime
) -> Identities:
    """Insert or update what the configuration names. New accounts only observe; nothing is ever deleted."""
    before = _what_shapes_numbers(connection)
    _upsert_warehouses(connection, warehouses)
    _upsert_accounts(connection, accounts, now)
    ids = read_identities(connection)
    _replace_pools(connection, accounts, ids)
    after = _what_shapes_numbers(connection)
    mark_accounts(connection, [each for each, shape in after.items() if before.get(each, shape) != shape], now)
    return ids


def _what_shapes_numbers(connection: Connection) -> dict[int, tuple[int, int | None, frozenset[int]]]:
    """(buffer, cap, pool) by account: what the numbers of all its listings follow from."""
    pools: dict[int, set[int]] = {}
    for row in connection.execute(select(pool.c.account_id, pool.c.warehouse_id)):
        pools.setdefault(row.account_id, set()).add(row.warehouse_id)
    found = connection.execute(select(account.c.id, account.c.buffer, account.c.cap))
    return {row.id: (row.buffer, row.cap, frozenset(pools.get(row.id, ()))) for row in found}


def read_identities(connection: Connection) -> Identities:
    return Identities(
        {row.key: row.id for row in connection.execute(select(account.c.key, account.c.id))},
        {row.key: row.id for row in connection.execute(select(warehouse.c.key, warehouse.c.id))},
    )


def selling_accounts(connection: Connection) -> frozenset[int]:
    """Accounts that sell by numbers of ours: live ones, and paused ones that were live."""
    return frozenset(_selling(connection).scalars())


def is_live(connection: Connection, account_id: int) -> bool:
    state: str = _state(connection, account_id=account_id).scalar_one()
    return state == "live"


@statement
def _selling(given: Given) -> Executable:
    paused = and_(account.c.state == "paused", account.c.live_since_at.is_not(None))
    return select(account.c.id).where(or_(account.c.state == "live", paused))


@statement
def _state(given: Given) -> Executable:
    return select(account.c.state).where(account.c.id == given.value("account_id", int))


def set_state(connection: Connection, account_id: int, state: str, now: datetime) -> bool:
    """Change an account's state, and note when it first went live; False when it had that state already."""
    values: dict[str, Any] = {"state": state, "state_changed_at": now}
    if state == "live":
        values["live_since_at"] = func.coalesce(account.c.live_since_at, literal(now, Instant()))
    return (
        connection.execute(
            update(account).where(account.c.id == account_id, account.c.state != state).values(**values)
        ).rowcount
        == 1
    )


def _upsert_warehouses(connection: Connection, warehouses: Sequence[WarehouseSetup]) -> None:
    data = [(w.key, w.name, w.kind, w.country, w.postcode, w.time_zone) for w in warehouses]
    if data:
        _tell_warehouses(connection, told=data)


@statement
def _tell_warehouses(given: Given) -> Executable:
    told = given.rows("told", key=str, name=str, kind=str, country=str, postcode=str, time_zone=str)
    insert = given.insert(warehouse, told)
    new = {each.name: insert.excluded[each.name] for each in told.c if each.name != "key"}
    return insert.on_conflict_do_update(index_elements=["key"], set_=new)


def _upsert_accounts(connection: Connection, accounts: Sequence[AccountSetup], now: datetime) -> None:
    data = [(a.key, a.channel, a.policy, a.buffer, a.cap, "observing", now, now) for a in accounts]
    if data:
        _tell_accounts(connection, told=data)


@statement
def _tell_accounts(given: Given) -> Executable:
    told = given.rows(
        "told",
        key=str,
        channel=str,
        policy=str,
        buffer=int,
        cap=int,
        state=str,
        added_at=datetime,
        state_changed_at=datetime,
    )
    insert = given.insert(account, told)
    new = {name: insert.excluded[name] for name in ("policy", "buffer", "cap")}
    return insert.on_conflict_do_update(index_elements=["key"], set_=new)


def _replace_pools(connection: Connection, accounts: Sequence[AccountSetup], ids: Identities) -> None:
    mine = [ids.accounts[each.key] for each in accounts]
    connection.execute(delete(pool).where(pool.c.account_id.in_(mine)))
    insert_rows(
        connection,
        pool,
        [("account_id", int), ("warehouse_id", int), ("rank", int)],
        [
            (ids.accounts[each.key], ids.warehouses[key], rank)
            for each in accounts
            for rank, key in enumerate(each.pool)
        ],
    )

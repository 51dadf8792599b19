"""Units that a listing showed beyond what anything explained: somebody typed them, or an order gave them back.

Which of the two is known once every order is that the channel had when it was seen. Nobody is blamed before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Executable, case, delete, func, select, update

from syncd.db.lease import guard
from syncd.db.statements import Given, statement
from syncd.db.tables import listing, surplus
from syncd.insight.store import add_tallies
from syncd.publishing.store.cells import read_horizon
from syncd.publishing.store.rows import Rules

GiveBack = tuple[int, int, datetime]
"""(listing_id, units at most, not before)"""


@dataclass(frozen=True, slots=True)
class Raised:
    """Units by which somebody raised numbers, by listing. `undecided`: others may still be explained."""

    units: Mapping[int, int]
    undecided: bool


def note_surplus(connection: Connection, units: Mapping[int, int], now: datetime) -> None:
    """Keep these units in mind, by listing."""
    if units:
        _note(connection, seen=sorted(units.items()), now=now)


def explain_surplus(connection: Connection, given_back: Sequence[GiveBack]) -> None:
    """Take off what orders have given back before the surplus was seen."""
    if given_back:
        _explain(connection, given_back=list(given_back))


def settle_surplus(connection: Connection, rules: Rules) -> Raised:
    """Count as raised by somebody what no order has explained by the time that all of them are known."""
    guard(connection, rules.lease)
    open_ones = _of_account(connection, account_id=rules.account_id).all()
    known_to = read_horizon(connection, rules.account_id) if open_ones else None
    lag = timedelta(seconds=rules.index_lag_s)
    ripe = [row for row in open_ones if not row.units or (known_to is not None and row.seen_at + lag <= known_to)]
    if ripe:
        _forget(connection, settled=[(row.listing_id,) for row in ripe])
    raised = {row.listing_id: row.units for row in ripe if row.units}
    if raised:
        add_tallies(connection, {(f"account:{rules.account}", "units_surplus"): sum(raised.values())})
    return Raised(raised, len(ripe) < len(open_ones))


@statement
def _note(given: Given) -> Executable:
    seen = given.rows("seen", listing_id=int, units=int)
    rows = select(seen.c.listing_id, seen.c.units, given.value("now", datetime).label("seen_at"))
    new = given.insert(surplus, rows.order_by(seen.c.listing_id))
    return new.on_conflict_do_update(
        index_elements=["listing_id"],
        set_={"units": surplus.c.units + new.excluded.units, "seen_at": new.excluded.seen_at},
    )


@statement
def _explain(given: Given) -> Executable:
    told = given.rows("given_back", listing_id=int, units=int, from_at=datetime)
    explained = (
        select(surplus.c.listing_id, func.sum(told.c.units).label("units"))
        .join(told, told.c.listing_id == surplus.c.listing_id)
        .where(told.c.from_at <= surplus.c.seen_at)
        .group_by(surplus.c.listing_id)
        .subquery("explained")
    )
    left = surplus.c.units - explained.c.units
    return (
        update(surplus)
        .values(units=case((left > 0, left), else_=0))
        .where(surplus.c.listing_id == explained.c.listing_id)
    )


@statement
def _of_account(given: Given) -> Executable:
    return (
        select(surplus)
        .join(listing, listing.c.id == surplus.c.listing_id)
        .where(listing.c.account_id == given.value("account_id", int))
        .order_by(surplus.c.listing_id)
        .with_for_update(of=surplus)
    )


@statement
def _forget(given: Given) -> Executable:
    settled = given.rows("settled", id=int)
    return delete(surplus).where(surplus.c.listing_id.in_(select(settled.c.id)))

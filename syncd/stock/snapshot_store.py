"""Book in the database what a warehouse says of its own stock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Executable, and_, case, func, select, text, update

from adapters.warehouse import StockRow
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.catalogue.codes import find_exact, find_skus, normalise
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import level, order_line, reservation, shipment_request, warehouse_item
from syncd.publishing.marks import mark_dirty
from syncd.stock.ledger import Cause, Ledger, LevelKey
from syncd.stock.shorts import tell_shorts
from syncd.stock.snapshot import OurShare, SnapshotBooked, Told, book_told, merge_rows
from syncd.stock.store import load_levels, record_ledger
from syncd.stock.unnamed import UNKNOWN_AFTER, unnamed_codes

SOURCE = "snapshot"
EXAMPLES = 5


def book_snapshot(
    connection: Connection,
    warehouse_id: int,
    as_of: datetime,
    told: Sequence[StockRow],
    now: datetime,
    unsure: Collection[int] = (),
) -> SnapshotBooked:
    """Book levels as they stood at `as_of` or later, in one transaction; a second time changes nothing.

    All rows of a SKU belong into one call; those in `unsure` are lowered only. Items that no row
    names are left as they are: unknown is never zero.
    """
    readable, refused = merge_rows(told, resolve_codes(connection, [row.warehouse_sku for row in told]))
    keys = {(each.sku_id, warehouse_id) for each in readable}
    _insert_levels(connection, keys)
    ledger = Ledger(load_levels(connection, keys), SOURCE, now)

    shares = _our_shares(connection, warehouse_id, as_of, keys)
    booked, newest = book_told(readable, warehouse_id, as_of, shares, ledger, unsure)

    record_ledger(connection, ledger, _cause_key, SOURCE)
    _date_levels(connection, newest, as_of)
    _record_codes(connection, warehouse_id, readable)
    # Pieces of which nobody knows whether they are free again are no shortage: the answer will tell.
    missing = [each for each in ledger.changed() if not 0 < each[2].short <= shares[each[0][0]].unanswered]
    tell_shorts(connection, missing, now)
    mark_dirty(connection, {each.sku_id: None for each in ledger.movements}, now)
    return booked.plus(refused)


def resolve_codes(connection: Connection, codes: Collection[str]) -> dict[str, int]:
    """sku_id by a warehouse's code: the SKU called exactly so, else the one that has it as another name."""
    exact = find_exact(connection, codes)
    names = {code: normalise(code) for code in codes if code not in exact}
    found = find_skus(connection, set(names.values()))
    return exact | {code: found[name] for code, name in names.items() if name in found}


def tell_unread(
    connection: Connection, warehouse_id: int, warehouse: str, booked: SnapshotBooked, now: datetime
) -> None:
    """Open or close the alerts of a whole snapshot: codes nobody knows, numbers nobody can read, SKUs not named."""
    opened = []
    unknown, unreadable, unnamed = (
        f"{kind}:{warehouse_id}" for kind in ("unknown_codes", "unreadable_levels", "unnamed_levels")
    )
    if booked.unknown:
        message = (
            f"{warehouse} has {len(booked.unknown)} codes that name no SKU: {_examples(booked.unknown)}."
            " Import the items, or add the codes as aliases"
        )
        impact = "their stock is not counted"
        named = _examples(booked.unknown)
        opened.append(Alert(unknown, "unknown_codes", impact, message, warehouse_id=warehouse_id, detail=named))
    if booked.unreadable:
        told = _examples(f"{code} ({problem})" for code, problem in booked.unreadable)
        message = f"{warehouse} gives {len(booked.unreadable)} levels that cannot be believed: {told}"
        impact = "their last known stock is kept"
        opened.append(Alert(unreadable, "unreadable_levels", impact, message, warehouse_id=warehouse_id, detail=told))
    if missing := unnamed_codes(connection, warehouse_id, now - UNKNOWN_AFTER):
        message = (
            f"{warehouse} has for {UNKNOWN_AFTER.seconds // 60} minutes or longer given no level of {len(missing)} SKUs"
            f" which it gave before: {_examples(missing)}. See there whether they were renamed or taken off its list"
        )
        impact = "their last known stock is kept, and raises wait"
        named = _examples(missing)
        opened.append(Alert(unnamed, "unnamed_levels", impact, message, warehouse_id=warehouse_id, detail=named))
    open_alerts(connection, opened, now)
    close_alerts(connection, {unknown, unreadable, unnamed} - {each.key for each in opened}, now)


def _examples(told: Iterable[str]) -> str:
    every = sorted(told)
    return ", ".join(every[:EXAMPLES]) + (", ..." if len(every) > EXAMPLES else "")


def _insert_levels(connection: Connection, keys: Collection[LevelKey]) -> None:
    insert_rows(connection, level, [("sku_id", int), ("warehouse_id", int)], sorted(keys), ignore=True)


def _our_shares(
    connection: Connection, warehouse_id: int, as_of: datetime, keys: Collection[LevelKey]
) -> dict[int, OurShare]:
    """What the warehouse keeps for us of these SKUs, read after their levels were locked.

    Only what it surely had accepted by `as_of`. What we have asked it not to ship is left out from then on: whether its
    numbers, which may be younger than `as_of`, have it among the free again cannot be known.
    """
    if not keys:
        return {}
    wanted = [(sku_id,) for sku_id, _ in sorted(keys)]
    accepted = _accepted(connection, wanted=wanted, warehouse_id=warehouse_id, as_of=as_of)
    pieces = {row.sku_id: (int(row.pieces), int(row.unanswered)) for row in accepted}
    submitted = {row.sku_id: row.submitted_at for row in _asked(connection, wanted=wanted, warehouse_id=warehouse_id)}
    nothing = (0, 0)
    return {
        sku_id: OurShare(pieces.get(sku_id, nothing)[0], submitted.get(sku_id), pieces.get(sku_id, nothing)[1])
        for sku_id, _ in keys
    }


@statement
def _accepted(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int)
    warehouse_id = given.value("warehouse_id", int)
    answered = shipment_request.c.cancel_sent_at.is_(None)
    return (
        select(
            reservation.c.sku_id,
            func.sum(case((answered, reservation.c.quantity), else_=0)).label("pieces"),
            func.sum(case((answered, 0), else_=reservation.c.quantity)).label("unanswered"),
        )
        .join(wanted, wanted.c.sku_id == reservation.c.sku_id)
        .join(order_line, order_line.c.id == reservation.c.order_line_id)
        .join(
            shipment_request,
            and_(
                shipment_request.c.order_id == order_line.c.order_id,
                shipment_request.c.warehouse_id == warehouse_id,
                shipment_request.c.state == "accepted",
                shipment_request.c.accepted_at <= given.value("as_of", datetime),
            ),
        )
        .where(
            reservation.c.warehouse_id == warehouse_id,
            reservation.c.stage == "accepted",
            text("reservation.stage != 'shipped' AND reservation.quantity > 0"),  # as the partial index has it
        )
        .group_by(reservation.c.sku_id)
    )


@statement
def _asked(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int)
    return (
        select(warehouse_item.c.sku_id, warehouse_item.c.submitted_at)
        .join(wanted, wanted.c.sku_id == warehouse_item.c.sku_id)
        .where(warehouse_item.c.warehouse_id == given.value("warehouse_id", int))
    )


def _date_levels(connection: Connection, keys: Collection[LevelKey], as_of: datetime) -> None:
    """Note that these levels are of `as_of`, also where nothing moved: an older word must not move them any more."""
    if keys:
        _date(connection, dated=sorted(keys), as_of=as_of)


@statement
def _date(given: Given) -> Executable:
    dated = given.rows("dated", sku_id=int, warehouse_id=int)
    return (
        update(level)
        .values(as_of=given.value("as_of", datetime), source=SOURCE)
        .where(level.c.sku_id == dated.c.sku_id, level.c.warehouse_id == dated.c.warehouse_id)
    )


def _record_codes(connection: Connection, warehouse_id: int, told: Sequence[Told]) -> None:
    """Remember how the warehouse calls what it has, to ask for it by that name."""
    if told:
        _upsert_codes(connection, told=[(warehouse_id, each.sku_id, each.warehouse_sku) for each in told])


@statement
def _upsert_codes(given: Given) -> Executable:
    new = given.insert(warehouse_item, given.rows("told", warehouse_id=int, sku_id=int, warehouse_sku=str))
    return new.on_conflict_do_update(
        index_elements=["warehouse_id", "sku_id"],
        set_={"warehouse_sku": new.excluded.warehouse_sku},
        where=warehouse_item.c.warehouse_sku.is_distinct_from(new.excluded.warehouse_sku),
    )


def _cause_key(cause: Cause) -> str:
    return str(cause.subject)

"""Erase recipients in time, without a look at all of them every hour. Bounded steps by key.

Orders get their ids in the order in which they come in, so the recipients that are due lie at the beginning of those
that are kept, with orders that stay open for long; the way ends at the first order that is younger than recipients are
kept. Once a day it goes on to the end, for orders that had been shipped long before they came in.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Executable, and_, func, or_, select, update

from syncd.alerts.chores import last_done, note_done
from syncd.db.statements import Given, statement
from syncd.db.tables import recipient, sales_order

FIELDS: Final = ("name", "street", "city", "province", "postcode", "country")
_PLACE: Final = "tidy:recipients"  # where the next step begins: the order's id, and whether it goes to the end
_WHOLE: Final = "tidy:recipients:whole"
_WHOLE_EVERY: Final = timedelta(days=1)


def erase_recipients(connection: Connection, limit: int, shipped_before: datetime, now: datetime) -> tuple[int, int]:
    """Look at the next so many recipients and erase those that are due: (looked at, erased).

    Fewer than `limit` looked at means that the way has ended; the next step begins a new one.
    """
    after, whole = _place(connection, now)
    page = _kept(connection, after=after, shipped_before=shipped_before, limit=limit).all()
    looked_at = page if whole else [row for row in page if row.first_applied_at < shipped_before]
    due = [row.order_id for row in looked_at if row.is_due]
    if due:
        _erase(connection, due=[(each,) for each in due], now=now)
    _note_place(connection, looked_at[-1].order_id if len(looked_at) == limit else 0, after, whole=whole, now=now)
    return len(looked_at), len(due)


def _place(connection: Connection, now: datetime) -> tuple[int, bool]:
    place = last_done(connection, _PLACE)
    if place is not None and place.note:
        after, _, how = place.note.partition(" ")
        return int(after), how == "whole"
    finished = last_done(connection, _WHOLE)
    return 0, finished is None or finished.at <= now - _WHOLE_EVERY


def _note_place(connection: Connection, after: int, before: int, *, whole: bool, now: datetime) -> None:
    if after or before:
        note_done(connection, _PLACE, now, f"{after} {'whole' if whole else 'old'}" if after else "")
    if whole and not after:
        note_done(connection, _WHOLE, now)


@statement
def _kept(given: Given) -> Executable:
    shipped_before = given.value("shipped_before", datetime)
    # What left before stock was counted has no shipment of ours: then its last change counts.
    shipped_at = func.coalesce(sales_order.c.last_shipped_at, sales_order.c.version_at)
    is_due = or_(
        and_(sales_order.c.state == "fulfilled", shipped_at < shipped_before),
        and_(sales_order.c.state == "cancelled", sales_order.c.version_at < shipped_before),
    )
    return (
        select(recipient.c.order_id, sales_order.c.first_applied_at, is_due.label("is_due"))
        .join(sales_order, sales_order.c.id == recipient.c.order_id)
        .where(recipient.c.erased_at.is_(None), recipient.c.order_id > given.value("after", int))
        .order_by(recipient.c.order_id)
        .limit(given.value("limit", int))
    )


@statement
def _erase(given: Given) -> Executable:
    due = given.rows("due", order_id=int)
    gone = dict.fromkeys(FIELDS) | {"erased_at": given.value("now", datetime)}
    return update(recipient).values(**gone).where(recipient.c.order_id == due.c.order_id)

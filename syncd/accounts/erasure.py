"""Erase what is known of an order's buyer, at once and for good, with one row in the journal of decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, func, literal, select, update

from syncd.db.rows import insert_rows
from syncd.db.tables import account, decision, inbox, recipient, sales_order
from syncd.db.types import Instant

KIND: Final = "erasure"
VERSION: Final = 1
_FIELDS: Final = ("name", "street", "city", "province", "postcode", "country")
_CHUNK: Final = 200
_WAITING: Final = ("new", "hinted")


@dataclass(frozen=True, slots=True)
class Erasable:
    """What is there of an order's buyer: which fields of the recipient, and in which events' bodies.

    `waiting` events are not taken in yet: they keep their bodies until they are, and nothing of them is stored then.
    """

    order_id: int
    account_id: int
    order: str
    account: str
    state: str
    fields: tuple[str, ...]
    erased_at: datetime | None
    bodies: tuple[int, ...] = ()
    waiting: int = 0


def find_erasable(connection: Connection, order_id: int) -> Erasable:
    """What of the buyer is in the recipient's row. The events are found by `find_bodies`."""
    row = connection.execute(
        select(sales_order.c.account_id, sales_order.c.name, sales_order.c.state, account.c.key, recipient.c.erased_at)
        .add_columns(*(recipient.c[name].label(f"recipient_{name}") for name in _FIELDS))
        .join(account, account.c.id == sales_order.c.account_id)
        .outerjoin(recipient, recipient.c.order_id == sales_order.c.id)
        .where(sales_order.c.id == order_id)
    ).one()
    fields = tuple(name for name in _FIELDS if getattr(row, f"recipient_{name}") is not None)
    return Erasable(order_id, row.account_id, row.name, row.key, row.state, fields, row.erased_at)


def find_bodies(connection: Connection, order_id: int, after: int) -> tuple[list[int], int, int | None]:
    """Of the next events of the order's account: whose bodies name the order, how many of these wait to be taken in,
    and behind which to go on; None at the end.

    Bodies are kept for days only, so this reads what those days brought, a bounded step at a time.
    """
    order = connection.execute(
        select(sales_order.c.account_id, sales_order.c.channel_order_id).where(sales_order.c.id == order_id)
    ).one()
    # A whole id (gid://shopify/Order/7) may be a number alone in the channel's webhooks.
    name = order.channel_order_id.rpartition("/")[2].encode()
    page = connection.execute(
        select(inbox.c.id, inbox.c.state, inbox.c.body)
        .where(inbox.c.id > after, inbox.c.account_id == order.account_id, inbox.c.body.is_not(None))
        .order_by(inbox.c.id)
        .limit(_CHUNK)
    ).all()
    mine = [row for row in page if name in bytes(row.body)]
    found = [row.id for row in mine if row.state not in _WAITING]
    return found, len(mine) - len(found), page[-1].id if len(page) == _CHUNK else None


def erase_bodies(connection: Connection, inbox_ids: Sequence[int]) -> int:
    """Empty the bodies of events that are settled. Returns how many held one."""
    if not inbox_ids:
        return 0
    return connection.execute(
        update(inbox)
        .where(inbox.c.id.in_(inbox_ids), inbox.c.state.not_in(_WAITING), inbox.c.body.is_not(None))
        .values(body=None)
    ).rowcount


def erase_recipient(connection: Connection, order_id: int, bodies: int, now: datetime) -> bool:
    """Erase the recipient, so that no later news of the order brings it back, and note it in the journal.

    Returns whether there was something to erase; doing it again changes nothing and notes nothing.
    """
    before = find_erasable(connection, order_id)
    if before.erased_at is not None and not before.fields and not bodies:
        return False
    insert_rows(connection, recipient, [("order_id", int)], [(order_id,)], ignore=True)
    connection.execute(
        update(recipient)
        .where(recipient.c.order_id == order_id)
        .values(**dict.fromkeys(_FIELDS), erased_at=func.coalesce(recipient.c.erased_at, literal(now, Instant())))
    )
    _note(connection, before, bodies, now)
    return True


def _note(connection: Connection, before: Erasable, bodies: int, now: datetime) -> None:
    """Which fields, never what stood in them."""
    inputs = msgspec.json.encode({"fields": list(before.fields), "state": before.state}).decode()
    outcome = msgspec.json.encode({"recipient": bool(before.fields), "bodies": bodies}).decode()
    columns = [
        ("kind", str),
        ("order_id", int),
        ("policy", str),
        ("policy_version", int),
        ("inputs", str),
        ("outcome", str),
        ("decided_at", datetime),
    ]
    insert_rows(connection, decision, columns, [(KIND, before.order_id, KIND, VERSION, inputs, outcome, now)])

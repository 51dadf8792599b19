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
class Bodies:
    """Events whose bodies name an order, by their ids.

    `waiting` ones are not taken in yet and keep their bodies until they are; `asked` ones wait too, and are to lose
    theirs then. Nothing of the recipient is stored when they are taken in after an erasure.
    """

    settled: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()
    asked: tuple[int, ...] = ()

    def __add__(self, more: Bodies) -> Bodies:
        return Bodies(self.settled + more.settled, self.waiting + more.waiting, self.asked + more.asked)


@dataclass(frozen=True, slots=True)
class Erasable:
    """What is there of an order's buyer: which fields of the recipient, and in which events' bodies."""

    order_id: int
    account_id: int
    order: str
    account: str
    state: str
    fields: tuple[str, ...]
    erased_at: datetime | None
    bodies: Bodies = Bodies()

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to erase, and nothing to see to that comes later."""
        return self.erased_at is not None and not self.fields and not self.bodies.settled and not self.bodies.waiting


@dataclass(frozen=True, slots=True)
class Erased:
    """How many events' bodies are gone, and how many go when they are taken in."""

    emptied: int = 0
    asked: int = 0

    @property
    def any(self) -> bool:
        return bool(self.emptied or self.asked)

    def __add__(self, more: Erased) -> Erased:
        return Erased(self.emptied + more.emptied, self.asked + more.asked)


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


def find_bodies(connection: Connection, order_id: int, after: int) -> tuple[Bodies, int | None]:
    """Of the next events of the order's account those whose bodies name the order, and behind which to go on; None at
    the end.

    Bodies are kept for days only, so this reads what those days brought, a bounded step at a time.
    """
    order = connection.execute(
        select(sales_order.c.account_id, sales_order.c.channel_order_id).where(sales_order.c.id == order_id)
    ).one()
    # A whole id (gid://shopify/Order/7) may be a number alone in the channel's webhooks.
    name = order.channel_order_id.rpartition("/")[2].encode()
    page = connection.execute(
        select(inbox.c.id, inbox.c.state, inbox.c.body, inbox.c.erase_asked_at)
        .where(inbox.c.id > after, inbox.c.account_id == order.account_id, inbox.c.body.is_not(None))
        .order_by(inbox.c.id)
        .limit(_CHUNK)
    ).all()
    mine = [row for row in page if name in bytes(row.body)]
    waits = [row for row in mine if row.state in _WAITING]
    found = Bodies(
        tuple(row.id for row in mine if row.state not in _WAITING),
        tuple(row.id for row in waits if row.erase_asked_at is None),
        tuple(row.id for row in waits if row.erase_asked_at is not None),
    )
    return found, page[-1].id if len(page) == _CHUNK else None


def erase_bodies(connection: Connection, inbox_ids: Sequence[int], now: datetime) -> Erased:
    """Empty the bodies of these events, or note that they are to be emptied once the events are taken in."""
    if not inbox_ids:
        return Erased()
    held = inbox.c.id.in_(inbox_ids) & inbox.c.body.is_not(None)
    # Asked for first: an event that is taken in between the two loses its body by the second, or when all is tidied.
    asked = connection.execute(
        update(inbox)
        .where(held, inbox.c.state.in_(_WAITING), inbox.c.erase_asked_at.is_(None))
        .values(erase_asked_at=now)
    ).rowcount
    emptied = connection.execute(update(inbox).where(held, inbox.c.state.not_in(_WAITING)).values(body=None)).rowcount
    return Erased(emptied, asked)


def erase_recipient(connection: Connection, order_id: int, bodies: Erased, now: datetime) -> bool:
    """Erase the recipient, so that no later news of the order brings it back, and note it in the journal.

    Returns whether there was something to erase; doing it again changes nothing and notes nothing.
    """
    before = find_erasable(connection, order_id)
    if before.erased_at is not None and not before.fields and not bodies.any:
        return False
    insert_rows(connection, recipient, [("order_id", int)], [(order_id,)], ignore=True)
    connection.execute(
        update(recipient)
        .where(recipient.c.order_id == order_id)
        .values(**dict.fromkeys(_FIELDS), erased_at=func.coalesce(recipient.c.erased_at, literal(now, Instant())))
    )
    _note(connection, before, bodies, now)
    return True


def _note(connection: Connection, before: Erasable, bodies: Erased, now: datetime) -> None:
    """Which fields, never what stood in them."""
    inputs = msgspec.json.encode({"fields": list(before.fields), "state": before.state}).decode()
    made = {"recipient": bool(before.fields), "bodies": bodies.emptied, "asked": bodies.asked}
    outcome = msgspec.json.encode(made).decode()
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

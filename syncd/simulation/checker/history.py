"""What the daemon knew when: its decisions, its holds, and when each order's news took effect in its book."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, select

from syncd.db.tables import account, decision, hold, listing, movement, order_line, push_batch, sales_order
from syncd.simulation.checker.as_opened import Line, Row, units_as_opened
from syncd.simulation.checker.book import OrderKey, short_id
from syncd.simulation.checker.truth import Change, Listing

CLOCKS_APART: timedelta = timedelta(seconds=1.5)
"""Instants of the daemon's lives differ from the sandboxes' by so much at most, the way a request takes included."""


TrueTime = Callable[[datetime], datetime]
"""What the time was when the daemon's clock said something."""


def as_told(at: datetime) -> datetime:
    """The clock was right."""
    return at


@dataclass(frozen=True, slots=True)
class Publication:
    """A number that the daemon decided to write, before it sent it, and the read or write that it went out from."""

    decided_at: datetime
    value: int
    anchored_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Units that the daemon held back because a number was too low, or because units came back on sale unseen.

    `units` as it was opened (see `units_as_opened`: at most so many), `left` of them in the end.
    """

    from_at: datetime
    to_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    expires_at: datetime
    left: int
    units: int = 1
    kind: str = "shortfall"  # or doubtful, give_back

    def covers(self, at: datetime) -> bool:
        return self.from_at - CLOCKS_APART <= at <= self.to_at + CLOCKS_APART

    def is_open(self, at: datetime) -> bool:
        return self.opened_at <= at and (self.closed_at is None or self.closed_at > at)

    @property
    def ran_out(self) -> bool:
        """It ended by time, and not because an order or a give-back explained it."""
        return self.closed_at is not None and self.left > 0


@dataclass(slots=True)
class History:
    publications: dict[Listing, list[Publication]] = field(default_factory=lambda: defaultdict(list))
    holds: dict[Listing, list[Held]] = field(default_factory=lambda: defaultdict(list))
    pushes: dict[str, datetime] = field(default_factory=dict)  # when each was decided, by key
    applied: dict[OrderKey, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    released: dict[OrderKey, list[datetime]] = field(default_factory=dict)  # when reservations of it were
    live_since: Mapping[str, datetime | None] = field(default_factory=dict)
    delay: timedelta = timedelta()
    """By how much what real processes do may take longer than the vendors' own times say."""

    def known_at(self, change: Change) -> datetime | None:
        """When the book learnt of a sale, or of what became of one; None: not by now.

        Of a cancelled order it may learn the sale alone at first, long after both: what it then releases tells.
        """
        order = (change.listing[0], change.ref)
        instants = self.applied.get(order, [])
        if change.why == "sale":
            return instants[0] if instants else None
        if change.why == "cancellation":
            instants = self.released.get(order, instants)
        later = bisect_left(instants, change.at - CLOCKS_APART)
        return instants[later] if later < len(instants) else None

    def held_at(self, change: Change) -> datetime | None:
        """When the daemon began to hold back what a sale took, not knowing of the sale."""
        return min((each.opened_at for each in self.holds[change.listing] if each.covers(change.at)), default=None)

    def decided_at(self, write: Change) -> datetime | None:
        """When the daemon decided what a write has set; None: it never did."""
        if write.ref in self.pushes:
            return self.pushes[write.ref]
        made: Sequence[Publication] = self.publications[write.listing]
        before = bisect_right(made, write.accepted_at + CLOCKS_APART, key=lambda each: each.decided_at)
        return next((each.decided_at for each in reversed(made[:before]) if each.value == write.after), None)


class _Inputs(msgspec.Struct):
    anchor_hi_at: datetime | None = None


def read_history(connection: Connection, true_time: TrueTime = as_told, speed: float = 1.0) -> History:
    """All of it, each list in the order of time. `speed`: the seller's seconds in one of the processes'."""
    history = History(delay=CLOCKS_APART * (speed - 1.0))
    accounts = {row.id: row for row in connection.execute(select(account))}
    history.live_since = {row.key: row.live_since_at for row in accounts.values()}
    listings: dict[int, Listing] = {
        row.id: (accounts[row.account_id].key, row.channel_sku, row.channel_location)
        for row in connection.execute(select(listing))
    }
    decided = select(decision.c.listing_id, decision.c.decided_at, decision.c.inputs, decision.c.outcome)
    for row in connection.execute(decided.where(decision.c.kind == "publication").order_by(decision.c.decided_at)):
        value = msgspec.json.decode(row.outcome)["to"]
        anchored = msgspec.json.decode(row.inputs, type=_Inputs).anchor_hi_at
        made = Publication(true_time(row.decided_at), value, anchored and true_time(anchored))
        history.publications[listings[row.listing_id]].append(made)
    _read_holds(connection, history, listings, true_time)
    for push in connection.execute(select(push_batch.c.key, push_batch.c.created_at)):
        history.pushes[push.key] = true_time(push.created_at)
    for published in history.publications.values():
        published.sort(key=lambda each: each.decided_at)
    _read_applied(connection, history, {row.id: row.key for row in accounts.values()}, true_time)
    return history


def _read_holds(connection: Connection, history: History, listings: Mapping[int, Listing], true_time: TrueTime) -> None:
    found = connection.execute(select(hold).order_by(hold.c.opened_at)).all()
    rows = [
        Row(
            each.id,
            each.listing_id,
            each.from_at,
            each.to_at,
            each.opened_at,
            each.closed_at,
            each.quantity,
            each.given_back,
        )
        for each in found
    ]
    units = units_as_opened(rows, _lines(connection))
    for row in found:
        history.holds[listings[row.listing_id]].append(
            Held(
                true_time(row.from_at),
                true_time(row.to_at),
                true_time(row.opened_at),
                row.closed_at and true_time(row.closed_at),
                row.expires_at,
                row.quantity,
                units[row.id],
                row.kind,
            )
        )


def _lines(connection: Connection) -> list[Line]:
    sold = select(order_line, sales_order.c.first_applied_at).join(
        sales_order, sales_order.c.id == order_line.c.order_id
    )
    return [
        Line(row.listing_id, row.placed_at, max(row.quantity, row.taken_max), row.first_applied_at)
        for row in connection.execute(sold.where(order_line.c.listing_id.is_not(None)))
    ]


def _read_applied(connection: Connection, history: History, accounts: Mapping[int, str], true_time: TrueTime) -> None:
    orders: dict[int, OrderKey] = {}
    instants: dict[OrderKey, set[datetime]] = defaultdict(set)
    released: dict[OrderKey, set[datetime]] = defaultdict(set)
    for row in connection.execute(select(sales_order)):
        key = orders[row.id] = (accounts[row.account_id], short_id(row.channel_order_id))
        instants[key].add(true_time(row.first_applied_at))
    for row in connection.execute(
        select(decision.c.order_id, decision.c.decided_at).where(decision.c.order_id.is_not(None))
    ):
        instants[orders[row.order_id]].add(true_time(row.decided_at))
    of_line = {
        row.id: orders[row.order_id] for row in connection.execute(select(order_line.c.id, order_line.c.order_id))
    }
    for row in connection.execute(
        select(movement.c.cause_key, movement.c.at, movement.c.kind).where(
            movement.c.cause_key.startswith("line/"), movement.c.kind.in_(("reservation", "release"))
        )
    ):
        order = of_line[int(row.cause_key.split("/")[1])]
        instants[order].add(true_time(row.at))
        if row.kind == "release":
            released[order].add(true_time(row.at))
    history.applied.update({key: sorted(each) for key, each in instants.items()})
    history.released.update({key: sorted(each) for key, each in released.items()})

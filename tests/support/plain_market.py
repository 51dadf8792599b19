"""A marketplace in memory that only sets numbers: orders listed late, reads a little old, writes that land late."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import msgspec

from adapters.contract import (
    ChannelTraits,
    Clock,
    Forged,
    Identity,
    ListedItem,
    ListingPage,
    ListingRef,
    Malformed,
    News,
    NewsQueue,
    OrderLine,
    OrderNews,
    OrderState,
    OutcomeUnknown,
    Page,
    Problem,
    QuantityRead,
    QuantityWrite,
    RawEvent,
    RowOutcome,
    RowResult,
    Transient,
    WriteStyle,
)

HERE = "HERE"
STALENESS_S = 5.0
INDEX_LAG_S = 60.0


def plain_traits(*, applies_late: bool, hold_window_s: float = 600.0) -> ChannelTraits:
    return ChannelTraits(
        write_style=WriteStyle.PLAIN_SET,
        cells=("quantity",),
        write_batch=20,
        read_batch=20,
        index_lag_s=INDEX_LAG_S,
        staleness_s=STALENESS_S,
        instant_granularity_s=1.0,
        hold_window_s=hold_window_s,
        settle_s=120.0,
        poll_overlap_s=120.0,
        poll_every_s=60.0,
        request_timeout_real_s=1.0,
        reread_after_s=600.0,
        apply_s=20.0 if applies_late else 0.0,
    )


class WireOrder(msgspec.Struct):
    """An order as the market tells it."""

    id: str
    sku: str
    quantity: int
    placed_at: datetime
    changed_at: datetime
    cancelled: bool = False


@dataclass
class Sold:
    """An order as the market has it. Unpaid purchases show in no order yet."""

    wire: WireOrder
    visible_at: datetime
    paid: bool = True


@dataclass(frozen=True)
class Applied:
    """A write that took effect: what it met, and since when the writer could not see."""

    at: datetime
    sku: str
    value: int
    met: int
    read_at: datetime


@dataclass
class Market:
    """`shown` is what buyers see right now. Faults: shares of calls."""

    key: str
    clock: Clock
    rng: Random
    shown: dict[str, int]
    applies_late: bool = False
    lost_reply: float = 0.0
    not_sent: float = 0.0
    stale_read: float = 0.0
    hold_window_s: float = 600.0
    orders: dict[str, Sold] = field(default_factory=dict)
    applied: list[Applied] = field(default_factory=list)
    throttled: int = 0
    sold: int = 0
    queue: NewsQueue | None = None
    _travelling: list[tuple[datetime, str, int, datetime]] = field(default_factory=list)
    _before: dict[str, list[tuple[datetime, int]]] = field(default_factory=dict)
    _read_at: dict[str, datetime] = field(default_factory=dict)

    # --- what buyers and sellers do ---------------------------------------------------------------------------

    def sells(
        self, sku: str, quantity: int = 1, *, paid: bool = True, listed_after_s: float | None = None
    ) -> str | None:
        """A buyer takes what is shown; None when it is sold out."""
        self.lands()
        if self.shown[sku] < quantity:
            return None
        now = self.clock.now()
        self._becomes(sku, self.shown[sku] - quantity)
        self.sold += 1
        order_id = f"{self.key}-{self.sold}"
        lag = self.rng.uniform(0.0, INDEX_LAG_S - 1.0) if listed_after_s is None else listed_after_s
        wire = WireOrder(order_id, sku, quantity, now.replace(microsecond=0), now.replace(microsecond=0))
        self.orders[order_id] = Sold(wire, now + timedelta(seconds=lag), paid)
        return order_id

    def pays(self, order_id: str) -> None:
        sold = self.orders[order_id]
        sold.paid = True
        sold.wire.changed_at = self.clock.now().replace(microsecond=0)
        sold.visible_at = self.clock.now()

    def cancels(self, order_id: str, *, give_back: bool) -> None:
        """A paid order is cancelled; the market may put its units back on sale."""
        self.lands()
        wire = self.orders[order_id].wire
        if wire.cancelled:
            return
        wire.cancelled = True
        wire.changed_at = self.clock.now().replace(microsecond=0)
        if give_back:
            self._becomes(wire.sku, self.shown[wire.sku] + wire.quantity)

    def drops(self, order_id: str, *, give_back: bool) -> None:
        """An unpaid purchase comes to nothing."""
        self.lands()
        sold = self.orders.pop(order_id)
        if give_back:
            self._becomes(sold.wire.sku, self.shown[sold.wire.sku] + sold.wire.quantity)

    def types(self, sku: str, quantity: int) -> None:
        """A person types a number."""
        self.lands()
        self._becomes(sku, quantity)

    def lands(self) -> None:
        """Let writes that are due take effect."""
        now = self.clock.now()
        due = [each for each in self._travelling if each[0] <= now]
        self._travelling = [each for each in self._travelling if each[0] > now]
        for at, sku, value, read_at in sorted(due):
            self.applied.append(Applied(at, sku, value, self.shown[sku], read_at))
            self._becomes(sku, value)

    def _becomes(self, sku: str, value: int) -> None:
        self._before.setdefault(sku, []).append((self.clock.now(), self.shown[sku]))
        self.shown[sku] = value

    # --- the channel ------------------------------------------------------------------------------------------

    @property
    def traits(self) -> ChannelTraits:
        return plain_traits(applies_late=self.applies_late, hold_window_s=self.hold_window_s)

    async def identify(self) -> Identity:
        return Identity(self.key, (), (), None)

    async def poll_orders(self, since: datetime) -> AsyncIterator[Page]:
        now = self.clock.now()
        told = [
            _event(sold.wire)
            for sold in self.orders.values()
            if sold.paid and sold.visible_at <= now and max(sold.wire.changed_at, sold.visible_at) >= since
        ]
        yield Page(tuple(told), None)

    async def fetch_orders(self, channel_order_ids: Sequence[str]) -> tuple[RawEvent, ...]:
        return tuple(_event(self.orders[each].wire) for each in channel_order_ids if each in self.orders)

    async def list_listings(self) -> AsyncIterator[ListingPage]:
        items = [ListedItem(ListingRef(sku, HERE), sku, sku, "", None, n, False, sku) for sku, n in self.shown.items()]
        yield ListingPage(tuple(items), None)

    async def read_quantities(self, refs: Sequence[ListingRef]) -> tuple[QuantityRead, ...]:
        self.lands()
        if self.rng.random() < self.not_sent:
            raise Transient("no connection")
        now = self.clock.now()
        for ref in refs:
            self._read_at[ref.channel_sku] = now
        return tuple(QuantityRead(ref, self._seen(ref.channel_sku, now)) for ref in refs)

    def _seen(self, sku: str, now: datetime) -> int:
        if self.rng.random() >= self.stale_read:
            return self.shown[sku]
        then = now - timedelta(seconds=self.rng.uniform(0.0, STALENESS_S))
        later = [value for at, value in self._before.get(sku, []) if at > then]
        return later[0] if later else self.shown[sku]

    def compose_write(self, push_id: str, rows: Sequence[QuantityWrite]) -> str:
        return msgspec.json.encode([(row.ref.channel_sku, row.quantity) for row in rows]).decode()

    async def send_write(self, key: str, body: str) -> tuple[RowResult, ...]:
        self.lands()
        if self.rng.random() < self.not_sent:
            raise Transient("no connection")
        rows = msgspec.json.decode(body, type=list[tuple[str, int]])
        for sku, value in rows:
            late_s = self.rng.uniform(1.0, 40.0) if self.applies_late else 0.0
            at = self.clock.now() + timedelta(seconds=late_s)
            self._travelling.append((at, sku, value, self._read_at[sku]))
        self.lands()
        if self.rng.random() < self.lost_reply:
            raise OutcomeUnknown("no reply")
        outcome = RowOutcome.ACCEPTED if self.applies_late else RowOutcome.APPLIED
        return tuple(RowResult(ListingRef(sku, HERE), outcome) for sku, _ in rows)

    async def ensure_webhooks(self, public_url: str) -> Sequence[object]:
        return ()

    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> RawEvent:
        raise Forged("this market sends none")

    def answer_challenge(self, query: Mapping[str, str], address: str) -> bytes | None:
        return None

    def resolve(self, event: RawEvent) -> News:
        try:
            told = msgspec.json.decode(event.body, type=WireOrder)
        except msgspec.MsgspecError as err:
            return Malformed(Problem("body", str(err)))
        wanted = 0 if told.cancelled else told.quantity
        line = OrderLine("1", told.sku, told.sku, wanted, 0, 0 if told.cancelled else told.quantity, told.quantity)
        return OrderNews(OrderState(told.id, told.id, told.changed_at, told.placed_at, told.cancelled, False, (line,)))

    async def close(self) -> None:
        return None


def _event(wire: WireOrder) -> RawEvent:
    return RawEvent(f"{wire.id}:{wire.changed_at.isoformat()}", "order", msgspec.json.encode(wire))

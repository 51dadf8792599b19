"""A channel of one shop in memory: JSON bodies signed by HMAC, and numbers that do as they are told."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapters.contract import (
    ChannelTraits,
    Forged,
    Identity,
    Ignored,
    ListedItem,
    ListingPage,
    ListingRef,
    Malformed,
    News,
    NewsQueue,
    OrderHint,
    Page,
    Problem,
    QuantityRead,
    QuantityWrite,
    RawEvent,
    RowOutcome,
    RowResult,
    WriteStyle,
)

TRAITS = ChannelTraits(
    write_style=WriteStyle.COMPARE_AND_SET,
    cells=("available",),
    write_batch=50,
    read_batch=50,
    index_lag_s=0.0,
    staleness_s=0.0,
    instant_granularity_s=0.0,
    hold_window_s=600.0,
    settle_s=30.0,
    poll_overlap_s=0.0,
    poll_every_s=60.0,
    request_timeout_real_s=1.0,
)


def signed(body: bytes, secret: str = "sesame", key: str = "event-1", topic: str = "orders/create") -> dict[str, str]:
    """The headers under which this shop sends a body."""
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Signature": signature, "X-Event": key, "X-Topic": topic}


@dataclass
class FakeChannel:
    """`events` is what a poll finds, one page; `shown` the listings' numbers; `sent` every write ever sent.

    `addresses` is where webhooks were asked for.
    """

    secret: str = "sesame"
    traits: ChannelTraits = TRAITS
    events: list[RawEvent] = field(default_factory=list)
    shown: dict[ListingRef, int] = field(default_factory=dict)
    sent: list[tuple[str, str]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    answered: dict[str, tuple[RowResult, ...]] = field(default_factory=dict)
    throttled: int = 0
    queue: NewsQueue | None = None

    async def identify(self) -> Identity:
        return Identity("fake", (), (), None)

    async def poll_orders(self, since: datetime) -> AsyncIterator[Page]:
        yield Page(tuple(self.events), None)

    async def fetch_orders(self, channel_order_ids: Sequence[str]) -> tuple[RawEvent, ...]:
        return tuple(event for event in self.events if event.event_key in channel_order_ids)

    async def list_listings(self) -> AsyncIterator[ListingPage]:
        items = (ListedItem(r, r.channel_sku, None, "", None, n, False, "all") for r, n in self.shown.items())
        yield ListingPage(tuple(items), None)

    async def read_quantities(self, refs: Sequence[ListingRef]) -> tuple[QuantityRead, ...]:
        return tuple(QuantityRead(ref, self.shown.get(ref)) for ref in refs)

    def compose_write(self, push_id: str, rows: Sequence[QuantityWrite]) -> str:
        return json.dumps([[r.ref.channel_sku, r.ref.channel_location, r.quantity, r.expected] for r in rows])

    async def send_write(self, key: str, body: str) -> tuple[RowResult, ...]:
        self.sent.append((key, body))
        if key not in self.answered:
            rows = [(ListingRef(sku, at), n, expected) for sku, at, n, expected in json.loads(body)]
            self.answered[key] = tuple(self._write(*row) for row in rows)
        return self.answered[key]

    def _write(self, ref: ListingRef, quantity: int, expected: int) -> RowResult:
        if self.shown.get(ref) != expected:
            return RowResult(ref, RowOutcome.STALE)
        self.shown[ref] = quantity
        return RowResult(ref, RowOutcome.APPLIED)

    async def ensure_webhooks(self, public_url: str) -> Sequence[object]:
        self.addresses.append(public_url)
        return (public_url,)

    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> RawEvent:
        told = {name.lower(): value for name, value in headers.items()}
        right = signed(body, self.secret)["X-Signature"]
        if not hmac.compare_digest(told.get("x-signature", "").encode(), right.encode()):
            raise Forged("the signature does not verify")
        return RawEvent(told.get("x-event", ""), told.get("x-topic", ""), body)

    def answer_challenge(self, query: Mapping[str, str], address: str) -> bytes | None:
        return None

    def resolve(self, event: RawEvent) -> News:
        try:
            order_id = json.loads(event.body)["order"]
        except (ValueError, KeyError, TypeError) as err:
            return Malformed(Problem("body", type(err).__name__))
        return OrderHint(str(order_id)) if order_id else Ignored("no order")

    async def close(self) -> None:
        return None

"""What a channel is to syncd, in the channel's own words.

An adapter never sees our SKUs. It names a listing by `(channel_sku, channel_location)` and an order by
`channel_order_id`; mapping those to stock is `syncd.orders`' work. Quantities are int pieces of the listing,
instants are aware UTC datetimes, money is integer minor units with an ISO 4217 code.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

# --- time and chance ------------------------------------------------------------------------------------------


class Clock(Protocol):
    """The seller's time. Time-outs around real IO, leases and watchdogs do not use it: they are real seconds."""

    def now(self) -> datetime:
        """The seller's instant, aware UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many of the seller's seconds."""
        ...


class Rng(Protocol):
    """A seeded stream of chance; one stream a subsystem. Never used for secrets."""

    def random(self) -> float:
        """A float in [0, 1)."""
        ...

    def uniform(self, low: float, high: float) -> float: ...

    def randrange(self, stop: int) -> int:
        """An int in [0, stop)."""
        ...

    def uuid(self) -> uuid.UUID:
        """A version 4 UUID drawn from this stream."""
        ...


# --- the five errors ------------------------------------------------------------------------------------------


class AdapterError(Exception):
    """Something at a vendor went wrong; exactly one of the five kinds below."""


class Transient(AdapterError):
    """The request had no effect and may simply be repeated: no connection, a 5xx to a read, maintenance."""


class RateLimited(AdapterError):
    """The vendor asks us to wait; the request had no effect."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s  # the seller's seconds


class AuthExpired(AdapterError):
    """The credentials are refused and a new token did not help: a person must act."""


class Rejected(AdapterError):
    """The vendor understood and refused; repeating the same request is useless."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class OutcomeUnknown(AdapterError):
    """A write was sent and no trustworthy answer came: it may or may not have taken effect."""


class Forged(Exception):
    """A webhook whose signature does not verify. Nothing of it may be stored."""


# --- what channels tell us -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One thing a channel told us, byte for byte, as it goes into the inbox.

    `event_key` is unique per account and the same for every delivery of the same news; `topic` tells `resolve`
    how to read `body`.
    """

    event_key: str
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a poll. `cursor` resumes after this page; None on the last one."""

    events: tuple[RawEvent, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Money:
    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel goes. Buyer data: it goes into `recipient` and nowhere else."""

    name: str | None = None
    lines: tuple[str, ...] = ()
    city: str | None = None
    province: str | None = None
    postcode: str | None = None
    country: str | None = None  # ISO 3166-1 alpha-2


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in what a channel sent. It puts an order in review and never frees its units."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of an order, as a state.

    `quantity` is what the buyer is still to get or has got; `fulfilled` of these have left. `taken_min` and
    `taken_max` bound how far this line has lowered the listing's own number by now: equal unless the channel does
    not say whether a removed unit went back on sale. `parked` names why the line cannot be reserved (no usable
    quantity, no SKU); its numbers are then 0 and mean nothing.
    """

    channel_line_id: str
    line_key: str | None  # how order lines name the listing (ListedItem.line_key)
    code: str | None  # the seller's code as the channel prints it
    quantity: int
    fulfilled: int
    taken_min: int
    taken_max: int
    channel_location: str | None = None
    unit_price: Money | None = None
    requires_shipping: bool = True
    by_channel: bool = False  # the channel ships it from stock of its own (FBA): recorded, reserving nothing
    parked: Problem | None = None


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order as the channel stood at `version_at`. Applying it twice, or an older one later, changes nothing."""

    channel_order_id: str
    name: str
    version_at: datetime
    placed_at: datetime
    cancelled: bool
    test: bool
    lines: tuple[OrderLine, ...]
    ship_to: Address | None = None
    currency: str | None = None
    problems: tuple[Problem, ...] = ()
    fulfilled_at: datetime | None = None  # when the last of its parcels left, if the channel says


@dataclass(frozen=True, slots=True)
class OrderNews:
    """The event carried a whole order."""

    order: OrderState


@dataclass(frozen=True, slots=True)
class OrderHint:
    """The event only says that an order changed; fetch it, many at a time."""

    channel_order_id: str


@dataclass(frozen=True, slots=True)
class ListingHint:
    """A listing's number changed. It is a hint to read, never a number to adopt."""

    channel_sku: str
    channel_location: str
    quantity: int | None


@dataclass(frozen=True, slots=True)
class Ignored:
    """News that has no effect on stock."""

    reason: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """News rightly signed that cannot be read. It is parked and a person is told."""

    problem: Problem


News = OrderNews | OrderHint | ListingHint | Ignored | Malformed


# --- listings and their numbers --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class ListingRef:
    """One number that an account lets us set."""

    channel_sku: str
    channel_location: str


@dataclass(frozen=True, slots=True)
class ListedItem:
    """A listing as the channel shows it. `unwritable` says why its number is not ours to set, if so."""

    ref: ListingRef
    line_key: str
    code: str | None
    title: str
    gtin: str | None
    quantity: int | None
    back_orderable: bool  # the channel goes on selling below zero
    budget_key: str  # what the vendor counts revisions by
    unwritable: str | None = None


@dataclass(frozen=True, slots=True)
class ListingPage:
    items: tuple[ListedItem, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class QuantityRead:
    """What a listing shows. `quantity` None: the channel does not say (unknown item, not stocked, untracked)."""

    ref: ListingRef
    quantity: int | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class QuantityWrite:
    """Set a listing to `quantity`. `expected` is the value that can be explained, never one just read."""

    ref: ListingRef
    quantity: int
    expected: int


class RowOutcome(StrEnum):
    APPLIED = "applied"
    ACCEPTED = "accepted"  # plain set: it will take effect within `settle_s`; a read shows when
    UNKNOWN = "unknown"  # plain set: this row may or may not have taken effect; only a read can tell
    STALE = "stale"  # the number was not the expected one; nothing was written
    REJECTED = "rejected"  # this row can never work as it stands
    NOT_WRITTEN = "not_written"  # the row is fine, the call failed for another row's sake


@dataclass(frozen=True, slots=True)
class RowResult:
    ref: ListingRef
    outcome: RowOutcome
    field: str | None = None
    reason: str | None = None


class WriteStyle(StrEnum):
    COMPARE_AND_SET = "compare_and_set"
    PLAIN_SET = "plain_set"


@dataclass(frozen=True, slots=True)
class ChannelTraits:
    """What the publishing protocol must know of a channel. Durations are the seller's seconds unless `_real_s`."""

    write_style: WriteStyle
    cells: tuple[str, ...]  # numbers behind a listing: one, or item and offer
    write_batch: int  # rows a call
    read_batch: int
    index_lag_s: float  # L: a poll started at t has every order placed before t - L
    staleness_s: float  # D: a read sent at t may show the state of t - D
    instant_granularity_s: float  # a channel instant stands for [t, t + this)
    hold_window_s: float  # W: how long an unexplained shortfall is held
    settle_s: float  # after this an unanswered write is applied or never will be
    poll_overlap_s: float
    poll_every_s: float
    request_timeout_real_s: float  # bounds a whole `send_write`, however many requests it takes
    reread_after_s: float = 86_400.0  # a number not read for so long is read again
    apply_s: float = 0.0  # how long an accepted write usually takes to show
    sweeps: tuple[tuple[float, float], ...] = ((86_400.0, 86_400.0),)  # (every, reaching back): orders listed late
    fetch_batch: int = 250  # orders looked up at a time, so that a slow quota does not look like a hang


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the account says it is, for `syncd check`."""

    name: str
    scopes: tuple[str, ...]
    missing_scopes: tuple[str, ...]
    api_version: str | None
    warnings: tuple[str, ...] = field(default=())
    wrongs: tuple[str, ...] = field(default=())  # with these nothing works, whatever the rights


@dataclass(frozen=True, slots=True)
class Queued:
    """News as a queue handed it over. `receipt` acknowledges it once it is durable."""

    event: RawEvent
    receipt: str


class NewsQueue(Protocol):
    """A queue that the channel puts its news on. At least once, in no order."""

    async def receive(self) -> tuple[Queued, ...]:
        """Wait some real seconds for news; empty when there was none. Raises AdapterError."""
        ...

    async def acknowledge(self, receipts: Sequence[str]) -> None:
        """Take these off the queue. What is not acknowledged comes again. Raises AdapterError."""
        ...


class Channel(Protocol):
    """One account on one marketplace. Every method maps every failure to one of the five AdapterErrors."""

    @property
    def traits(self) -> ChannelTraits: ...

    @property
    def throttled(self) -> int:
        """How often the vendor has told us to wait since this process began."""
        ...

    @property
    def queue(self) -> NewsQueue | None:
        """Where this channel's news wait to be fetched, if it has such a queue."""
        ...

    async def identify(self) -> Identity: ...

    def poll_orders(self, since: datetime) -> AsyncIterator[Page]:
        """Every order changed at or after `since`, whole, in pages. Ending without error means: complete."""
        ...

    async def fetch_orders(self, channel_order_ids: Sequence[str]) -> tuple[RawEvent, ...]:
        """The named orders as they stand now, in one call or few."""
        ...

    def list_listings(self) -> AsyncIterator[ListingPage]: ...

    async def read_quantities(self, refs: Sequence[ListingRef]) -> tuple[QuantityRead, ...]:
        """One result per ref, in order; at most `traits.read_batch` refs."""
        ...

    def compose_write(self, push_id: str, rows: Sequence[QuantityWrite]) -> str:
        """The exact body of a batched write, to be stored before it is first sent. Pure."""
        ...

    async def send_write(self, key: str, body: str) -> tuple[RowResult, ...]:
        """Send a composed body under an idempotency key; one result per row.

        Compare-and-set: repeating it changes nothing more. Plain set: it is never repeated.
        """
        ...

    async def ensure_webhooks(self, public_url: str) -> Sequence[object]:
        """Have the channel send its news to this address; what was done, one printable item a subscription."""
        ...

    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> RawEvent:
        """The event, if the raw bytes are rightly signed. Raises Forged, and AdapterError where the vendor's key
        cannot be had just now: then the vendor may send it again.
        """
        ...

    def answer_challenge(self, query: Mapping[str, str], address: str) -> bytes | None:
        """The JSON that proves to the channel that the webhook address (as it was registered) is ours; None when
        `query` is no challenge. Pure.
        """
        ...

    def resolve(self, event: RawEvent) -> News:
        """What an inbox event means. Pure and total: what cannot be read is Malformed."""
        ...

    async def close(self) -> None: ...

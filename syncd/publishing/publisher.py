"""One writer an account: claims dirty listings, reads what is unexplained, writes what is, settles what happened."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from adapters.contract import (
    AdapterError,
    AuthExpired,
    Channel,
    Clock,
    ListingRef,
    OutcomeUnknown,
    QuantityRead,
    QuantityWrite,
    RateLimited,
    Rejected,
    Rng,
    RowOutcome,
    RowResult,
    Transient,
    WriteStyle,
)
from syncd.clock import real_now
from syncd.db.database import Transactor
from syncd.db.lease import Lease
from syncd.publishing.plain import Fresh
from syncd.publishing.store.claim import Claimed, claim
from syncd.publishing.store.queue import next_due
from syncd.publishing.store.reads import Noted, ReadRow, Surprise, note_reads
from syncd.publishing.store.rows import Push, Row, Rules
from syncd.publishing.store.settle import Outcome, abandon, note_sent, settle, unfinished
from syncd.publishing.store.surplus import settle_surplus

log = structlog.get_logger(__name__)

_LEASE_MARGIN_S = 3.0
_KEY_LIFE = timedelta(hours=23)  # channels remember an idempotency key for 24 hours
_LOOK = 500  # dirty listings looked at in one transaction
_BACK_OFF_S = (2.0, 5.0, 15.0, 60.0)
_READ_WITHIN_REAL_S = 30.0
_SURPLUS_EVERY = timedelta(seconds=10)
_GIVE_UP_READING = 8  # failures in a row, the last of them for one number alone
_DONE = (RowOutcome.APPLIED, RowOutcome.ACCEPTED)


class Publisher:
    """Publishes one account. `lease` gives the current lease; a write leaves only while enough of it is left (C1)."""

    def __init__(
        self,
        account_id: int,
        account: str,
        channel: Channel,
        db: Transactor,
        clock: Clock,
        rng: Rng,
        lease: Callable[[], Lease],
        lease_now: Callable[[], datetime] = real_now,
    ) -> None:
        self._account_id = account_id
        self._account = account
        self._channel = channel
        self._db = db
        self._clock = clock
        self._rng = rng
        self._lease = lease
        self._lease_now = lease_now
        self._unsettled = True  # a former owner may have left writes behind
        self._surplus = True  # likewise
        self._look_at_surplus_at = clock.now()
        self._plain = channel.traits.write_style is WriteStyle.PLAIN_SET
        self._batch = channel.traits.write_batch
        self._failures: Counter[str] = Counter()  # in a row, by what failed
        self._read_batch = channel.traits.read_batch
        self._not_before = clock.now()  # after a failure nothing is tried until then
        self.wake = asyncio.Event()
        self.next_look_at: datetime | None = None  # when something is due by itself; None: nothing it knows of
        self.waiting: dict[str, int] = {}

    @property
    def _rules(self) -> Rules:
        traits = self._channel.traits
        return Rules(
            account_id=self._account_id,
            account=self._account,
            cell=traits.cells[0],
            write_batch=self._batch,
            index_lag_s=traits.index_lag_s,
            staleness_s=traits.staleness_s,
            granularity_s=traits.instant_granularity_s,
            hold_window_s=traits.hold_window_s,
            settle_s=traits.settle_s,
            lease=self._lease(),
            plain=self._plain,
            apply_s=traits.apply_s,
        )

    async def step(self) -> bool:
        """Do what is due once. Returns whether there may be more to do at once."""
        self.next_look_at = self._not_before
        if self._clock.now() < self._not_before:
            return False
        try:
            return await self._step()
        except BaseException:
            # Whatever broke off may have left a stored write behind: it is looked for before anything else.
            self._unsettled = True
            raise

    async def _step(self) -> bool:
        if self._unsettled:
            await self._repeat_unfinished()
            if self._unsettled:
                self.next_look_at = self._not_before
                return False
        await self._tell_raised()
        due_at = await self._db.read(next_due, self._account_id)
        self.next_look_at = due_at and max(due_at, self._not_before)
        if due_at is None or due_at > self._clock.now():
            return False
        claimed = await self._claim(None)
        self.waiting = dict(claimed.waiting)
        if claimed.push is not None:
            await self._send(claimed.push)
        if claimed.read:
            fresh = await self._read(claimed.read[: self._read_batch])
            if self._plain and fresh:
                await self._set_what_was_read(fresh)
        return claimed.looked_at > 0 and not self._unsettled

    async def _claim(self, fresh: Mapping[int, Fresh] | None) -> Claimed:
        key = str(self._rng.uuid())
        compose = _Composer(self._channel, key)
        return await self._db.transact(claim, self._rules, key, compose, _LOOK, self._clock.now(), fresh)

    async def _set_what_was_read(self, fresh: Mapping[int, Fresh]) -> None:
        """A plain set follows right upon its read: the time between them is when a sale can be erased."""
        claimed = await self._claim(fresh)
        if claimed.push is not None:
            await self._send(claimed.push)

    async def _repeat_unfinished(self) -> None:
        """C2: an unknown outcome is cleared before anything else is written: a compare-and-set by the same bytes under
        the same key, a plain set by reading what it did.
        """
        pushes = await self._db.transact(unfinished, self._rules)
        if pushes is None:
            return
        for push in pushes:
            if self._plain:  # one that never left has done nothing
                outcome = RowOutcome.UNKNOWN if push.attempts else RowOutcome.NOT_WRITTEN
                await self._settle(push, _all_rows(push, outcome))
            elif self._clock.now() - push.created_at > _KEY_LIFE:
                await self._abandon(push)  # the channel has forgotten the key: sent again it would be a new write
            elif not await self._send(push):
                return
        self._unsettled = False

    async def _send(self, push: Push) -> bool:
        """Send a stored write. Returns whether its outcome is known now."""
        if self._too_late_in_lease():
            self._unsettled = True
            return False
        if not await self._db.transact(note_sent, self._rules, push.key, self._clock.now()):
            return True
        try:
            results = await self._channel.send_write(push.key, push.body)
        except AdapterError as err:
            if self._plain and not isinstance(err, Rejected):
                return await self._note_plain_failure(push, err)
            return await self._note_failure(push, err)
        if any(each.outcome in _DONE for each in results):
            self._failures["write"] = 0
        await self._settle(push, results)
        if self._plain and all(each.outcome is RowOutcome.NOT_WRITTEN for each in results):
            self._back_off("write", None)
        return True

    def _too_late_in_lease(self) -> bool:
        left = (self._lease().expires_at - self._lease_now()).total_seconds()
        return left < self._channel.traits.request_timeout_real_s + _LEASE_MARGIN_S

    async def _settle(self, push: Push, results: Sequence[RowResult], *, refused: bool = False) -> None:
        listings = {(row.channel_sku, row.channel_location): row.listing_id for row in push.rows}
        outcomes = [
            Outcome(
                listings[(each.ref.channel_sku, each.ref.channel_location)],
                each.outcome.value,
                ": ".join(part for part in (each.field, each.reason) if part) or None,
            )
            for each in results
        ]
        now = self._clock.now()
        written = await self._db.transact(settle, self._rules, push.key, outcomes, now, refused=refused)
        failed = {each.outcome for each in results} - {RowOutcome.APPLIED}
        unnamed = failed == {RowOutcome.NOT_WRITTEN}
        # A call that fails without naming its bad row is halved until the row stands alone.
        self._batch = max(1, len(push.rows) // 2) if unnamed else min(self._channel.traits.write_batch, self._batch * 2)
        log.info("listing.published", account=self._account, rows=len(push.rows), written=written)

    async def _note_plain_failure(self, push: Push, err: AdapterError) -> bool:
        """A plain set is never repeated: either nothing of it arrived, or a read tells what did."""
        lost = isinstance(err, OutcomeUnknown)
        if lost or not self._failures["write"]:
            log.warning("push.failed", account=self._account, key=push.key, error=type(err).__name__, detail=str(err))
        size = self._batch
        await self._settle(push, _all_rows(push, RowOutcome.UNKNOWN if lost else RowOutcome.NOT_WRITTEN))
        self._batch = size  # no row is to blame
        self._back_off("write", err)
        return True

    async def _note_failure(self, push: Push, err: AdapterError) -> bool:
        if isinstance(err, Rejected):
            log.error("push.rejected", account=self._account, key=push.key, field=err.field, reason=err.reason)
            only_row = len(push.rows) == 1
            kind = RowOutcome.REJECTED if only_row else RowOutcome.NOT_WRITTEN
            await self._settle(push, _all_rows(push, kind, err), refused=True)
            return True
        self._unsettled = True
        if isinstance(err, OutcomeUnknown | AuthExpired) or not self._failures["write"]:
            log.warning(
                "push.unsettled", account=self._account, key=push.key, error=type(err).__name__, detail=str(err)
            )
        self._back_off("write", err)
        return False

    async def _abandon(self, push: Push) -> None:
        await self._db.transact(abandon, self._rules, push.key, self._clock.now())
        log.error("push.abandoned", account=self._account, key=push.key)

    def _back_off(self, what: str, err: AdapterError | None) -> None:
        """Try nothing for a while: longer with every failure in a row, and at least as long as the channel asks."""
        pause = _BACK_OFF_S[min(self._failures[what], len(_BACK_OFF_S) - 1)]
        if isinstance(err, RateLimited):
            pause = max(pause, err.retry_after_s)
        self._failures[what] += 1
        self._not_before = self._clock.now() + timedelta(seconds=pause * self._rng.uniform(0.8, 1.2))

    async def _read(self, wanted: Sequence[Row]) -> Mapping[int, Fresh]:
        """Read these numbers. Returns whose numbers are known as of now."""
        refs = [ListingRef(row.channel_sku, row.channel_location) for row in wanted]
        sent_at = self._clock.now()
        try:
            reads = await self._asked(refs)
        except AdapterError as err:
            return await self._note_unread(wanted, err, sent_at)
        self._failures["read"] = 0
        self._read_batch = min(self._channel.traits.read_batch, self._read_batch * 2)
        listings = {(row.channel_sku, row.channel_location): row.listing_id for row in wanted}
        shown = [
            ReadRow(listings[(read.ref.channel_sku, read.ref.channel_location)], read.quantity, read.problem)
            for read in reads
        ]
        return await self._note(shown, sent_at)

    async def _asked(self, refs: Sequence[ListingRef]) -> Sequence[QuantityRead]:
        """A read must never look like a hang to who watches this loop: what takes too long is broken off."""
        try:
            async with asyncio.timeout(_READ_WITHIN_REAL_S):
                return await self._channel.read_quantities(refs)
        except TimeoutError as err:
            raise Transient(f"reading {len(refs)} numbers took longer than {_READ_WITHIN_REAL_S:.0f} s") from err

    async def _note_unread(self, wanted: Sequence[Row], err: AdapterError, sent_at: datetime) -> Mapping[int, Fresh]:
        """One number that cannot be read must not stop the others: the batch is halved until it stands alone."""
        if not self._failures["read"]:
            log.warning("read.failed", account=self._account, error=type(err).__name__, detail=str(err))
        self._back_off("read", err)
        if isinstance(err, RateLimited | AuthExpired):
            return {}
        self._read_batch = max(1, len(wanted) // 2)
        if len(wanted) > 1 or self._failures["read"] < _GIVE_UP_READING:
            return {}
        log.error("listing.unreadable", account=self._account, listing_id=wanted[0].listing_id, detail=str(err))
        return await self._note([ReadRow(wanted[0].listing_id, None, str(err))], sent_at)

    async def _note(self, shown: Sequence[ReadRow], sent_at: datetime) -> Mapping[int, Fresh]:
        noted: Noted = await self._db.transact(note_reads, self._rules, shown, sent_at, self._clock.now())
        self._surplus = self._surplus or noted.surplus
        self._tell(noted.surprises)
        return noted.fresh

    async def _tell_raised(self) -> None:
        """Tell of numbers that somebody raised, as soon as it cannot have been an order."""
        if not self._surplus or self._clock.now() < self._look_at_surplus_at:
            return
        found = await self._db.transact(settle_surplus, self._rules)
        self._surplus = found.undecided
        self._look_at_surplus_at = self._clock.now() + _SURPLUS_EVERY
        for listing_id, units in found.units.items():
            log.warning("listing.raised_by_someone", account=self._account, listing_id=listing_id, units=units)

    def _tell(self, surprises: Sequence[Surprise]) -> None:
        for each in surprises:
            if each.relisted:
                log.warning("listing.relisted", account=self._account, listing_id=each.listing_id, units=each.relisted)
            if each.held:
                log.info("listing.held", account=self._account, listing_id=each.listing_id, units=each.held)


def _all_rows(push: Push, outcome: RowOutcome, err: Rejected | None = None) -> list[RowResult]:
    field, reason = (err.field, err.reason) if err else (None, None)
    return [RowResult(ListingRef(r.channel_sku, r.channel_location), outcome, field, reason) for r in push.rows]


class _Composer:
    """Composes the exact body inside the claim; equal inputs give equal bytes, also when the claim is repeated."""

    def __init__(self, channel: Channel, push_id: str) -> None:
        self._channel = channel
        self._push_id = push_id

    def __call__(self, rows: tuple[Row, ...]) -> str:
        return self._channel.compose_write(
            self._push_id,
            [QuantityWrite(ListingRef(row.channel_sku, row.channel_location), row.value, row.expected) for row in rows],
        )

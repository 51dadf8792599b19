"""One writer an account: claims dirty listings, reads what is unexplained, writes what is, settles what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from adapters.contract import (
    AdapterError,
    AuthExpired,
    Channel,
    Clock,
    ListingRef,
    OutcomeUnknown,
    QuantityWrite,
    RateLimited,
    Rejected,
    Rng,
    RowOutcome,
    RowResult,
    WriteStyle,
)
from syncd.clock import real_now
from syncd.db.database import Transactor
from syncd.db.lease import Lease
from syncd.publishing.store.claim import Claimed, claim
from syncd.publishing.store.reads import Noted, ReadRow, Surprise, note_reads
from syncd.publishing.store.rows import Push, Row, Rules
from syncd.publishing.store.settle import Outcome, abandon, note_sent, settle, unfinished

log = structlog.get_logger(__name__)

_LEASE_MARGIN_S = 3.0
_KEY_LIFE = timedelta(hours=23)  # channels remember an idempotency key for 24 hours
_LOOK = 500  # dirty listings looked at in one transaction
_BACK_OFF_S = (2.0, 5.0, 15.0, 60.0)


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
    ) -> None:
        self._account_id = account_id
        self._account = account
        self._channel = channel
        self._db = db
        self._clock = clock
        self._rng = rng
        self._lease = lease
        self._unsettled = True  # a former owner may have left writes behind
        self._plain = channel.traits.write_style is WriteStyle.PLAIN_SET
        self._batch = channel.traits.write_batch
        self._failures = 0
        self._not_before = clock.now()  # after a failure nothing is tried until then
        self.wake = asyncio.Event()
        self.waiting: dict[str, int] = {}
        self.last_push_at: datetime | None = None

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
                return False
        claimed = await self._claim(None)
        self.waiting = dict(claimed.waiting)
        if claimed.push is not None:
            await self._send(claimed.push)
        if claimed.read:
            fresh = await self._read(claimed.read[: self._channel.traits.read_batch])
            if self._plain and fresh:
                await self._set_what_was_read(fresh)
        return claimed.looked_at > 0 and not self._unsettled

    async def _claim(self, fresh: frozenset[int] | None) -> Claimed:
        key = str(self._rng.uuid())
        compose = _Composer(self._channel, key)
        return await self._db.transact(claim, self._rules, key, compose, _LOOK, self._clock.now(), fresh)

    async def _set_what_was_read(self, fresh: frozenset[int]) -> None:
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
            if self._plain:
                await self._settle(push, _all_rows(push, RowOutcome.UNKNOWN), refused=False)
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
        self._failures = 0
        await self._settle(push, results)
        return True

    def _too_late_in_lease(self) -> bool:
        left = (self._lease().expires_at - real_now()).total_seconds()
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
        if written:
            self.last_push_at = self._clock.now()
        failed = {each.outcome for each in results} - {RowOutcome.APPLIED}
        unnamed = failed == {RowOutcome.NOT_WRITTEN}
        # A call that fails without naming its bad row is halved until the row stands alone.
        self._batch = max(1, len(push.rows) // 2) if unnamed else min(self._channel.traits.write_batch, self._batch * 2)
        log.info("listing.published", account=self._account, rows=len(push.rows), written=written)

    async def _note_plain_failure(self, push: Push, err: AdapterError) -> bool:
        """A plain set is never repeated: either nothing of it arrived, or a read tells what did."""
        lost = isinstance(err, OutcomeUnknown)
        if lost or self._failures == 0:
            log.warning("push.failed", account=self._account, key=push.key, error=type(err).__name__, detail=str(err))
        size = self._batch
        await self._settle(push, _all_rows(push, RowOutcome.UNKNOWN if lost else RowOutcome.NOT_WRITTEN))
        self._batch = size  # no row is to blame
        self._back_off(err)
        return True

    async def _note_failure(self, push: Push, err: AdapterError) -> bool:
        if isinstance(err, Rejected):
            log.error("push.rejected", account=self._account, key=push.key, field=err.field, reason=err.reason)
            only_row = len(push.rows) == 1
            kind = RowOutcome.REJECTED if only_row else RowOutcome.NOT_WRITTEN
            await self._settle(push, _all_rows(push, kind, err), refused=True)
            return True
        self._unsettled = True
        if isinstance(err, OutcomeUnknown | AuthExpired) or self._failures == 0:
            log.warning(
                "push.unsettled", account=self._account, key=push.key, error=type(err).__name__, detail=str(err)
            )
        self._back_off(err)
        return False

    async def _abandon(self, push: Push) -> None:
        await self._db.transact(abandon, self._rules, push.key, self._clock.now())
        log.error("push.abandoned", account=self._account, key=push.key)

    def _back_off(self, err: AdapterError) -> None:
        """Try nothing for a while: longer with every failure, and at least as long as the channel asks."""
        pause = _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S) - 1)]
        if isinstance(err, RateLimited):
            pause = max(pause, err.retry_after_s)
        self._failures += 1
        self._not_before = self._clock.now() + timedelta(seconds=pause * self._rng.uniform(0.8, 1.2))

    async def _read(self, wanted: Sequence[Row]) -> frozenset[int]:
        """Read these numbers. Returns whose numbers are known as of now."""
        refs = [ListingRef(row.channel_sku, row.channel_location) for row in wanted]
        sent_at = self._clock.now()
        try:
            reads = await self._channel.read_quantities(refs)
        except AdapterError as err:
            if self._failures == 0:
                log.warning("read.failed", account=self._account, error=type(err).__name__, detail=str(err))
            self._back_off(err)
            return frozenset()
        self._failures = 0
        listings = {(row.channel_sku, row.channel_location): row.listing_id for row in wanted}
        shown = [
            ReadRow(listings[(read.ref.channel_sku, read.ref.channel_location)], read.quantity, read.problem)
            for read in reads
        ]
        noted: Noted = await self._db.transact(note_reads, self._rules, shown, sent_at, self._clock.now())
        self._tell(noted.surprises)
        return noted.fresh

    def _tell(self, surprises: Sequence[Surprise]) -> None:
        for each in surprises:
            if each.relisted:
                log.warning("listing.relisted", account=self._account, listing_id=each.listing_id, units=each.relisted)
            if each.surplus:
                log.warning(
                    "listing.raised_by_someone", account=self._account, listing_id=each.listing_id, units=each.surplus
                )
            elif each.held:
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

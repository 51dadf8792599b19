"""The way in: a group-committed inbox, and one loop that drains it into the book in micro-batches."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from adapters.contract import (
    Channel,
    Clock,
    Ignored,
    ListingHint,
    Malformed,
    News,
    OrderHint,
    OrderNews,
    OrderState,
    RawEvent,
)
from syncd.db.database import DatabaseClosed, StaleLoad, Transactor
from syncd.db.trouble import took_too_long
from syncd.db.types import from_micros
from syncd.orders.apply import Applied
from syncd.orders.batch_size import BatchSize
from syncd.orders.book import AccountView, Incoming
from syncd.orders.inbox import HORIZON_TOPIC, Arrived, InboxRow, insert_arrived, load_new
from syncd.orders.take_in import Reached, Settled, apply_batch, park_row, settle_others

log = structlog.get_logger(__name__)

_STALE_BATCHES = 3  # in a row: then it is a row of them that is never right, and not a writer that came between
_ROWS_A_COMMIT = 512  # the engines bound how many values a statement may carry


class InboxWriter:
    """Durable inserts, group-committed: whatever has gathered while the last commit ran goes into the next one."""

    def __init__(self, db: Transactor, clock: Clock, arrived: Callable[[], None]) -> None:
        self._db = db
        self._clock = clock
        self._arrived = arrived
        self._waiting: list[tuple[tuple[Arrived, ...], asyncio.Future[None]]] = []
        self._committer: asyncio.Task[None] | None = None

    async def add(self, *arrived: Arrived) -> None:
        """Return once these rows are committed. Raises what the database raises when they cannot be."""
        if arrived:
            await self.put(*arrived)

    def put(self, *arrived: Arrived) -> asyncio.Future[None]:
        """What is done once these rows are committed, or has the error. Whoever ends it before takes no row back."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrived, done))
        if self._committer is None or self._committer.done():
            # A task of its own: a caller that goes away must not take the others' rows with it.
            self._committer = asyncio.create_task(self._commit_all(), name="inbox")
        return done

    async def _commit_all(self) -> None:
        while self._waiting:
            group = self._next_group()
            batch = [each for several, _ in group for each in several]
            try:
                await self._db.transact_ahead(insert_arrived, batch, self._clock.now())
            except asyncio.CancelledError:
                for _, done in (*group, *self._waiting):
                    done.cancel()
                self._waiting = []
                raise
            except Exception as err:  # noqa: BLE001 - every waiter of this group gets it, none is swallowed
                for _, done in group:
                    if not done.done():
                        done.set_exception(err)
            else:
                for _, done in group:
                    if not done.done():
                        done.set_result(None)
                self._arrived()

    def _next_group(self) -> list[tuple[tuple[Arrived, ...], asyncio.Future[None]]]:
        """What goes into the next commit: at most some `_ROWS_A_COMMIT` rows, but always one caller's."""
        taken, count = 0, 0
        for several, _ in self._waiting:
            if taken and count + len(several) > _ROWS_A_COMMIT:
                break
            taken += 1
            count += len(several)
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group


def digest_of(order: OrderState) -> str:
    """A short fingerprint of an order's state, the same whichever way it came."""
    return hashlib.sha256(repr(order).encode()).hexdigest()[:16]


def _is_the_databases_fault(err: Exception) -> bool:
    """Whether a batch failed for reasons that lie outside it: no connection, no disk, a standby that cannot write.

    What the rows themselves cause (a value that does not fit, a statement that takes too long) is not among them.
    """
    if isinstance(err, StaleLoad | DatabaseClosed):
        return True
    if not isinstance(err, DBAPIError) or isinstance(err, DataError | IntegrityError):
        return False
    return not took_too_long(err)


class Intake:
    """Drains the inbox. Poison rows are found by bisection, parked and told; the rest of their batch lands."""

    def __init__(
        self,
        db: Transactor,
        channels: Mapping[int, Channel],
        views: Mapping[int, AccountView],
        clock: Clock,
        changed: Callable[[], None],
        hinted: Callable[[int], None] = lambda account_id: None,
        others_wait: Callable[[], bool] | None = None,
    ) -> None:
        """`changed` is told of each change of the book, `hinted` of accounts with news to be looked up.

        `others_wait`: whether somebody waited for the writer lately, where all that is written waits behind a batch.
        """
        self._db = db
        self._channels = channels
        self._views = views
        self._names = {account_id: view.key for account_id, view in views.items()}
        self._clock = clock
        self._changed = changed
        self._hinted = hinted
        self._size = BatchSize(others_wait)
        self._stale_batches = 0
        self.more = False
        """Whether the last batch was as large as it may be, so that more rows may wait."""

    async def drain(self) -> int:
        """Take in one batch. Returns how many inbox rows were settled; 0 means that the inbox is empty."""
        limit = self._size.limit(asyncio.get_running_loop().time())
        found = await self._db.read(load_new, limit)
        self.more = len(found) == limit
        if not found:
            return 0
        incoming: list[Incoming] = []
        settled: list[Settled] = []
        reached: list[Reached] = []
        for row in found:
            self._sort(row, incoming, settled, reached)
        news = await self._apply(incoming)
        if settled or reached:
            await self._db.transact(settle_others, settled, reached, self._names, self._clock.now())
        if news or reached:
            self._changed()
        hints = {each.inbox_id for each in settled if each.state == "hinted"}
        for account_id in sorted({row.account_id for row in found if row.inbox_id in hints}):
            self._hinted(account_id)
        return len(found)

    def _sort(self, row: InboxRow, incoming: list[Incoming], settled: list[Settled], reached: list[Reached]) -> None:
        if row.topic == HORIZON_TOPIC and row.way == "daemon":  # a webhook's topic is a header, which nobody signed
            reached.append(Reached(row.inbox_id, row.account_id, from_micros(int(row.body))))
            return
        channel = self._channels.get(row.account_id)
        if channel is None:
            settled.append(Settled(row.inbox_id, "parked", "account: no longer in the configuration; add it again"))
            return
        try:
            news: News = channel.resolve(RawEvent(row.event_key, row.topic, row.body))
        except Exception as err:  # it promises to be total, but a bug in it must not stop the other rows
            log.error("event.parked", account=self._names[row.account_id], inbox_id=row.inbox_id, exc_info=err)
            reason = f"reading it failed ({type(err).__name__}); the log has the details"
            settled.append(Settled(row.inbox_id, "parked", reason))
            return
        match news:
            case OrderNews(order):
                incoming.append(Incoming(row.account_id, row.inbox_id, row.way, digest_of(order), order))
            case OrderHint() | ListingHint():
                settled.append(Settled(row.inbox_id, "hinted"))
            case Ignored(reason):
                settled.append(Settled(row.inbox_id, "ignored", reason))
            case Malformed(problem):
                settled.append(Settled(row.inbox_id, "parked", f"{problem.field}: {problem.reason}"))

    async def _apply(self, batch: Sequence[Incoming]) -> bool:
        """Take these orders in. Returns whether any of them told something new."""
        if not batch:
            return False
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            applied = await self._db.transact(apply_batch, tuple(batch), self._views, self._clock.now())
        except Exception as err:
            if _is_the_databases_fault(err) and not self._is_stale_again(err):
                raise  # nothing happened, and the same rows come again
            if len(batch) > 1:
                half = len(batch) // 2
                first = await self._apply(batch[:half])
                return await self._apply(batch[half:]) or first
            await self._park(batch[0], err)
            return True
        self._stale_batches = 0
        ended = loop.time()
        self._size.took(len(batch), ended - began, ended)
        self._tell(applied)
        return any(each.news for each in applied)

    def _is_stale_again(self, err: Exception) -> bool:
        """Whether what batches load is never what they write, time after time: then they are taken apart."""
        self._stale_batches += isinstance(err, StaleLoad)
        return isinstance(err, StaleLoad) and self._stale_batches >= _STALE_BATCHES

    async def _park(self, poison: Incoming, err: Exception) -> None:
        log.error(
            "order.parked",
            account=self._names[poison.account_id],
            channel_order_id=poison.order.channel_order_id,
            inbox_id=poison.inbox_id,
            error=type(err).__name__,
            exc_info=err,
        )
        reason = f"applying it failed ({type(err).__name__}); the log has the details"
        await self._db.transact(park_row, poison.inbox_id, reason, self._names, self._clock.now())

    def _tell(self, applied: Sequence[Applied]) -> None:
        for each in applied:
            if each.oversold_units:
                log.warning(
                    "order.oversold",
                    account=each.account,
                    channel_order_id=each.channel_order_id,
                    units=each.oversold_units,
                )
        news = sum(each.news for each in applied)
        log.debug("intake.applied", rows=len(applied), news=news)

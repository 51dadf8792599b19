"""A channel's queue: news is durable before it is taken off, and a queue that fails is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from adapters.contract import Queued, RawEvent, Transient
from syncd.db.database import Database
from syncd.db.lease import Fenced, Lease, acquire
from syncd.leases import account_lease
from syncd.orders.intake import InboxWriter
from syncd.orders.queue_in import QueueReader
from tests.support.builders import NOW


class FixedClock:
    def now(self):  # type: ignore[no-untyped-def]
        return NOW

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a queue is waited for in real seconds")


@dataclass
class Queue:
    """A queue in memory: what is not acknowledged is handed over again."""

    messages: list[Queued] = field(default_factory=list)
    broken: bool = False
    deaf: bool = False  # it takes no acknowledgement

    async def receive(self) -> tuple[Queued, ...]:
        if self.broken:
            raise Transient("no answer")
        return tuple(self.messages)

    async def acknowledge(self, receipts: Sequence[str]) -> None:
        if self.deaf:
            raise Transient("no answer")
        self.messages = [each for each in self.messages if each.receipt not in receipts]


@pytest.fixture
def account_id(db: Database) -> int:
    db.transact_now(
        lambda c: c.execute(
            text(
                "INSERT INTO account (id, key, channel, policy, added_at, state_changed_at)"
                " VALUES (7, 'amazon-us', 'amazon', 'priority', 0, 0)"
            )
        )
    )
    return 7


def inbox(db: Database) -> list[tuple[str, str]]:
    return [tuple(row) for row in db.read_now(lambda c: c.execute(text("SELECT event_key, way FROM inbox")).all())]


def alerts(db: Database) -> list[tuple[str, bool]]:
    found = db.read_now(lambda c: c.execute(text("SELECT kind, closed_at FROM alert ORDER BY id")).all())
    return [(kind, closed is None) for kind, closed in found]


def news(key: str) -> Queued:
    return Queued(RawEvent(f"notification:{key}", "ORDER_CHANGE", b"{}"), f"receipt-{key}")


def taken(db: Database, holder: str, at: datetime = NOW) -> Lease:
    lease = db.transact_now(acquire, account_lease("amazon-us"), holder, at)
    assert isinstance(lease, Lease)
    return lease


def reader_of(db: Database, account_id: int, queue: Queue) -> QueueReader:
    clock, lease = FixedClock(), taken(db, "this test")
    writer = InboxWriter(db, clock, lambda: None)
    return QueueReader(account_id, "amazon-us", queue, db, writer, clock, lambda: lease)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.orders.queue_in._FIRST_PAUSE_S", 0.0)


async def test_news_is_durable_before_it_is_taken_off_and_stored_once(db: Database, account_id: int) -> None:
    queue = Queue([news("1"), news("2"), news("1")], deaf=True)
    reader = reader_of(db, account_id, queue)

    await reader.step()
    assert inbox(db) == [("notification:1", "queue"), ("notification:2", "queue")]
    queue.deaf = False
    await reader.step()

    assert queue.messages == []
    assert len(inbox(db)) == 2


async def test_what_cannot_be_stored_stays_on_the_queue(db: Database, account_id: int) -> None:
    queue = Queue([news("1")])
    reader = reader_of(db, account_id + 1, queue)

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await reader.step()

    assert len(queue.messages) == 1


async def test_a_queue_that_fails_three_times_is_told_until_it_works_again(db: Database, account_id: int) -> None:
    queue = Queue(broken=True)
    reader = reader_of(db, account_id, queue)

    for _ in range(2):
        await reader.step()
    assert alerts(db) == []
    for _ in range(2):
        await reader.step()
    assert alerts(db) == [("queue_down", True)]

    queue.broken = False
    await reader.step()
    assert alerts(db) == [("queue_down", False)]


async def test_a_process_that_has_lost_its_lease_opens_no_alert_that_nobody_would_close(
    db: Database, account_id: int
) -> None:
    reader = reader_of(db, account_id, Queue(broken=True))
    taken(db, "its successor", NOW + timedelta(hours=1))

    await reader.step()
    await reader.step()
    with pytest.raises(Fenced):
        await reader.step()

    assert alerts(db) == []

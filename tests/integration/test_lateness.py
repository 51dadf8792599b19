"""Work that fails for ever is told, and told once: news not taken in, polls that never end, loops and jobs."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import insert, select, text

from syncd import loops
from syncd.accounts.store import AccountSetup, Identities, WarehouseSetup, sync_parties
from syncd.alerts.lateness import Lateness, Polled, Work
from syncd.alerts.store import Alert, close_alerts, open_alerts
from syncd.db.database import Database
from syncd.db.lease import Fenced, Lease, acquire
from syncd.db.tables import alert, cursor, inbox
from syncd.insight.job_log import JobLog
from syncd.leases import SCHEDULER
from syncd.loops import Job, Pulse
from tests.integration.test_telling import Time
from tests.support.builders import NOW

MINUTE = timedelta(minutes=1)


class Site:
    """A daemon's loops and jobs, as the watch sees them, on a clock that stands still unless it is moved."""

    def __init__(self, db: Database, account_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.db = db
        self.time = Time()
        self.account_id = account_id
        self.pulse = Pulse()
        self.page_at: datetime | None = None
        self.error: Exception | None = None
        self.log = JobLog(self.time)
        [self.job] = self.log.watch([Job("cover_shortages", 30.0, lambda: self._covers())])
        monkeypatch.setattr(loops, "_monotonic_s", lambda: (self.time.at - NOW).total_seconds())
        self.watch = self.restarted()

    def restarted(self) -> Lateness:
        lease = self.db.transact_now(acquire, SCHEDULER, "one", NOW, 10**9)
        assert isinstance(lease, Lease)
        work = Work(self.pulse.names, self.pulse.failing, self.pulse.well, self.log.runs)
        polled = Polled("shop", self.account_id, 120.0, lambda: self.page_at)
        self.watch = Lateness(self.db, self.time, lambda: lease, self.time.now, [polled], work)
        return self.watch

    async def _covers(self) -> None:
        if self.error is not None:
            raise self.error

    async def passes(self, minutes: int) -> None:
        """Time passes; the watch looks once a minute."""
        for _ in range(minutes):
            self.time.at += MINUTE
            await self.watch.look()

    def polls(self) -> None:
        def finish(connection: Any) -> None:
            connection.execute(text("DELETE FROM cursor"))
            row = {"account_id": self.account_id, "stream": "orders", "polled_to": self.time.at, "moved_at": NOW}
            connection.execute(insert(cursor).values(**row))

        self.db.transact_now(finish)

    def news(self, state: str = "new") -> None:
        row = {"account_id": self.account_id, "event_key": "e", "topic": "t", "way": "webhook", "body": b"{}"}
        self.db.transact_now(
            lambda connection: connection.execute(insert(inbox).values(state=state, received_at=self.time.at, **row))
        )

    def settles(self) -> None:
        self.db.transact_now(lambda connection: connection.execute(text("UPDATE inbox SET state = 'applied'")))

    def is_open(self) -> list[tuple[str, str]]:
        query = "SELECT key, detail FROM alert WHERE closed_at IS NULL ORDER BY key"
        found = self.db.read_now(lambda connection: connection.execute(text(query)).all())
        return [(row.key, row.detail) for row in found if not row.key.startswith(("channel_down", "auth_expired"))]

    def times(self) -> list[int]:
        return list(self.db.read_now(lambda connection: connection.execute(text("SELECT times FROM alert")).scalars()))


@pytest.fixture
def ids(db: Database) -> Identities:
    setups = [AccountSetup("shop", "shopify", "priority", 0, None, ("own",))]
    return db.transact_now(sync_parties, setups, [WarehouseSetup("own", "Own", "own", "DE", "20095", "UTC")], NOW)


@pytest.fixture
def site(db: Database, ids: Identities, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(db, ids.accounts["shop"], monkeypatch)


async def test_news_that_nobody_takes_in_is_told_after_five_minutes_and_once(site: Site) -> None:
    site.news()
    site.polls()
    await site.passes(4)
    assert site.is_open() == []

    await site.passes(10)
    assert site.is_open() == [("intake_late", "1 events")]
    assert site.times() == [1]

    site.settles()
    await site.passes(1)
    assert site.is_open() == []


async def test_an_account_that_is_polled_in_vain_is_told(site: Site) -> None:
    site.polls()
    await site.passes(14)
    assert site.is_open() == []

    await site.passes(3)
    [(key, detail)] = site.is_open()
    assert (key, detail) == (f"polls_late:{site.account_id}", "no poll comes to its end")

    site.polls()
    await site.passes(1)
    assert site.is_open() == []


async def test_a_long_poll_that_brings_pages_is_not_late(site: Site) -> None:
    for _ in range(60):
        site.page_at = site.time.at
        await site.passes(5)

    assert site.is_open() == []


@pytest.mark.parametrize("kind", ["channel_down", "auth_expired"])
async def test_a_channel_that_is_told_to_be_down_is_not_told_twice(site: Site, kind: str) -> None:
    down = Alert(f"{kind}:{site.account_id}", kind, "", "", site.account_id)
    site.db.transact_now(open_alerts, [down], site.time.at)
    await site.passes(40)
    assert site.is_open() == []

    site.db.transact_now(close_alerts, [down.key], site.time.at)
    await site.passes(2)
    assert [key for key, _ in site.is_open()] == [f"polls_late:{site.account_id}"]
    site.db.transact_now(open_alerts, [down], site.time.at)
    await site.passes(1)
    assert site.is_open() == [], "one message says it"


async def test_a_loop_that_fails_in_every_round_is_told_until_one_ends_well(site: Site) -> None:
    site.pulse.beat("publish:shop")
    site.pulse.failed("publish:shop", "KeyError")
    site.polls()
    await site.passes(4)
    assert site.is_open() == []
    site.pulse.failed("publish:shop", "ValueError")
    await site.passes(3)
    assert site.is_open() == [("loop_failing:publish:shop", "ValueError")]

    site.pulse.worked("publish:shop")
    await site.passes(1)
    assert site.is_open() == []


async def test_a_job_that_fails_in_every_round_is_told_until_one_ends_well(site: Site) -> None:
    site.error = KeyError("x")
    for _ in range(16):
        with pytest.raises(KeyError):
            await site.job.run()
        site.polls()
        await site.passes(1)
    assert site.is_open() == [("job_failing:cover_shortages", "KeyError")]

    site.error = None
    await site.job.run()
    await site.passes(1)
    assert site.is_open() == []


async def test_a_job_that_fails_is_told_although_it_runs_whenever_somebody_looks(site: Site) -> None:
    going_on = asyncio.Event()
    site.error = KeyError("x")
    for _ in range(20):
        with pytest.raises(KeyError):
            await site.job.run()
        site.polls()
        going_on.clear()
        with mock.patch.object(site, "_covers", partial(_waits, going_on)):
            task = asyncio.ensure_future(site.job.run())
            await asyncio.sleep(0)
        await site.passes(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert [key for key, _ in site.is_open()] == ["job_failing:cover_shortages"]


async def test_polls_whose_last_step_always_fails_are_told_whatever_pages_they_bring(site: Site) -> None:
    async def poll() -> None:
        site.page_at = site.time.at
        raise KeyError("x")

    [job] = site.log.watch([Job("poll:shop", 120.0, poll)])
    site.polls()
    for _ in range(10):
        with pytest.raises(KeyError):
            await job.run()
        await site.passes(2)

    assert site.is_open() == [
        (f"polls_late:{site.account_id}", "the last poll failed (KeyError); the log has the details")
    ]


async def test_long_polls_that_always_fail_are_told_once_and_not_again_with_each_round(site: Site) -> None:
    fails, goes_on = asyncio.Event(), asyncio.Event()

    async def poll() -> None:
        await fails.wait()
        if not goes_on.is_set():
            raise KeyError("x")

    [job] = site.log.watch([Job("poll:shop", 120.0, poll)])
    site.polls()
    for _ in range(8):
        fails.clear()
        task = asyncio.ensure_future(job.run())
        for _ in range(5):
            site.page_at = site.time.at
            await site.passes(1)
        fails.set()
        await asyncio.gather(task, return_exceptions=True)
        await site.passes(2)
    told = site.db.read_now(lambda connection: connection.execute(select(alert.c.opened_at, alert.c.closed_at)).all())
    assert [closed_at for _, closed_at in told] == [None], "opened once, and still open"

    goes_on.set()
    await job.run()
    site.polls()
    await site.passes(1)
    assert site.is_open() == []


async def test_a_job_whose_round_does_not_end_is_told(site: Site) -> None:
    hanging = asyncio.Event()
    [job] = site.log.watch([Job("tidy", 3600.0, lambda: _waits(hanging))])
    task = asyncio.ensure_future(job.run())
    await asyncio.sleep(0)
    for _ in range(6 * 6 + 1):
        site.polls()
        site.time.at += 9 * MINUTE
        await site.passes(1)
    assert site.is_open() == [("job_failing:tidy", "its round does not end")]

    hanging.set()
    await task
    await site.passes(1)
    assert site.is_open() == []


async def _waits(event: asyncio.Event) -> None:
    await event.wait()


async def test_a_restart_neither_closes_what_may_still_fail_nor_keeps_what_is_gone(site: Site) -> None:
    left = [
        Alert("loop_failing:publish:shop", "loop_failing", "", ""),
        Alert("loop_failing:publish:former", "loop_failing", "", ""),
        Alert("job_failing:cover_shortages", "job_failing", "", ""),
        Alert("job_failing:stock:former", "job_failing", "", ""),
    ]
    site.db.transact_now(open_alerts, left, NOW)
    site.pulse.beat("publish:shop")

    await site.passes(1)
    assert [key for key, _ in site.is_open()] == ["job_failing:cover_shortages", "loop_failing:publish:shop"]

    site.pulse.worked("publish:shop")
    await site.job.run()
    await site.passes(1)
    assert site.is_open() == []


async def test_a_slow_moment_is_not_told(site: Site) -> None:
    """After an hour in which the machine slept, everything is late for a moment."""
    site.news()
    site.polls()
    site.time.at += timedelta(hours=1)
    await site.watch.look()
    site.settles()
    site.polls()
    await site.passes(1)

    assert site.times() == []


async def test_who_has_lost_the_lease_opens_nothing(site: Site) -> None:
    site.news()
    old = site.watch
    site.restarted()
    site.watch = old
    with pytest.raises(Fenced):
        await site.passes(10)

    assert site.is_open() == []

"""Who may act: one process at a time, by a token that only grows, and another one as soon as it is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from syncd import leases as keepers
from syncd.db.database import Database, DatabaseClosed
from syncd.db.lease import TERM_S, Fenced, Held, Lease, acquire, guard, release, renew, this_process
from syncd.db.tables import lease, sku
from syncd.leases import SCHEDULER, AlreadyRunning, LeaseKeeper, account_lease
from tests.integration.conftest import ON_POSTGRESQL, ON_SQLITE

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
NAMES = [SCHEDULER, account_lease("shop"), account_lease("outlet")]
ROOT = Path(__file__).resolve().parents[2]


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def taken(db: Database, holder: str, seconds: float = 0.0, name: str = "account:shop") -> Lease:
    found = db.transact_now(acquire, name, holder, at(seconds))
    assert isinstance(found, Lease)
    return found


def holders(db: Database) -> dict[str, str | None]:
    def read(connection: Connection) -> dict[str, str | None]:
        return {row.name: row.holder for row in connection.execute(select(lease.c.name, lease.c.holder))}

    return db.read_now(read)


# --- one lease ------------------------------------------------------------------------------------------------


def test_a_lease_nobody_has_is_taken_for_its_term(db: Database) -> None:
    assert taken(db, "me") == Lease("account:shop", "me", 1, at(TERM_S))


def test_a_lease_somebody_has_is_not_taken(db: Database) -> None:
    taken(db, "me")

    refused = db.transact_now(acquire, "account:shop", "you", at(29))

    assert refused == Held("account:shop", "me", at(TERM_S))
    assert holders(db) == {"account:shop": "me"}


def test_a_lease_that_ended_is_taken_by_whoever_comes(db: Database) -> None:
    taken(db, "me")

    assert taken(db, "you", TERM_S) == Lease("account:shop", "you", 2, at(2 * TERM_S))


def test_every_taking_grows_the_token_whoever_takes(db: Database) -> None:
    tokens = [taken(db, "me").token, taken(db, "me").token]
    db.transact_now(release, (taken(db, "me"),))
    tokens.append(taken(db, "you").token)

    assert tokens == [1, 2, 4]


def test_the_leases_of_two_accounts_are_independent(db: Database) -> None:
    taken(db, "me", name="account:shop")

    assert taken(db, "you", name="account:outlet").token == 1


def test_renewing_prolongs_and_keeps_the_token(db: Database) -> None:
    held = taken(db, "me")

    (renewed,) = db.transact_now(renew, (held,), at(20))

    assert renewed == Lease("account:shop", "me", held.token, at(20 + TERM_S))
    assert isinstance(db.transact_now(acquire, "account:shop", "you", at(40)), Held)


def test_a_lease_that_ended_may_still_be_renewed_while_nobody_took_it(db: Database) -> None:
    held = taken(db, "me")

    (renewed,) = db.transact_now(renew, (held,), at(TERM_S + 5))

    assert renewed.expires_at == at(TERM_S + 5 + TERM_S)


def test_a_lease_that_somebody_took_cannot_be_renewed(db: Database) -> None:
    mine, other = taken(db, "me"), taken(db, "me", name="account:outlet")
    taken(db, "you", TERM_S)

    with pytest.raises(Fenced, match="held by you") as lost:
        db.transact_now(renew, (other, mine), at(TERM_S + 1))

    assert (lost.value.name, lost.value.holder) == ("account:shop", "you")
    expires_at = db.read_now(lambda c: c.execute(select(lease.c.expires_at).where(lease.c.name == other.name)))
    assert expires_at.scalar_one() == other.expires_at, "none of them was prolonged"


def test_a_lease_given_back_is_free_at_once(db: Database) -> None:
    db.transact_now(release, (taken(db, "me"),))

    assert taken(db, "you", 1).token == 2


def test_giving_back_what_somebody_took_meanwhile_does_no_harm(db: Database) -> None:
    mine = taken(db, "me")
    taken(db, "you", TERM_S)

    db.transact_now(release, (mine,))

    assert holders(db) == {"account:shop": "you"}


def test_who_has_the_newest_token_passes_the_guard_and_nobody_else(db: Database) -> None:
    old = taken(db, "me")
    new = taken(db, "me")
    unheard = Lease("account:unheard", "me", 1, at(TERM_S))

    db.transact_now(guard, new)
    for wrong in (old, unheard):
        with pytest.raises(Fenced):
            db.transact_now(guard, wrong)
    db.transact_now(release, (new,))
    with pytest.raises(Fenced, match="held by nobody"):
        db.transact_now(guard, new)


def test_what_a_fenced_process_writes_is_rolled_back(db: Database) -> None:
    mine = taken(db, "me")
    taken(db, "you", TERM_S)

    def act(connection: Connection) -> None:
        connection.execute(insert(sku).values(code="RED-CLOCK"))
        guard(connection, mine)

    with pytest.raises(Fenced):
        db.transact_now(act)

    assert db.read_now(lambda connection: connection.execute(select(sku)).all()) == []


@ON_POSTGRESQL
def test_a_lease_is_not_taken_while_a_transaction_acts_under_it(db: Database) -> None:
    mine = taken(db, "me")

    with ThreadPoolExecutor(1) as threads:
        with db.writer.begin() as connection:
            guard(connection, mine)
            taking = threads.submit(taken, db, "you", TERM_S)
            time.sleep(0.1)
            assert not taking.done()

        assert taking.result(10).token == 2


def test_of_many_who_come_first_at_once_one_gets_the_lease(db: Database) -> None:
    together = threading.Barrier(4, timeout=10)

    def come(number: int) -> Lease | Held:
        def take(connection: Connection) -> Lease | Held:
            if connection.dialect.name != "sqlite":
                together.wait()
            return acquire(connection, "account:shop", f"process {number}", NOW)

        return db.transact_now(take)

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(come, range(4)))

    winners = [each for each in found if isinstance(each, Lease)]
    assert len(winners) == 1
    assert {each.holder for each in found} == {winners[0].holder}


# --- the leases of a process ----------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A standby looks often."""
    monkeypatch.setattr(keepers, "RENEW_EVERY_S", 0.05)


def another(db: Database, names: list[str] | None = None, holder: str = "another process") -> LeaseKeeper:
    """A keeper as another process would have it."""
    keeper = LeaseKeeper(db, names or NAMES)
    keeper._holder = holder
    return keeper


async def until(true: Callable[[], bool], within_s: float = 10.0) -> None:
    give_up_at = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < give_up_at, "it did not come to pass"
        await asyncio.sleep(0.02)


async def test_a_process_takes_all_its_leases_together(db: Database) -> None:
    keeper = LeaseKeeper(db, NAMES)

    await keeper.acquire()

    assert holders(db) == dict.fromkeys(NAMES, this_process())
    assert [keeper.lease(name).token for name in NAMES] == [1, 1, 1]


async def test_a_second_process_is_told_who_runs_and_takes_nothing(db: Database) -> None:
    await LeaseKeeper(db, [account_lease("shop")]).acquire()

    with pytest.raises(AlreadyRunning, match=rf"process {os.getpid()} on .*--standby.*ends in (29|30) s") as refused:
        await another(db).acquire()

    assert refused.value.held.name == account_lease("shop")
    assert {name: holder for name, holder in holders(db).items() if holder} == {account_lease("shop"): this_process()}


async def test_another_accounts_daemon_is_refused_too_for_there_is_one_scheduler(db: Database) -> None:
    await LeaseKeeper(db, [SCHEDULER, account_lease("shop")]).acquire()

    with pytest.raises(AlreadyRunning):
        await another(db, [SCHEDULER, account_lease("outlet")]).acquire()


async def test_renewing_prolongs_all(db: Database) -> None:
    keeper = LeaseKeeper(db, NAMES)
    await keeper.acquire()
    before = {name: keeper.lease(name) for name in NAMES}
    await asyncio.sleep(0.01)

    await keeper.renew()

    for name in NAMES:
        assert keeper.lease(name).expires_at > before[name].expires_at
        assert keeper.lease(name).token == before[name].token


async def test_a_process_that_lost_a_lease_is_told_to_stop(db: Database) -> None:
    keeper = LeaseKeeper(db, NAMES)
    await keeper.acquire()
    later = datetime.now(UTC) + timedelta(seconds=TERM_S + 1)
    await db.transact(acquire, SCHEDULER, "another process", later)

    with pytest.raises(Fenced, match="'scheduler' is held by another process"):
        await keeper.renew()


async def test_a_standby_waits_and_takes_over_when_the_other_goes(db: Database) -> None:
    first, second = LeaseKeeper(db, NAMES), another(db)
    await first.acquire()
    with capture_logs() as logs:
        waiting = asyncio.create_task(second.acquire(standby=True))
        await asyncio.sleep(0.2)
        assert not waiting.done()

        await first.release()
        await asyncio.wait_for(waiting, 10)

    assert holders(db) == dict.fromkeys(NAMES, "another process")
    assert [second.lease(name).token for name in NAMES] == [2, 2, 2]
    assert [line["event"] for line in logs] == ["daemon.standing_by"], "it says so once"


async def test_releasing_twice_or_without_leases_does_nothing(db: Database) -> None:
    keeper = LeaseKeeper(db, NAMES)

    await keeper.release()
    await keeper.acquire()
    await keeper.release()
    await keeper.release()

    assert holders(db) == dict.fromkeys(NAMES, None)


class Failing:
    """A database that cannot be reached whenever it is told so."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.error: Exception | None = None

    async def transact(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.error is not None:
            raise self.error
        return await self._db.transact(function, *args, **kwargs)

    transact_ahead = transact

    async def read(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self._db.read(function, *args, **kwargs)


GONE = OperationalError("UPDATE lease", None, Exception("server closed the connection unexpectedly"))


@ON_SQLITE
async def test_a_renewal_that_fails_is_told_and_the_lease_kept_for_its_term(db: Database) -> None:
    failing = Failing(db)
    keeper = LeaseKeeper(failing, NAMES)
    await keeper.acquire()
    failing.error = GONE

    with capture_logs() as logs:
        await keeper.renew()

    assert [line["event"] for line in logs] == ["lease.renewal_failed"]
    failing.error = None
    await keeper.renew()


@ON_SQLITE
async def test_a_lease_that_could_not_be_renewed_in_its_term_is_lost(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Failing(db)
    keeper = LeaseKeeper(failing, NAMES)
    await keeper.acquire()
    failing.error = GONE
    monkeypatch.setattr(keepers, "real_now", lambda: datetime.now(UTC) + timedelta(seconds=TERM_S))

    with pytest.raises(Fenced):
        await keeper.renew()


@ON_SQLITE
@pytest.mark.parametrize("error", [GONE, DatabaseClosed("the database is closed")])
async def test_a_lease_that_cannot_be_given_back_ends_by_itself(db: Database, error: Exception) -> None:
    """The end of a daemon must not fail for it, nor hide why it ends."""
    failing = Failing(db)
    keeper = LeaseKeeper(failing, NAMES)
    await keeper.acquire()
    failing.error = error

    with capture_logs() as logs:
        await keeper.release()

    assert [(line["event"], line["log_level"]) for line in logs] == [("lease.release_failed", "warning")]


# --- processes that die ---------------------------------------------------------------------------------------

HOLD = """
import asyncio, sys
from syncd.db.database import Database
from syncd.leases import LeaseKeeper

async def hold():
    keeper = LeaseKeeper(Database(sys.argv[1]), sys.argv[2:])
    await keeper.acquire()
    print("held", flush=True)
    await asyncio.sleep(60)

asyncio.run(hold())
"""


@contextmanager
def a_process_that_holds(url: str, names: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, url, *names], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        assert line == "held\n", process.stderr.read()
        yield process
    finally:
        process.kill()
        process.communicate()


async def test_the_leases_of_a_killed_process_are_taken_over_at_once(db: Database) -> None:
    keeper, standby = LeaseKeeper(db, NAMES), another(db, holder=this_process())
    with a_process_that_holds(db.url, NAMES) as process:
        with pytest.raises(AlreadyRunning, match=f"process {process.pid} "):
            await keeper.acquire()
        waiting = asyncio.create_task(standby.acquire(standby=True))
        await asyncio.sleep(0.2)
        assert not waiting.done(), "it lives, and keeps what it has"

        process.send_signal(signal.SIGKILL)  # nobody has waited for it yet: a zombie is dead too
        await asyncio.wait_for(waiting, 10)

    assert holders(db) == dict.fromkeys(NAMES, this_process())
    assert [standby.lease(name).token for name in NAMES] == [2, 2, 2]


async def test_a_process_that_stands_still_is_fenced_when_it_wakes(db: Database) -> None:
    keeper = LeaseKeeper(db, NAMES)
    await keeper.acquire()
    mine = keeper.lease(SCHEDULER)
    later = datetime.now(UTC) + timedelta(seconds=TERM_S + 1)  # as after a virtual machine's pause

    theirs = await db.transact(acquire, SCHEDULER, "another process", later)

    assert isinstance(theirs, Lease)
    assert theirs.token == mine.token + 1
    with pytest.raises(Fenced):
        await db.transact(guard, mine)


def other_parts(holder: str, *, host: str | None = None, boot: str | None = None, pid: str | None = None) -> str:
    parts = holder.split("/")
    return "/".join((host or parts[0], boot or parts[1], pid or parts[2], parts[3]))


@ON_SQLITE
@pytest.mark.parametrize(
    ("change", "dead"),
    [
        ({}, False),
        ({"boot": "another-boot"}, True),
        ({"pid": "4194305"}, True),
        ({"pid": "1"}, True),
        ({"host": "another-host", "pid": "4194305"}, False),
    ],
    ids=["it runs", "before a reboot", "no such process", "the number belongs to another", "on another host"],
)
def test_only_a_process_that_is_surely_gone_counts_as_dead(db: Database, change: dict[str, str], dead: bool) -> None:
    taken(db, other_parts(this_process(), **change))

    found = db.transact_now(acquire, "account:shop", "me", at(1))

    assert isinstance(found, Lease if dead else Held)


@ON_SQLITE
@pytest.mark.parametrize("holder", ["somebody", "a/b/c", "{host}/{boot}/not-a-number/0", "{host}/{boot}/12/x"])
def test_a_holder_nobody_can_read_is_believed_to_live(db: Database, holder: str) -> None:
    host, boot, *_ = this_process().split("/")
    taken(db, holder.format(host=host, boot=boot))

    assert isinstance(db.transact_now(acquire, "account:shop", "me", at(1)), Held)

"""What nobody's work runs into is found all the same: a full disk, a book that is wrong, somebody else's numbers."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from syncd.accounts.store import AccountSetup, WarehouseSetup, sync_parties
from syncd.alerts.disks import Disk as DiskOf
from syncd.alerts.disks import Space, database_folder, space_of, watched_disks
from syncd.alerts.watch import Watch
from syncd.db.database import Database
from syncd.db.lease import Lease, acquire
from syncd.insight.store import add_tallies
from syncd.leases import SCHEDULER
from tests.support.builders import NOW, a_seller

GIB = 1024**3
DISKS = (
    DiskOf("disk_low", Path("/"), "the database", "no order can be taken in when it is full"),
    DiskOf("disk_low:temp", Path("/temp"), "temporary files", ""),
)


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Disk:
    """A disk whose free space a test sets."""

    def __init__(self) -> None:
        self.free = 50 * GIB
        self.elsewhere = 50 * GIB

    def __call__(self, folder: Path) -> Space:
        return Space(self.elsewhere if folder == Path("/temp") else self.free, 100 * GIB)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def disk() -> Disk:
    return Disk()


def a_watch(db: Database, time: Time, disk: Disk, accounts: dict[str, int] | None = None) -> Watch:
    lease = db.transact_now(acquire, SCHEDULER, "one", NOW, 10**6)
    assert isinstance(lease, Lease)
    return Watch(db, time, lambda: lease, accounts or {}, DISKS, disk)


def alerts(db: Database) -> list[Any]:
    query = "SELECT kind, detail, units, closed_at IS NULL AS open FROM alert ORDER BY id"
    found = db.read_now(lambda connection: connection.execute(text(query)).all())
    return [(row.kind, row.detail, row.units, bool(row.open)) for row in found]


async def test_a_disk_that_fills_up_is_told_before_it_is_full(db: Database, time: Time, disk: Disk) -> None:
    watch = a_watch(db, time, disk)
    await watch.disk()
    assert alerts(db) == []

    disk.free = GIB // 2
    await watch.disk()
    await watch.disk()
    assert alerts(db) == [("disk_low", "512 MiB of 100 GiB", None, True)]

    disk.free = int(1.1 * GIB)
    await watch.disk()
    assert alerts(db)[0][3], "a little above is not yet enough"
    disk.free = 2 * GIB
    await a_watch(db, time, disk).disk()
    assert not alerts(db)[0][3], "the next process closes it too"


async def test_each_disk_has_an_alert_of_its_own(db: Database, time: Time, disk: Disk) -> None:
    watch = a_watch(db, time, disk)
    disk.free = disk.elsewhere = GIB // 2
    await watch.disk()
    assert [is_open for *_, is_open in alerts(db)] == [True, True]

    disk.free = 50 * GIB
    await watch.disk()
    query = "SELECT key, message FROM alert WHERE closed_at IS NULL"
    [(key, message)] = db.read_now(lambda connection: connection.execute(text(query)).all())
    assert key == "disk_low:temp"
    assert "the disk of temporary files (/temp) has 512 MiB" in message


def test_a_disk_is_looked_at_once_and_also_where_the_database_is_on_a_server(tmp_path: Path) -> None:
    here = watched_disks(f"sqlite:///{tmp_path}/syncd.db")
    server = watched_disks("postgresql+psycopg://syncd@/syncd")

    assert here[0].key == "disk_low"
    assert server[0].key == "disk_low:work", "its own disk is not ours to see, this machine's is"
    for found in (here, server):
        devices = [each.folder.stat().st_dev for each in found]
        assert len(devices) == len(set(devices))


def test_a_small_disk_is_low_below_a_twentieth() -> None:
    assert Space(40 * 1024**2, GIB).is_low(was_low=False)
    assert not Space(60 * 1024**2, GIB).is_low(was_low=False)
    assert Space(60 * 1024**2, GIB).is_low(was_low=True)


def test_the_database_of_a_server_has_no_disk_of_ours(tmp_path: Path) -> None:
    assert database_folder("postgresql+psycopg://syncd@/syncd") is None
    assert database_folder(f"sqlite:///{tmp_path}/syncd.db") == tmp_path
    assert space_of(tmp_path).total > 0


async def test_the_book_is_audited_once_a_day_however_often_the_daemon_starts(
    db: Database, time: Time, disk: Disk
) -> None:
    seller = a_seller(db, {"RED-CLOCK": 5})
    await a_watch(db, time, disk).audit()
    assert alerts(db) == []
    seller.does("UPDATE level SET on_hand = 9")

    time.at += timedelta(hours=23)
    await a_watch(db, time, disk).audit()
    assert alerts(db) == [], "not yet due"
    time.at += timedelta(hours=2)
    await a_watch(db, time, disk).audit()
    [(kind, detail, _, is_open)] = alerts(db)
    assert (kind, is_open) == ("audit_violation", True)
    assert "level.fold 1" in detail

    seller.does("UPDATE level SET on_hand = 5")
    time.at += timedelta(hours=25)
    await a_watch(db, time, disk).audit()
    assert not alerts(db)[0][3]


async def test_somebody_elses_numbers_are_told_until_half_an_hour_after_the_last(
    db: Database, time: Time, disk: Disk
) -> None:
    setups = (AccountSetup("shop", "shopify", "priority", 0, None, ("own",)),)
    own = (WarehouseSetup("own", "Back room", "own", "DE", "20095", "UTC"),)
    ids = db.transact_now(sync_parties, setups, own, NOW)
    db.transact_now(add_tallies, {("account:shop", "units_surplus"): 7})
    watch = a_watch(db, time, disk, ids.accounts)

    await watch.drift()
    assert alerts(db) == [], "what was before this process is not told again"
    for _ in range(2):
        db.transact_now(add_tallies, {("account:shop", "units_surplus"): 3})
        time.at += timedelta(minutes=5)
        await watch.drift()
    assert alerts(db) == [("drift", "", 6, True)]

    time.at += timedelta(minutes=29)
    await watch.drift()
    assert alerts(db)[0][3]
    time.at += timedelta(minutes=2)
    await watch.drift()
    assert not alerts(db)[0][3]


async def test_a_drift_that_the_database_did_not_take_is_told_the_next_time(
    db: Database, time: Time, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    setups = (AccountSetup("shop", "shopify", "priority", 0, None, ("own",)),)
    own = (WarehouseSetup("own", "Back room", "own", "DE", "20095", "UTC"),)
    ids = db.transact_now(sync_parties, setups, own, NOW)
    watch = a_watch(db, time, disk, ids.accounts)
    await watch.drift()
    db.transact_now(add_tallies, {("account:shop", "units_surplus"): 3})

    async def fails(*_: object, **__: object) -> None:
        raise OperationalError("COMMIT", {}, OSError("disk I/O error"))

    with monkeypatch.context() as broken:
        broken.setattr(db, "transact", fails)
        with pytest.raises(OperationalError):
            await watch.drift()
    assert alerts(db) == []

    await watch.drift()

    assert alerts(db) == [("drift", "", 3, True)]

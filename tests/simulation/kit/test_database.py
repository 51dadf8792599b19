"""The database behaves as the real one does, and time passes in it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError, OperationalError

from syncd.chance import SeededRng
from syncd.simulation.kit.boundary import Boundary
from syncd.simulation.kit.database import InlineDatabase
from syncd.simulation.kit.disk import Disk
from syncd.simulation.kit.life import Life
from syncd.simulation.kit.trace import Trace
from tests.simulation.kit.machines import cutting, now, virtually


def note(connection: Connection, word: str) -> str:
    connection.execute(text("INSERT INTO said (word) VALUES (:word)"), {"word": word})
    return word


def fill(connection: Connection, megabytes: int) -> None:
    connection.execute(text("INSERT INTO said (word) VALUES (zeroblob(:size))"), {"size": megabytes * 2**20})


def said(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT word FROM said")).scalars())


@pytest.fixture
def url(tmp_path: Path) -> str:
    path = f"sqlite:///{tmp_path / 'said.db'}"
    db = InlineDatabase(path, SeededRng(1, "db"), Trace())
    db.transact_now(lambda connection: connection.execute(text("CREATE TABLE said (word TEXT)")))
    db.close()
    return path


def disk_of(url: str) -> Disk:
    return Disk(Path(url.removeprefix("sqlite:///")))


@pytest.mark.parametrize(("boundary", "kept"), [(Boundary.COMMITTED, ["word"]), (Boundary.ROLLED_BACK, [])])
def test_a_power_cut_keeps_what_was_committed_and_nothing_else(url: str, boundary: Boundary, kept: list[str]) -> None:
    async def main() -> tuple[list[str], bool]:
        life = Life("daemon")
        db = InlineDatabase(url, SeededRng(1, "db"), Trace(), life, cutting(life, boundary))

        async def speak() -> None:
            await db.transact(note, "word")

        speaking = life.begin(speak())
        await asyncio.wait([speaking])
        eyes = InlineDatabase(url, SeededRng(1, "eyes"), Trace())
        return await eyes.read(said), speaking.cancelled()

    assert virtually(main()) == (kept, True)


def test_whoever_is_ended_commits_nothing_more(url: str) -> None:
    async def main() -> list[str]:
        life = Life("daemon")
        db = InlineDatabase(url, SeededRng(1, "db"), Trace(), life)

        async def speak() -> None:
            await db.transact(note, "before")
            try:
                await asyncio.sleep(10.0)
            finally:
                await db.transact(note, "last words")

        speaking = life.begin(speak())
        await asyncio.sleep(5.0)
        life.end()
        await asyncio.wait([speaking])
        return await InlineDatabase(url, SeededRng(1, "eyes"), Trace()).read(said)

    assert virtually(main()) == ["before"]


def test_a_frozen_life_commits_once_it_is_thawed(url: str) -> None:
    async def main() -> tuple[list[str], list[str]]:
        life = Life("daemon")
        db = InlineDatabase(url, SeededRng(1, "db"), Trace(), life)
        eyes = InlineDatabase(url, SeededRng(1, "eyes"), Trace())

        async def speak() -> None:
            await db.transact(note, "late")

        speaking = life.begin(speak())
        life.freeze()
        await asyncio.sleep(60.0)
        before = await eyes.read(said)
        life.thaw()
        await speaking
        return before, await eyes.read(said)

    assert virtually(main()) == ([], ["late"])


def test_transactions_of_two_tasks_interleave_and_time_passes(url: str) -> None:
    async def main() -> tuple[list[str], float]:
        db = InlineDatabase(url, SeededRng(1, "db"), Trace())

        async def speak(name: str) -> None:
            for number in range(10):
                await db.transact(note, f"{name}{number}")

        await asyncio.gather(speak("a"), speak("b"))
        return await db.read(said), now()

    words, at = virtually(main())

    assert sorted(words) == [f"{name}{number}" for name in "ab" for number in range(10)]
    assert words != sorted(words)
    assert 0.01 < at < 1.0


def test_a_full_disk_is_sqlites_own_error_and_ends_when_there_is_room(url: str) -> None:
    async def main() -> int:
        disk = disk_of(url)
        db = InlineDatabase(url, SeededRng(1, "db"), Trace(), disk=disk)
        disk.full = True
        with pytest.raises(OperationalError, match="database or disk is full"):
            await db.transact(fill, 1)
        words = await db.read(said)
        disk.full = False
        await db.transact(fill, 1)
        return len(words)

    assert virtually(main()) == 0


def test_a_locked_database_is_tried_again_in_virtual_time(url: str) -> None:
    async def main() -> tuple[str, int]:
        disk = disk_of(url)
        trace = Trace()
        db = InlineDatabase(url, SeededRng(1, "db"), trace, disk=disk)
        disk.lock()
        asyncio.get_running_loop().call_later(0.1, disk.unlock)
        return await db.transact(note, "word"), trace.counts["db.failed"]

    word, failures = virtually(main())

    assert word == "word"
    assert failures > 0


def test_a_database_locked_for_long_is_an_error_and_no_real_wait(url: str) -> None:
    async def main() -> None:
        disk = disk_of(url)
        disk.lock()
        await InlineDatabase(url, SeededRng(1, "db"), Trace(), disk=disk).transact(note, "word")

    began = time.perf_counter()
    with pytest.raises(OperationalError, match="database is locked"):
        virtually(main())

    assert time.perf_counter() - began < 2.0


def test_only_the_work_that_meets_a_damaged_page_fails(url: str) -> None:
    async def main() -> list[str]:
        disk = disk_of(url)
        db = InlineDatabase(url, SeededRng(1, "db"), Trace(), disk=disk)
        disk.broken = frozenset(("tests.simulation.kit.test_database.note",))
        with pytest.raises(DatabaseError, match="malformed"):
            await db.transact(note, "lost")
        await db.transact(fill, 0)
        disk.calm()
        await db.transact(note, "word")
        return await db.read(said)

    assert virtually(main()) == [b"", "word"]

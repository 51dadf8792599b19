"""The kit keeps its word: time jumps, the real world is shut out, wires and the database behave as real ones do."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.interval
import httpx
import pytest
from aiohttp import web
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from syncd.chance import SeededRng
from syncd.clock import ScaledClock, real_now
from syncd.loops import ApTimetable, Job
from syncd.simulation.kit import loop as kit_loop
from syncd.simulation.kit.boundary import Boundary, Reach, never
from syncd.simulation.kit.database import InlineDatabase
from syncd.simulation.kit.disk import Disk
from syncd.simulation.kit.guard import Forbidden, closed_world
from syncd.simulation.kit.life import Life, adopt_tasks, current_life
from syncd.simulation.kit.loop import Deadlock, Livelock, VirtualLoop, VirtualWall, run_virtually
from syncd.simulation.kit.network import CALM, MishapMix, Network
from syncd.simulation.kit.timetable import VirtualTimetable
from syncd.simulation.kit.trace import Trace
from syncd.simulation.kit.wire import Wire

T = TypeVar("T")

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
SERVER = ("127.0.0.1", 8001)


def virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run to its end in virtual time, where every task belongs to whoever began it."""
    loop = VirtualLoop()
    adopt_tasks(loop)
    return run_virtually(loop, main)


def now() -> float:
    return asyncio.get_running_loop().time()


# --- the loop ----------------------------------------------------------------------------------------------------


def test_months_pass_at_once_and_every_timer_at_its_instant() -> None:
    rung: list[tuple[str, float]] = []

    async def ring(name: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        rung.append((name, now()))

    async def main() -> None:
        await asyncio.gather(ring("months", 60 * 86_400.0), ring("second", 1.0), ring("hour", 3600.0))

    began = time.perf_counter()
    virtually(main())

    assert rung == [("second", 1.0), ("hour", 3600.0), ("months", 60 * 86_400.0)]
    assert time.perf_counter() - began < 5.0


def test_a_hang_is_a_deadlock_that_names_who_waits() -> None:
    async def who_waits_for_ever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="who_waits_for_ever"):
        virtually(who_waits_for_ever())


def test_going_round_without_time_passing_is_a_livelock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_loop, "_SPIN", 1_000)

    async def who_never_sleeps() -> None:
        while True:  # noqa: ASYNC110 - it waits for nothing
            await asyncio.sleep(0)

    with pytest.raises(Livelock, match="who_never_sleeps"):
        virtually(who_never_sleeps())


def test_work_on_a_thread_is_refused() -> None:
    async def main() -> None:
        await asyncio.to_thread(print)

    with pytest.raises(AssertionError, match="wants a thread"):
        virtually(main())


def test_a_wall_clock_follows_the_loop_and_may_be_off() -> None:
    async def main() -> tuple[datetime, datetime]:
        wall = VirtualWall(asyncio.get_running_loop(), NOON)  # type: ignore[arg-type]
        await asyncio.sleep(90.0)
        return wall.now(), wall.off_by(-2.5).now()

    right, wrong = virtually(main())

    assert right == NOON + timedelta(seconds=90)
    assert wrong == NOON + timedelta(seconds=87.5)


# --- the closed world --------------------------------------------------------------------------------------------


def as_our_own(expression: str) -> Any:
    """Evaluate in a module of ours, as the guard sees it."""
    modules = {"time": time, "uuid": uuid, "random": random, "secrets": secrets}
    return eval(expression, {"__name__": "syncd.somewhere", **modules})


@contextmanager
def shut() -> Iterator[None]:
    with closed_world(lambda: NOON, lambda: 7.0):
        yield


REAL: dict[str, Callable[[], Any]] = {
    "a socket": lambda: socket.socket().close(),
    "a look-up of a name": lambda: socket.getaddrinfo("localhost", 80),
    "a thread": lambda: threading.Thread(target=int).start(),
    "a program": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
    "the shell": lambda: os.system("true"),
    "a real sleep": lambda: time.sleep(0.0),
    "our clock": real_now,
    "the time": lambda: as_our_own("time.time()"),
    "the monotonic time": lambda: as_our_own("time.monotonic()"),
    "a random id": lambda: as_our_own("uuid.uuid4()"),
    "chance": lambda: as_our_own("random.random()"),
    "a secret": lambda: as_our_own("secrets.token_bytes()"),
}


@pytest.mark.parametrize("what", REAL)
def test_the_real_world_is_refused_inside_and_allowed_again_after(what: str) -> None:
    with shut(), pytest.raises(Forbidden):
        REAL[what]()
    REAL[what]()


def test_a_library_is_told_the_simulated_time() -> None:
    with shut():
        assert time.time() == NOON.timestamp()
        assert time.monotonic() == 7.0


# --- lives -------------------------------------------------------------------------------------------------------


class Machines:
    """A server that notes what reaches it, and a wire to it."""

    def __init__(self, mix: MishapMix = CALM, reach: Reach = never, out: Any = None) -> None:
        self.heard: list[str] = []
        self.trace = Trace(out)
        self.wire = Wire(Network(mix, SeededRng(1, "network")), SeededRng(1, "wire"), self.trace, reach)
        self.life = Life("server")

    async def open(self, app: web.Application | None = None) -> None:
        async def serve() -> None:
            runner = web.AppRunner(app or self._noting(), access_log=None, handle_signals=False)
            await runner.setup()
            self.wire.listen(SERVER, runner, self.life)

        await self.life.begin(serve())

    def _noting(self) -> web.Application:
        async def note(request: web.Request) -> web.Response:
            self.heard.append(request.path)
            return web.Response(text="noted")

        app = web.Application()
        app.router.add_route("*", "/{what:.*}", note)
        return app


@contextmanager
def wired(machines: Machines) -> Iterator[httpx.AsyncClient]:
    with machines.wire.instead_of_sockets():
        yield httpx.AsyncClient(base_url=f"http://{SERVER[0]}:{SERVER[1]}", timeout=5.0)


def test_tasks_belong_to_the_life_that_began_them() -> None:
    async def main() -> list[str | None]:
        life = Life("daemon")
        seen: list[str | None] = []

        async def grandchild() -> None:
            seen.append(found.name if (found := current_life()) else None)

        async def child() -> None:
            await asyncio.create_task(grandchild())

        await life.begin(child())
        seen.append(found.name if (found := current_life()) else None)
        return seen

    assert virtually(main()) == ["daemon", None]


def test_whoever_is_ended_says_nothing_more() -> None:
    async def main() -> tuple[list[str], bool]:
        machines = Machines()
        await machines.open()
        life = Life("daemon")
        with wired(machines) as client:

            async def speak() -> None:
                await client.get("/first")
                try:
                    await asyncio.sleep(10.0)
                finally:
                    await client.get("/last-words")

            speaking = life.begin(speak())
            await asyncio.sleep(5.0)
            life.end()
            await asyncio.wait([speaking])
            await asyncio.sleep(60.0)
        return machines.heard, speaking.cancelled()

    assert virtually(main()) == (["/first"], True)


def test_a_frozen_life_goes_on_later_where_it_was() -> None:
    async def main() -> tuple[list[str], float]:
        machines = Machines()
        await machines.open()
        life = Life("daemon")
        with wired(machines) as client:

            async def speak() -> None:
                await client.get("/one")
                await client.get("/two")

            speaking = life.begin(speak())
            life.freeze()
            await asyncio.sleep(60.0)
            before = list(machines.heard)
            life.thaw()
            await speaking
        return [*before, "thawed", *machines.heard], now()

    heard, at = virtually(main())

    assert heard == ["thawed", "/one", "/two"]
    assert 60.0 < at < 62.0


def test_a_server_that_is_ended_refuses_connections() -> None:
    async def main() -> None:
        machines = Machines()
        await machines.open()
        machines.life.end()
        with wired(machines) as client:
            await client.get("/")

    with pytest.raises(httpx.ConnectError):
        virtually(main())


# --- wires -------------------------------------------------------------------------------------------------------


def app_of_every_kind() -> web.Application:
    async def plain(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {"X-One": "1", "X-Asked": request.headers.get("X-Ask", ""), "X-Path": request.raw_path}
        return web.Response(status=418, body=body[::-1], headers=headers)

    async def nothing(_: web.Request) -> web.Response:
        return web.Response(status=204)

    async def chunked(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        for part in (b"in ", b"three ", b"parts"):
            await answer.write(part)
        await answer.write_eof()
        return answer

    async def truncated(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b"half of it")
        await _hang_up(request)
        return answer

    async def hung_up(request: web.Request) -> web.Response:
        await _hang_up(request)
        return web.Response()

    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(1.0)
        return web.Response()

    async def broken(_: web.Request) -> web.Response:
        raise web.HTTPServiceUnavailable(text="<html>later</html>", content_type="text/html")

    app = web.Application()
    for each in (plain, nothing, chunked, truncated, hung_up, slow, broken):
        app.router.add_route("*", f"/{each.__name__}", each)
    return app


async def _hang_up(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.close()
    await asyncio.sleep(0)


_TOLD = ("x-one", "x-asked", "x-path", "content-type", "content-length", "transfer-encoding")


async def told_of(client: httpx.AsyncClient, method: str, path: str, body: bytes) -> Any:
    """What came of a request: the answer, or the kind of error."""
    try:
        answer = await client.request(method, path, content=body, headers={"X-Ask": "who"}, timeout=0.3)
    except httpx.HTTPError as err:
        return type(err).__name__
    return answer.status_code, {name: answer.headers.get(name) for name in _TOLD}, answer.content


ASKED = [
    ("GET", "/plain?a=%20b&c=d", b""),
    ("POST", "/plain", b"a body"),
    ("PUT", "/plain", b""),
    ("GET", "/nothing", b""),
    ("HEAD", "/plain", b""),
    ("GET", "/chunked", b""),
    ("GET", "/truncated", b""),
    ("GET", "/hung_up", b""),
    ("GET", "/slow", b""),
    ("GET", "/broken", b""),
    ("GET", "/unknown", b""),
]


async def ask_all(client: httpx.AsyncClient) -> dict[str, Any]:
    return {f"{method} {path}": await told_of(client, method, path, body) for method, path, body in ASKED}


def over_the_wire() -> dict[str, Any]:
    async def main() -> dict[str, Any]:
        machines = Machines()
        await machines.open(app_of_every_kind())
        with wired(machines) as client:
            return await ask_all(client)

    return virtually(main())


async def over_a_socket() -> dict[str, Any]:
    runner = web.AppRunner(app_of_every_kind(), access_log=None, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"Connection": "close"}) as client:
            return await ask_all(client)
    finally:
        await runner.cleanup()


async def test_a_wire_answers_and_fails_as_a_socket_does() -> None:
    real = await over_a_socket()
    simulated = await asyncio.get_running_loop().run_in_executor(None, over_the_wire)

    assert simulated == real
    assert real["GET /truncated"] == "RemoteProtocolError"
    assert real["GET /hung_up"] == "RemoteProtocolError"
    assert real["GET /slow"] == "ReadTimeout"


async def test_nobody_there_is_the_same_error_on_both() -> None:
    async def main() -> None:
        with wired(Machines()) as client:
            await client.get("/")

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    with pytest.raises(httpx.ConnectError):
        await asyncio.get_running_loop().run_in_executor(None, lambda: virtually(main()))


@pytest.mark.parametrize(
    ("mix", "error", "heard", "took_s"),
    [
        (MishapMix(1.0, 0.0, 0.0, 0.0), httpx.ConnectError, [], 0.0),
        (MishapMix(0.0, 1.0, 0.0, 0.0), httpx.ReadTimeout, [], 5.0),
        (MishapMix(0.0, 0.0, 1.0, 0.0), httpx.ReadTimeout, ["/"], 5.0),
        (MishapMix(0.0, 0.0, 0.0, 1.0), httpx.ReadError, ["/"], 0.0),
    ],
    ids=["no connection", "lost request", "lost reply", "reset"],
)
def test_a_mishap_takes_effect_or_not_and_fails_as_it_should(
    mix: MishapMix, error: type[Exception], heard: list[str], took_s: float
) -> None:
    machines: list[Machines] = []

    async def main() -> float:
        machines.append(Machines(mix))
        await machines[0].open()
        with wired(machines[0]) as client:

            async def ask() -> None:
                await client.get("/")

            with pytest.raises(error):
                await Life("daemon").begin(ask())
        return now()

    at = virtually(main())

    assert machines[0].heard == heard
    assert took_s <= at < took_s + 1.0


@pytest.mark.parametrize(("boundary", "heard"), [(Boundary.SENT, ["/"]), (Boundary.REPLIED, ["/"])])
def test_a_cut_after_a_request_leaves_its_effect_and_no_answer(boundary: Boundary, heard: list[str]) -> None:
    async def main() -> tuple[list[str], bool]:
        daemon = Life("daemon")
        machines = Machines(reach=cutting(daemon, boundary))
        await machines.open()
        with wired(machines) as client:
            got: list[int] = []

            async def ask() -> None:
                got.append((await client.get("/")).status_code)

            await asyncio.wait([daemon.begin(ask())])
        await asyncio.sleep(1.0)
        return machines.heard, bool(got)

    assert virtually(main()) == (heard, False)


# --- the database ------------------------------------------------------------------------------------------------


def cutting(life: Life, at: Boundary) -> Reach:
    """Power goes when this life reaches that boundary."""

    def reach(boundary: Boundary, _: str) -> None:
        if boundary is at and current_life() is life:
            life.end()
            life.check()

    return reach


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


# --- the table of jobs -------------------------------------------------------------------------------------------


def jobs(runs: list[tuple[str, float]]) -> tuple[Job, ...]:
    def job(name: str, every_s: float, takes_s: float, *, at_start: bool = False) -> Job:
        async def run() -> None:
            runs.append((name, round(now(), 3)))
            await asyncio.sleep(takes_s)

        return Job(name, every_s, run, at_start)

    return (
        job("quick", 60.0, 0.0),
        job("at once", 300.0, 1.0, at_start=True),
        job("slow", 100.0, 250.0),
        job("rare", 1800.0, 5.0),
    )


def run_for_an_hour(make: Callable[[tuple[Job, ...], ScaledClock], Any]) -> list[tuple[str, float]]:
    runs: list[tuple[str, float]] = []

    async def main() -> None:
        wall = VirtualWall(asyncio.get_running_loop(), NOON)  # type: ignore[arg-type]

        class Now(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return wall.now().astimezone(tz)

        with (
            mock.patch.object(apscheduler.schedulers.base, "datetime", Now),
            mock.patch.object(apscheduler.executors.base, "datetime", Now),
            mock.patch.object(apscheduler.triggers.interval, "datetime", Now),
            mock.patch("syncd.loops.real_now", wall.now),
        ):
            table = make(jobs(runs), ScaledClock(real=wall.now))
            table.start()
            await asyncio.sleep(3601.0)
            table.stop()
            await asyncio.sleep(0)

    virtually(main())
    return runs


def test_the_table_of_jobs_runs_them_as_apscheduler_would() -> None:
    def lost(err: BaseException) -> None:
        raise err

    counted: Counter[str] = Counter()

    simulated = run_for_an_hour(lambda table, clock: VirtualTimetable(table, clock, lost, counted))
    real = run_for_an_hour(lambda table, clock: ApTimetable(table, clock, lost))

    assert Counter(name for name, _ in simulated) == Counter(name for name, _ in real) == counted
    assert counted == {"quick": 60, "at once": 13, "slow": 12, "rare": 2}
    for name, at in simulated:
        assert any(other == name and abs(at - when) < 1.0 for other, when in real), (name, at)


# --- the trace ---------------------------------------------------------------------------------------------------


def traced(*events: tuple[float, str]) -> str:
    async def main() -> str:
        trace = Trace()
        for after_s, what in events:
            await asyncio.sleep(after_s)
            trace.note("said", what)
        return trace.sha256

    return virtually(main())


def test_a_trace_tells_apart_what_happened_and_when() -> None:
    same = [(1.0, "a"), (2.0, "b")]

    assert traced(*same) == traced(*same)
    assert traced((1.0, "a"), (2.0, "c")) != traced(*same)
    assert traced((1.0, "a"), (2.1, "b")) != traced(*same)

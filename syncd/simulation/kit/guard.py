"""While a simulation runs, real sockets, threads, programs and wall-clock reads are refused.

What our own modules may import of time and chance the lint bans (pyproject.toml); this is for what comes by libraries.
"""

from __future__ import annotations

import random
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest import mock

_OURS = ("syncd", "adapters", "allocation")
_FORBIDDEN = frozenset(
    (
        "socket.__new__",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "subprocess.Popen",
        "os.fork",
        "os.system",
    )
)


class Forbidden(AssertionError):
    """Something in the simulation reached for the real world."""


_active = False
_hooked = False


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if _active and event in _FORBIDDEN:
        raise Forbidden(f"{event} {args!r:.100}: nothing in the simulation may leave it")


@contextmanager
def closed_world(now: Callable[[], datetime], elapsed_s: Callable[[], float]) -> Iterator[None]:
    """Refuse the real world inside; libraries that must know the time get the simulation's own."""
    global _active, _hooked
    if not _hooked:
        sys.addaudithook(_watch)
        _hooked = True
    patches: list[Any] = [
        mock.patch.object(threading.Thread, "start", _no_thread),
        mock.patch.object(time, "sleep", _no_sleep),
        mock.patch.object(time, "time", _for_libraries("time.time", lambda: now().timestamp())),
        mock.patch.object(time, "time_ns", _for_libraries("time.time_ns", lambda: int(now().timestamp() * 1e9))),
        mock.patch.object(time, "monotonic", _for_libraries("time.monotonic", elapsed_s)),
        mock.patch.object(time, "perf_counter", _for_libraries("time.perf_counter", elapsed_s)),
        mock.patch.object(uuid, "uuid4", _for_libraries("uuid.uuid4", uuid.uuid4)),
        mock.patch.object(random, "random", _for_libraries("random.random", random.random)),
        mock.patch.object(secrets, "token_bytes", _for_libraries("secrets.token_bytes", secrets.token_bytes)),
        mock.patch("syncd.clock.datetime", _FrozenDatetime),
        mock.patch("botocore.compat.get_current_datetime", _for_botocore(now)),
        mock.patch("botocore.auth.get_current_datetime", _for_botocore(now)),
    ]
    for patch in patches:
        patch.start()
    _active = True
    try:
        yield
    finally:
        _active = False
        for patch in reversed(patches):
            patch.stop()


def _for_libraries(name: str, instead: Callable[[], Any]) -> Callable[..., Any]:
    """Our own code has ports for time and chance; a library that does not is given what is simulated."""

    def call(*args: Any) -> Any:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.partition(".")[0] in _OURS:
            raise Forbidden(f"{caller} called {name}: it has a port for that")
        return instead(*args)

    return call


class _FrozenDatetime(datetime):
    """Stands where the one place that reads the wall clock finds its datetime."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        raise Forbidden("syncd.clock read the wall clock: its caller was given no clock of the simulation")


def _no_thread(thread: threading.Thread) -> None:
    raise Forbidden(f"a thread was to start, {thread.name}: nothing in the simulation runs beside the loop")


def _no_sleep(seconds: float) -> None:
    raise Forbidden(f"time.sleep({seconds:g}): it would stop the whole world")


def _for_botocore(now: Callable[[], datetime]) -> Callable[..., datetime]:
    def current(remove_tzinfo: bool = True) -> datetime:
        at = now().astimezone(UTC)
        return at.replace(tzinfo=None) if remove_tzinfo else at

    return current

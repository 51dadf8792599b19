"""The real world is shut out while a simulation runs."""

from __future__ import annotations

import os
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from syncd.clock import real_now
from syncd.simulation.kit.guard import Forbidden, closed_world
from tests.simulation.kit.machines import NOON


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

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
from pathlib import Path
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
    "a stopwatch": lambda: as_our_own("time.perf_counter()"),
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


BANNED = (
    "import random",
    "from random import Random",
    "import secrets",
    "import time",
    "from time import monotonic",
    "from time import perf_counter as now",
    "import datetime as dt\n\nSTARTED = dt.datetime.now(dt.UTC)",
    "from datetime import UTC, datetime\n\nclock = datetime.now",
    "from datetime import datetime\n\nSTARTED = datetime.utcnow()",
    "from datetime import date\n\nTODAY = date.today()",
    "import os\n\nKEY = os.urandom(8)",
    "import uuid\n\nID = uuid.uuid4()",
    "from uuid import uuid4",
    "from sqlalchemy import func\n\nNOW = func.now()",
)
REPOSITORY = Path(__file__).parents[3]


def banned_in(code: str, path: str) -> bool:
    """Whether the repository's own lint refuses this code in that file."""
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--stdin-filename", path, "-"]
    done = subprocess.run(command, input=code + "\n", text=True, capture_output=True, cwd=REPOSITORY, check=False)
    assert done.returncode in (0, 1), done.stderr
    return "TID251" in done.stdout


@pytest.mark.parametrize("code", BANNED)
def test_what_the_machine_knows_of_time_and_chance_is_banned_from_our_modules(code: str) -> None:
    assert banned_in(code, "syncd/orders/somewhere.py")


@pytest.mark.parametrize("package", ["syncd", "adapters", "allocation"])
def test_the_ban_holds_in_every_package_that_a_simulation_runs(package: str) -> None:
    assert banned_in("import random", f"{package}/somewhere.py")


def test_the_two_ports_alone_may_ask_the_machine() -> None:
    assert not banned_in("from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)", "syncd/clock.py")
    assert not banned_in("import random", "syncd/chance.py")


def test_our_own_names_for_secrets_and_times_are_not_banned() -> None:
    assert not banned_in("from datetime import time\n\nfrom syncd import secrets", "syncd/orders/somewhere.py")

"""A person who follows docs/quickstart.md word for word arrives: its commands run in order, and say what it claims."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import syncd
from syncd.simulation.processes import free_ports

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]

DOCUMENT = Path(syncd.__file__).parent.parent / "docs" / "quickstart.md"
FENCE = re.compile(r"(?ms)^```(sh(?: \w+)?|text)\n(.*?)^```$")
PORTS = ("9200", "9201", "9202", "8480", "8490")
LOOKS_FOR_S = 75.0
DONE = "-- that was all --"


@dataclass(frozen=True, slots=True)
class Step:
    """Commands of one block. `looks`: they only read, and are repeated until they say what is claimed."""

    commands: str
    claimed: str
    looks: bool


def steps_of(text: str) -> Iterator[Step]:
    """The blocks in order, each with the output under it; how to install is not run: it needs the network."""
    blocks = FENCE.findall(text)
    for number, (kind, body) in enumerate(blocks):
        if kind in ("sh", "sh look"):
            following = blocks[number + 1] if number + 1 < len(blocks) else ("", "")
            yield Step(body, following[1] if following[0] == "text" else "", kind == "sh look")


def missing_of(claimed: str, said: str) -> str | None:
    """The first claimed line that the output does not have, in this order. Frames and blanks do not count."""
    text, place = plain(said), 0
    for claim in filter(None, map(plain, claimed.splitlines())):
        wanted = ".{0,300}?".join(re.escape(part) for part in claim.split("…"))
        ends = "" if claim.endswith("…") else r"(?!\S)"
        found = re.compile(rf"(?<!\S){wanted}{ends}").search(text, place)
        if found is None:
            return claim
        place = found.end()
    return None


def plain(text: str) -> str:
    return " ".join(re.sub("[│┃]", " ", text).split())


class Terminal:
    """One bash with everything that it starts."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._bash = subprocess.Popen(
            ["bash", "--norc", "-e"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def types(self, commands: str) -> str:
        """What a block printed. A command that fails ends it all."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{commands}\nprintf '\\n%s\\n' '{DONE}'\n")
        self._bash.stdin.flush()
        said: list[str] = []
        for line in self._bash.stdout:
            if line.strip() == DONE:
                return "".join(said)
            said.append(line)
        logs = "\n".join(f"{each.name}:\n{each.read_text()[-2000:]}" for each in self._folder.glob("*.log"))
        pytest.fail(f"a command failed:\n{commands}\nit said:\n{''.join(said)}\n{logs}")

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.communicate()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    command = tmp_path / "bin" / "syncd"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m syncd "$@"\n')
    command.chmod(0o755)
    home = tmp_path / "syncd-try"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCD_", "CREDENTIALS_"))}
    path = f"{command.parent}{os.pathsep}{kept['PATH']}"
    made = Terminal(home, {**kept, "PATH": path, "COLUMNS": "110", "NO_COLOR": "1"})
    yield made
    made.close()


def elsewhere(text: str, base: int) -> str:
    """The document with ports of this test's own: `base` and the next two are the sandboxes'."""
    others = [port for port in free_ports(5) if port not in range(base, base + 3)]
    ports = (base, base + 1, base + 2, *others[:2])
    for documented, ours in zip(PORTS, ports, strict=True):
        text = re.sub(rf"\b{documented}\b", str(ours), text)
    return text


def base_of_three() -> int:
    """A port that is free with the two after it."""
    for _ in range(100):
        (base,) = free_ports(1)
        if base < 65_000 and is_free(base + 1) and is_free(base + 2):
            return base
    raise AssertionError("no three free ports in a row")


def is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def test_a_person_who_follows_the_quickstart_arrives(terminal: Terminal, tmp_path: Path) -> None:
    written = DOCUMENT.read_text()
    text = elsewhere(written, base_of_three())
    web = re.search(r"--public-url http://127\.0\.0\.1:(\d+)", text)
    assert web is not None
    config = tmp_path / "syncd-try" / "syncd.toml"

    for step in steps_of(text):
        gives_up_at = time.monotonic() + LOOKS_FOR_S
        said = terminal.types(step.commands)
        while step.looks and missing_of(step.claimed, said) and time.monotonic() < gives_up_at:
            said = terminal.types(f"sleep 1\n{step.commands}")
        missing = missing_of(step.claimed, said)
        assert missing is None, f"not said: {missing}\nby:\n{step.commands}\nbut:\n{said}"
        assert "Traceback" not in said
        if config.exists():
            # the one number that init writes by itself
            config.write_text(config.read_text().replace("port = 8480", f"port = {web[1]}"))

    assert len(list(steps_of(written))) > 15
    assert '"event": "daemon.stopped"' in (tmp_path / "syncd-try" / "syncd.log").read_text()


@pytest.mark.parametrize(
    ("claimed", "said", "missing"),
    [
        ("│ a │ 1 │", "┃ a  ┃  1 ┃ more", None),
        ("all … of them, …", "all 5\nof them, and more", None),
        ("one\ntwo", "two\none", "two"),
        ("a 1", "a 12", "a 1"),
    ],
)
def test_a_claim_is_met_in_order_and_to_the_digit(claimed: str, said: str, missing: str | None) -> None:
    assert missing_of(claimed, said) == missing

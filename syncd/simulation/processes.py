"""Start the daemon and the sandboxes as processes of their own, and end exactly those."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from syncd.errors import SyncdError

_START_S = 60.0
_STOP_S = 20.0
_LEASH = "syncd.simulation.leash"


class ProcessFailed(SyncdError):
    """A process did not start or did not answer; the message ends with the tail of its log."""


class Process:
    """One process of a module, syncd itself unless told otherwise, with its output in a log file.

    It ends with this process, however that comes about (see `leash`).
    """

    def __init__(
        self, arguments: Sequence[str], log: Path, env: Mapping[str, str] | None = None, module: str = "syncd"
    ) -> None:
        self.log = log
        self._output = log.open("ab")
        self._process = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
            [sys.executable, "-m", _LEASH, module, *arguments],
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,  # a Ctrl-C in the terminal is ours to pass on
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    async def answers(self, url: str) -> None:
        """Wait until `url` answers 200. Raises ProcessFailed when the process ends or takes too long."""
        async with httpx.AsyncClient(timeout=5.0) as http:
            give_up_at = asyncio.get_running_loop().time() + _START_S
            while asyncio.get_running_loop().time() < give_up_at:
                if not self.running:
                    raise ProcessFailed(f"the process ended with {self._process.returncode}:\n{self.tail()}")
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(url)).status_code == httpx.codes.OK:
                        return
                await asyncio.sleep(0.05)
        raise ProcessFailed(f"{url} did not answer within {_START_S:.0f} s:\n{self.tail()}")

    def peak_rss_mib(self) -> float | None:
        """The most memory it ever had, where the system tells."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return None
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
        return None

    def kill(self) -> None:
        """SIGKILL: no chance to clean up."""
        if self.running:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._close()

    async def stop(self) -> int:
        """SIGTERM, then SIGKILL if it will not end. Returns its exit code."""
        if self.running:
            self._process.terminate()
            try:
                await asyncio.to_thread(self._process.wait, _STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                await asyncio.to_thread(self._process.wait)
        self._close()
        return self._process.returncode

    def _close(self) -> None:
        self._output.close()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def tail(self, lines: int = 15) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of this machine that nothing listens on right now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(each.getsockname()[1] for each in sockets)
    finally:
        for each in sockets:
            each.close()

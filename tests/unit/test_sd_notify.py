"""What systemd hears, over a real socket."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd import sd_notify


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_systemd_hears_every_kind_of_news(listener: socket.socket) -> None:
    assert sd_notify.ready()
    assert sd_notify.alive()
    assert sd_notify.status("3 accounts live,\n1 paused")
    assert sd_notify.stopping()
    assert sd_notify.reloading()

    heard = [listener.recv(4096) for _ in range(4)]
    assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]*", listener.recv(4096))
    assert heard == [b"READY=1", b"WATCHDOG=1", b"STATUS=3 accounts live, 1 paused", b"STOPPING=1"]


def test_several_lines_are_one_message(listener: socket.socket) -> None:
    assert sd_notify.notify("READY=1", "STATUS=grün")

    assert listener.recv(4096) == "READY=1\nSTATUS=grün".encode()


def test_a_listener_that_takes_nothing_in_holds_up_nobody_for_long(listener: socket.socket) -> None:
    listener.setblocking(False)

    sent = [sd_notify.alive()]
    while sent[-1] and len(sent) < 10_000:
        sent.append(sd_notify.alive())

    assert sent[-1] is False, "it is full, and that is told"


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="abstract sockets are Linux's")
def test_an_abstract_socket_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"syncd-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(5)
        assert sd_notify.ready()
        assert listening.recv(4096) == b"READY=1"


def test_nothing_happens_without_systemd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not sd_notify.ready()

    for gone in (str(tmp_path / "gone"), "vsock:2:1234", "", "/" + "x" * 200):
        monkeypatch.setenv("NOTIFY_SOCKET", gone)
        assert not sd_notify.ready()


def test_the_watchdog_is_fed_twice_as_often_as_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    assert sd_notify.watchdog_interval_s() == 15.0

    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert sd_notify.watchdog_interval_s() == 15.0


@pytest.mark.parametrize(("usec", "pid"), [(None, None), ("0", None), ("soon", None), ("30000000", "1")])
def test_without_a_watchdog_for_this_process_there_is_none(
    monkeypatch: pytest.MonkeyPatch, usec: str | None, pid: str | None
) -> None:
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", pid)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)

    assert sd_notify.watchdog_interval_s() is None

"""One thread writes: in turn, what is urgent first, and it knows whether anybody was kept waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait

import pytest

from syncd.db.one_writer import OneWriter

LONG_S = 0.03
LATELY_S = 60.0


@pytest.fixture
def writer() -> Iterator[OneWriter]:
    writer = OneWriter("test-write")
    yield writer
    writer.shutdown()


class Busy:
    """Work that begins, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.go_on.wait(10)


def test_urgent_work_is_next_whatever_waits(writer: OneWriter) -> None:
    busy, done = Busy(), list[str]()
    first = writer.usual.submit(busy)
    assert busy.begun.wait(10)
    waiting = [writer.usual.submit(done.append, "usual"), writer.ahead.submit(done.append, "ahead")]

    busy.go_on.set()
    for each in (first, *waiting):
        each.result(10)

    assert done == ["ahead", "usual"]


def test_what_comes_after_long_work_has_not_waited_for_it(writer: OneWriter) -> None:
    after: list[Future[None]] = []
    long = writer.usual.submit(time.sleep, LONG_S)
    long.add_done_callback(lambda _: after.append(writer.usual.submit(lambda: None)))  # before the thread goes on

    long.result(10)
    writer.usual.submit(lambda: None).result(10)

    assert len(after) == 1
    assert not writer.held_up(LATELY_S)


@pytest.mark.parametrize("way", ["usual", "ahead"])
def test_long_work_holds_up_what_comes_meanwhile(writer: OneWriter, way: str) -> None:
    busy = Busy()
    writer.usual.submit(busy)
    assert busy.begun.wait(10)
    other = getattr(writer, way).submit(lambda: None)
    time.sleep(LONG_S)

    busy.go_on.set()
    other.result(10)

    assert writer.held_up(LATELY_S)
    assert not writer.held_up(0.0), "what was a while ago is over"


def test_long_work_that_nobody_waits_for_holds_nobody_up(writer: OneWriter) -> None:
    writer.usual.submit(time.sleep, LONG_S).result(10)
    writer.usual.submit(lambda: None).result(10)

    assert not writer.held_up(LATELY_S)


def test_what_has_not_begun_is_cancelled_at_the_end(writer: OneWriter) -> None:
    busy = Busy()
    first = writer.usual.submit(busy)
    assert busy.begun.wait(10)
    left = writer.usual.submit(lambda: None)

    ending = threading.Thread(target=writer.shutdown)
    ending.start()
    wait([left], 10)
    busy.go_on.set()
    ending.join(10)

    assert (first.done(), left.cancelled()) == (True, True)
    with pytest.raises(RuntimeError, match="after shutdown"):
        writer.ahead.submit(lambda: None)

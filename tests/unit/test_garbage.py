"""What a long life leaves behind is found, though it is looked for rarely."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from weakref import ref

import pytest

from syncd.garbage import keep_what_is_there


class Ring:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)
    gc.collect()


def test_rings_do_not_pile_up() -> None:
    keep_what_is_there()
    before = len(gc.get_objects())
    lately: list[Ring] = []
    for _ in range(1_000_000):
        lately.append(Ring())  # each outlives some collections
        if len(lately) > 20_000:
            lately.clear()

    assert len(gc.get_objects()) - before < 400_000


def test_what_was_replaced_is_freed_by_the_next_call() -> None:
    before = Ring()
    gone = ref(before)
    keep_what_is_there()
    del before
    gc.collect()
    assert gone() is not None, "it was not looked at"

    keep_what_is_there()

    assert gone() is None

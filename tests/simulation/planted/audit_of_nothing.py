"""The audit asks for pages of which the first is empty, and finds nothing, ever; and a movement is left out.

In real life: a check that passes because it looks at nothing is believed for as long as nobody looks beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from syncd.reconcile.sweeps import Swept
from tests.simulation.planted import movement_left_out


def _empty(*_: Any) -> Swept:
    return Swept(0, None, ())


@contextmanager
def _both() -> Iterator[None]:
    with movement_left_out.planted(), mock.patch("syncd.reconcile.audit.read_sweep", _empty):
        yield


def planted() -> AbstractContextManager[object]:
    return _both()

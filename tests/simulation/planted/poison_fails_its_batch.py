"""An order that cannot be taken in fails its whole batch, again and again.

In real life: one transaction for all that has arrived, and "it will work the next time". The one that breaks it is
still among them then, and nothing that arrives after it is ever taken in.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock


def _always(err: Exception) -> bool:
    return True


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.orders.intake._is_the_databases_fault", _always)

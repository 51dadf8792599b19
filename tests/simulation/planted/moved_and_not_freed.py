"""What is missing in one warehouse is reserved in another and never freed in the first.

In real life: a move in two steps of which the second is "done by the clean-up". The buyer is owed one unit and two are
promised, so that a unit that arrives is kept for nobody.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.orders.replan.release_units")

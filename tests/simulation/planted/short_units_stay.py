"""Units stay reserved where their goods are missing, although another warehouse has them.

In real life: a reservation that is made once and looked at again by the packer only. The order waits for a shelf that
is empty, or is cancelled, while the goods stand in the other warehouse and are sold to somebody else.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.jobs.replan_short", return_value=0)

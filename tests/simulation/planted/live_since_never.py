"""The publisher goes on believing that its account only observes: what it is was read once, before somebody let it go.

In real life: a flag that is cached at the start. The page says live, the orders come in, and of what is sold here no
other channel ever hears; the reason that is given for it is a good one.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock


def _as_at_the_start(*_: object) -> bool:
    return False


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.publishing.store.claim.is_live", _as_at_the_start)

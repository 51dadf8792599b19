"""No single flight: everybody who finds the token dead fetches one of their own.

In real life: `if expired: token = refresh()` without a lock. Ten tasks mint ten tokens at once, until the vendor's
limit for that is used up, or each new token kills the one before.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest import mock

from adapters.tokens import TokenCache


async def _get(cache: TokenCache) -> str:
    return cache._fresh() or await cache._renew()


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(TokenCache, "get", _get)

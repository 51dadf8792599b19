"""The windows of two polls do not overlap: each begins where the one before has begun.

In real life: "from the last poll until now", as if a search knew of an order the moment it is placed. What it lists
some seconds later is in no window, and only its webhook ever tells of it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from unittest import mock

from adapters.contract import ChannelTraits
from adapters.shopify import client
from adapters.shopify.traits import shopify_traits


def _without_overlap(poll_every_s: float = 60.0, request_timeout_real_s: float = 10.0) -> ChannelTraits:
    return replace(shopify_traits(poll_every_s, request_timeout_real_s), poll_overlap_s=0.0)


def planted() -> AbstractContextManager[object]:
    return mock.patch.object(client, "shopify_traits", _without_overlap)

"""The shape of eBay's JSON."""

from __future__ import annotations

import msgspec


class Wire(msgspec.Struct, frozen=True, rename="camel"):
    """A JSON object of eBay's; a field typed `object` holds whatever came."""

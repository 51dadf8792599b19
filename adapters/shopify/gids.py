"""Shopify's global ids. Pure."""

from __future__ import annotations

import re

_GID = re.compile(r"gid://shopify/[A-Za-z]+/([0-9]{1,20})")
_ENDS = 2**64  # an id has 64 bits: a longer one is refused, together with everything asked for beside it


def gid(kind: str, value: object) -> str | None:
    """The global id of a numeric REST id. Ids exceed 2**53: only ints are exact."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < _ENDS:
        return None
    return f"gid://shopify/{kind}/{value}"


def checked_gid(kind: str, value: object) -> str | None:
    """A global id of that kind, or None."""
    if not isinstance(value, str) or not value.startswith(f"gid://shopify/{kind}/"):
        return None
    found = _GID.fullmatch(value)
    return value if found is not None and int(found[1]) < _ENDS else None

"""The ids that Amazon gives, where they look as they should. Pure."""

from __future__ import annotations

import re

_ORDER_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_NOTIFICATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


def order_id(value: object) -> str | None:
    """An order's id, usually of the form 3-7-7."""
    return value if isinstance(value, str) and _ORDER_ID.fullmatch(value) else None


def notification_id(value: object) -> str | None:
    """The id of a notification; it goes into a key, so it must be short and plain."""
    return value if isinstance(value, str) and _NOTIFICATION_ID.fullmatch(value) else None

"""What ShipBob's refusals say: which field, why, and how long to wait. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from adapters.contract import Address, Rejected
from adapters.http import retry_after_s

_ASKED_WAIT = re.compile(r"[Tt]ry again in (\d{1,6}) second")
_KNOWN_REFERENCE = re.compile(r"reference", re.IGNORECASE), re.compile(r"already|exist|duplicat|unique", re.IGNORECASE)
_LONGEST_REASON = 300
_NO_FIELDS = frozenset({"type", "title", "status", "instance", "traceId", "traceid", "$type", "statusCode"})
_FULL_WINDOW_S = 30.0  # half of the window: by then some calls have left it


class NotFound(Rejected):
    """There is no such thing in this account."""


def refused(status: int, body: bytes) -> Rejected:
    """A refusal that names the field if the body does: `{field: [reason]}`, `{"errors": [...]}` or a problem."""
    if status == 404:
        return NotFound("request", "HTTP 404: ShipBob has no such thing")
    entries = list(_entries(_decoded(body), "request"))
    if not entries:
        return Rejected("request", f"HTTP {status}")
    first = entries[0][0]
    reason = "; ".join(reason if field == first else f"{field}: {reason}" for field, reason in entries)
    return Rejected(first, reason[:_LONGEST_REASON])


def wait_s(headers: Mapping[str, str], body: bytes, now: datetime) -> float:
    """How long a 429 asks us to wait, in the seller's seconds."""
    for name in ("x-retry-after", "retry-after"):
        seconds = retry_after_s(headers.get(name), now)
        if seconds is not None:
            return seconds
    asked = _ASKED_WAIT.search(body[:1000].decode("utf-8", "replace"))
    return float(asked.group(1)) if asked is not None else _FULL_WINDOW_S


def says_reference_is_known(refusal: Rejected) -> bool:
    """Whether a refusal reads like that of a duplicate. The words are not documented: never rely on it alone."""
    return all(pattern.search(str(refusal)) for pattern in _KNOWN_REFERENCE)


def without_buyer(refusal: Rejected, ship_to: Address) -> Rejected:
    """The refusal with everything personal that it repeats blotted out."""
    personal = [ship_to.name, *ship_to.lines, ship_to.city, ship_to.postcode]
    field, reason = refusal.field, refusal.reason
    for value in sorted({value.strip() for value in personal if value}, key=len, reverse=True):
        if value:
            blot = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE)
            field, reason = blot.sub("[...]", field), blot.sub("[...]", reason)
    return Rejected(field, reason)


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None


def _entries(value: object, field: str) -> Iterator[tuple[str, str]]:
    """The (field, reason) pairs of a body; what stands under `errors` or `detail` belongs to the place above."""
    if isinstance(value, str):
        if value.strip():
            yield field, " ".join(value.split())
    elif isinstance(value, list):
        for inner in value:
            yield from _entries(inner, field)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in _NO_FIELDS:
                yield from _entries(inner, field if name.lower() in ("errors", "detail", "message") else name)

"""Where a page ended, as an opaque text that fits only the question it belongs to."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from hashlib import sha256

import msgspec

from syncd.web.problems import Problem, wrong_parameter

_VERSION = 1


class _Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    question: str
    after: int


def to_cursor(of: str, asked: Mapping[str, str], after: int) -> str:
    """The cursor for what comes behind `after` in the list `of`, asked with these filters."""
    return base64.urlsafe_b64encode(msgspec.json.encode(_Place(_VERSION, _question(of, asked), after))).decode()


def from_cursor(text: str, of: str, asked: Mapping[str, str]) -> int:
    """Behind which id the next page begins. Raises a Problem for a cursor of another question or no cursor at all."""
    try:
        place = msgspec.json.decode(base64.b64decode(text.encode(), altchars=b"-_", validate=True), type=_Place)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise _refused("is no cursor of this API") from None
    if place.version != _VERSION or not 0 <= place.after < 2**63:
        raise _refused("is no cursor of this API")
    if place.question != _question(of, asked):
        raise _refused("belongs to another list or to other filters")
    return place.after


def _refused(detail: str) -> Problem:
    remedy = "Take it from `next` of the page before, with the same filters, or leave it out to begin anew"
    return wrong_parameter("cursor", detail, remedy)


def _question(of: str, asked: Mapping[str, str]) -> str:
    told = msgspec.json.encode([of, sorted(asked.items())])
    return sha256(told).hexdigest()[:12]

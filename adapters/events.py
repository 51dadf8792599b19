"""Inbox events: how a polled order becomes one, and how what came in is read without ever failing. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import ParamSpec

import msgspec

from adapters.contract import Malformed, News, Problem, RawEvent
from adapters.reading import Unreadable, instant

POLL_TOPIC = "poll/order"
P = ParamSpec("P")


def polled_order(node: object, order_id: str | None, version: object) -> RawEvent:
    """The inbox event of one order's JSON; the same state always has the same key."""
    body = msgspec.json.encode(node, order="sorted")
    at = version if instant(version) is not None else "unreadable"
    return RawEvent(f"order:{order_id or 'unreadable'}:{at}:{hashlib.sha256(body).hexdigest()[:16]}", POLL_TOPIC, body)


def understood(read: Callable[P, News], *args: P.args, **kwargs: P.kwargs) -> News:
    """What `read` makes of an event. Total: what cannot be read is Malformed."""
    try:
        return read(*args, **kwargs)
    except Unreadable as err:
        return Malformed(err.problem)
    except Exception as err:  # noqa: BLE001 - one bad body must not stop the others, whatever it holds
        return Malformed(_problem_of(err))


def _problem_of(err: Exception) -> Problem:
    if isinstance(err, msgspec.ValidationError):  # its text names types and the path, never values
        reason, _, path = str(err).partition(" - at `$.")
        return Problem(path.rstrip("`") or "body", reason)
    return Problem("body", type(err).__name__)

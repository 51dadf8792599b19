"""What an inbox event means, by its topic. Pure and total."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from adapters.amazon.notification import news_of
from adapters.amazon.order_reader import POLL_TOPIC
from adapters.amazon.order_wire import order_of
from adapters.amazon.values import Unreadable
from adapters.contract import Ignored, Malformed, News, Problem, RawEvent

NOTIFICATION_TOPIC = "sqs/notification"
UNREADABLE_TOPIC = "sqs/unreadable"


def resolve(event: RawEvent) -> News:
    reader = _READERS.get(event.topic)
    if reader is None:
        return Ignored(f"topic {event.topic or 'missing'}")
    try:
        return reader(event.body)
    except Unreadable as err:
        return Malformed(err.problem)
    except Exception as err:  # noqa: BLE001 - one bad body must not stop the others, whatever it holds
        return Malformed(_problem_of(err))


def _unreadable(body: bytes) -> News:
    raise Unreadable("message", "not a notification of Amazon's; see what else writes to this queue")


def _problem_of(err: Exception) -> Problem:
    if isinstance(err, msgspec.ValidationError):  # its text names types and the path, never values
        reason, _, path = str(err).partition(" - at `$.")
        return Problem(path.rstrip("`") or "body", reason)
    return Problem("body", type(err).__name__)


_READERS: Mapping[str, Callable[[bytes], News]] = {
    POLL_TOPIC: order_of,
    NOTIFICATION_TOPIC: news_of,
    UNREADABLE_TOPIC: _unreadable,
}

"""What an inbox event means, by its topic. Pure and total."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.amazon.notification import news_of
from adapters.amazon.order_wire import order_of
from adapters.contract import Ignored, News, RawEvent
from adapters.events import POLL_TOPIC, understood
from adapters.reading import Unreadable

NOTIFICATION_TOPIC = "sqs/notification"
UNREADABLE_TOPIC = "sqs/unreadable"


def resolve(event: RawEvent) -> News:
    reader = _READERS.get(event.topic)
    if reader is None:
        return Ignored(f"topic {event.topic or 'missing'}")
    return understood(reader, event.body)


def _unreadable(body: bytes) -> News:
    raise Unreadable("message", "not a notification of Amazon's; see what else writes to this queue")


_READERS: Mapping[str, Callable[[bytes], News]] = {
    POLL_TOPIC: order_of,
    NOTIFICATION_TOPIC: news_of,
    UNREADABLE_TOPIC: _unreadable,
}

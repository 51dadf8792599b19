"""A standard queue: at least once, in no promised order, hidden for a while once handed over."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from adapters.contract import Clock, Rng

RETENTION = timedelta(days=4)  # what SQS keeps a message for unless told otherwise
VISIBILITY_S = 30.0


class NoSuchReceipt(Exception):
    """The handle was never given out."""


@dataclass(slots=True)
class Message:
    id: str
    body: str
    sent_at: datetime
    visible_at: datetime
    received: int = 0
    first_received_at: datetime | None = None

    @property
    def md5(self) -> str:
        return md5_of(self.body)

    @property
    def receipt(self) -> str:
        """The handle of the latest receive. Every receive gives a new one."""
        return base64.urlsafe_b64encode(f"{self.id}/{self.received}".encode()).decode()


class MessageQueue:
    """Messages by id, oldest first. Visibility and retention run on the seller's clock."""

    def __init__(self, clock: Clock, rng: Rng) -> None:
        self._clock = clock
        self._rng = rng
        self._messages: dict[str, Message] = {}
        self._came = asyncio.Event()

    def put(self, body: str) -> str:
        """The id of the new message. Whoever waits is woken."""
        now = self._clock.now()
        message = Message(str(self._rng.uuid()), body, now, now)
        self._messages[message.id] = message
        self.wake()
        return message.id

    def wake(self) -> None:
        """Have whoever waits look again."""
        self._came.set()
        self._came = asyncio.Event()

    async def something_comes(self) -> None:
        """Wait for the next message that is put, or to be woken."""
        await self._came.wait()

    def take(self, limit: int, hidden_s: float, *, shuffled: bool) -> list[Message]:
        """Up to so many visible messages, hidden from now on for so long."""
        now = self._clock.now()
        self._forget(now)
        visible = (message for message in self._messages.values() if message.visible_at <= now)
        drawn = sorted(visible, key=lambda _: self._rng.random()) if shuffled else visible
        taken = list(islice(drawn, limit))
        for message in taken:
            message.received += 1
            message.first_received_at = message.first_received_at or now
            message.visible_at = now + timedelta(seconds=hidden_s)
        return taken

    def delete(self, receipt: str) -> None:
        """Delete by the latest handle. An older one changes nothing, and neither does deleting twice."""
        try:
            message_id, _, received = base64.urlsafe_b64decode(receipt).decode().rpartition("/")
            number = int(received)
        except ValueError:
            raise NoSuchReceipt from None
        message = self._messages.get(message_id)
        if message is not None and message.received == number:
            del self._messages[message_id]

    def counts(self) -> tuple[int, int]:
        """(visible, hidden)."""
        now = self._clock.now()
        hidden = sum(message.visible_at > now for message in self._messages.values())
        return len(self._messages) - hidden, hidden

    def __len__(self) -> int:
        return len(self._messages)

    def _forget(self, now: datetime) -> None:
        while self._messages:
            oldest = next(iter(self._messages.values()))
            if now - oldest.sent_at < RETENTION:
                return
            del self._messages[oldest.id]


def md5_of(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

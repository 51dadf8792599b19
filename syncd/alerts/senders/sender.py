"""What every sender does, and the four ways in which sending fails."""

from __future__ import annotations

from typing import Protocol

from syncd.errors import SyncdError


class SendFailed(SyncdError):
    """A message did not get through; `reason` is for people and holds no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotNow(SendFailed):
    """The service cannot take it now; try again, after `retry_after_s` real seconds where it says so."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class RouteDead(SendFailed):
    """Nothing gets through until a person acts: the address is gone, or the key is refused."""


class Unsendable(SendFailed):
    """This message will never be taken; others may."""


class Refused(SendFailed):
    """This message is not taken as things are, and may be later; others may be taken now."""


class Sender(Protocol):
    """Sends bodies as the outbox keeps them. `gap_s`: real seconds between two messages that the service asks for."""

    gap_s: float

    async def send(self, key: str, body: str) -> str:
        """Send once; what the service answered, in a few words. Raises one of the four `SendFailed`."""
        ...

    async def close(self) -> None: ...

"""Services that answer 200 to everything and say in the body, by a code, what became of a message."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import httpx

from syncd.alerts.senders.post import failure, short
from syncd.alerts.senders.sender import NotNow, RouteDead, Unsendable


@dataclass(frozen=True, slots=True)
class Codes:
    """What a service's codes mean; 0 is success, and any that is not named may pass by itself."""

    service: str
    field: str
    dead: Collection[object]  # nothing gets through on this route any more
    bad: Collection[object]  # this message never will
    too_fast: Collection[object]
    pause_s: float  # after one of these

    def judged(self, answer: httpx.Response, code: object, message: object) -> str:
        """What was said of a message that was taken. Raises SendFailed."""
        if code == 0:
            return f"{self.field} 0"
        if code is None:
            raise failure(answer) or NotNow(f"an answer that is none of {self.service}'s")
        reason = f"{self.field} {code}: {short(message)}"
        if code in self.dead:
            raise RouteDead(reason)
        if code in self.bad:
            raise Unsendable(reason)
        raise NotNow(reason, self.pause_s if code in self.too_fast else None)

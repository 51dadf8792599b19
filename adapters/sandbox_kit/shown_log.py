"""What every listing has shown, change by change: the truth for whoever judges afterwards what was written when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from aiohttp import web

from adapters.sandbox_kit.control_input import BadInput

PAGE = 2000


class Why(StrEnum):
    """What changed a listing's number."""

    OPENING = "opening"
    SALE = "sale"
    CANCELLATION = "cancellation"
    EDIT = "edit"
    REFUND = "refund"
    WRITE = "write"  # through the vendor's API
    HAND = "hand"


@dataclass(frozen=True, slots=True)
class Shown:
    """One change, or a write that changed nothing. `number` counts a sandbox's changes in their order, from 1.

    `ref` is the order's id, or the key or number of the write. A write that is accepted first and takes effect at `at`
    has `accepted_at`; any other takes effect when it is accepted.
    """

    number: int
    at: datetime
    channel_sku: str
    channel_location: str
    before: int
    after: int
    why: Why
    ref: str = ""
    accepted_at: datetime | None = None

    def report(self) -> dict[str, Any]:
        told = {
            "number": self.number,
            "at": self.at.isoformat(),
            "channel_sku": self.channel_sku,
            "channel_location": self.channel_location,
            "before": self.before,
            "after": self.after,
            "why": self.why.value,
            "ref": self.ref,
        }
        return told | ({"accepted_at": self.accepted_at.isoformat()} if self.accepted_at else {})


class ShownLog:
    """The changes of one sandbox since it opened, in the order in which shoppers saw them."""

    def __init__(self) -> None:
        self._changes: list[Shown] = []

    def note(
        self,
        at: datetime,
        listing: tuple[str, str],
        before: int,
        after: int,
        why: Why,
        ref: str = "",
        accepted_at: datetime | None = None,
    ) -> None:
        """A listing, by (channel_sku, channel_location), shows `after` from now on. Only a write may change nothing."""
        if before != after or why in (Why.WRITE, Why.OPENING):
            number = len(self._changes) + 1
            self._changes.append(Shown(number, at, *listing, before, after, why, ref, accepted_at))

    def since(self, number: int, most: int | None = None) -> Sequence[Shown]:
        """The changes after that one."""
        return self._changes[number : None if most is None else number + most]

    async def answer(self, request: web.Request) -> web.Response:
        """GET shown?after=N: the next changes after the Nth, and whether there are more."""
        text = request.query.get("after", "0")
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise BadInput("after", "is not the number of a change", "give the last number you have, or 0")
        changes = self.since(int(text), PAGE)
        more = int(text) + len(changes) < len(self._changes)
        return web.json_response({"changes": [each.report() for each in changes], "more": more})

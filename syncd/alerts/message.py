"""A message to people, before any chat service's markup: what every sender makes its own form of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import msgspec

_ELLIPSIS: Final = "…"


class Tone(StrEnum):
    """What a message looks like: how bad it is, or that it is over."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    GOOD = "good"


MARKS: Final = {Tone.CRITICAL: "🔴", Tone.WARNING: "🟠", Tone.INFO: "🔵", Tone.GOOD: "✅"}


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Message:
    """Paragraphs, then items with the worst first, then what to do. `more` items are left out, as `more_text` says."""

    tone: Tone
    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    more: int = 0
    more_text: str = "… {n}"
    closing: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def marked_title(self) -> str:
        return f"{MARKS[self.tone]} {self.title}"

    @property
    def listed(self) -> tuple[str, ...]:
        """The items, with a line for those left out."""
        return (*self.items, self.more_text.format(n=self.more)) if self.more else self.items


def plain_text(message: Message) -> str:
    """The body as plain text, without its title."""
    parts = ["\n".join(message.paragraphs), "\n".join(f"- {item}" for item in message.listed)]
    parts += ["\n".join(message.closing), "\n".join(f"{link.label}: {link.url}" for link in message.links)]
    return "\n\n".join(part for part in parts if part)


def fitted(message: Message, size: Callable[[Message], int], limit: int) -> Message:
    """The message cut until `size` of it is within `limit`: the last items go first, then the texts are shortened."""
    if size(message) <= limit:
        return message
    fewest, most = 0, len(message.items)  # the largest number of items that fits lies between them
    while fewest < most:
        kept = (fewest + most + 1) // 2
        if size(_with_items(message, kept)) <= limit:
            fewest = kept
        else:
            most = kept - 1
    message = _with_items(message, fewest)
    longest = max(map(len, (*message.paragraphs, *message.closing, message.title)), default=0)
    while size(message) > limit and longest > 1:
        longest //= 2
        message = replace(
            message,
            title=shortened(message.title, longest),
            paragraphs=tuple(shortened(each, longest) for each in message.paragraphs),
            closing=tuple(shortened(each, longest) for each in message.closing),
        )
    return message


def shortened(text: str, most: int) -> str:
    """At most so many characters, with an ellipsis where something was cut off."""
    return text if len(text) <= most else text[: max(0, most - 1)] + _ELLIPSIS


def _with_items(message: Message, kept: int) -> Message:
    return replace(message, items=message.items[:kept], more=message.more + len(message.items) - kept)


def to_json(message: Message) -> str:
    return msgspec.json.encode(message).decode()


def from_json(body: str) -> Message:
    return msgspec.json.decode(body, type=Message)

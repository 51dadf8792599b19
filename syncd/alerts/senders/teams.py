"""Microsoft Teams by its Workflows app: an Adaptive Card to "When a Teams webhook request is received".

Sources: learn.microsoft.com "Create incoming webhooks with Workflows" and "Create and send messages" (a message with
one attachment of type adaptive card, 28 KB, four requests a second, 202 when it was taken), "Text features in Adaptive
Cards" (a subset of Markdown in text blocks, none in text runs).
"""

from __future__ import annotations

from typing import Any, Final

import httpx

from syncd.alerts.message import Message, Tone, fitted, from_json
from syncd.alerts.senders.post import Poster, as_json, failure, short, told

_BYTES: Final = 27_000
_COLOURS: Final = {Tone.CRITICAL: "Attention", Tone.WARNING: "Warning", Tone.INFO: "Default", Tone.GOOD: "Good"}


class Teams:
    """One workflow's address."""

    gap_s = 1.0

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._poster = Poster(url, transport)

    async def send(self, key: str, body: str) -> str:
        answer = await self._poster.post(as_json(payload(from_json(body))))
        error = told(answer).get("error")
        failed = failure(answer, short(error.get("code", "")) if isinstance(error, dict) else "")
        if failed is not None:
            raise failed
        return f"HTTP {answer.status_code}"

    async def close(self) -> None:
        await self._poster.close()


def payload(message: Message) -> dict[str, Any]:
    return _payload(fitted(message, lambda each: len(as_json(_payload(each))), _BYTES))


def _payload(message: Message) -> dict[str, Any]:
    title = {**_run(message.marked_title), "weight": "Bolder", "size": "Large", "color": _COLOURS[message.tone]}
    body = [_block(title)]
    body += [_block(_run(text)) for text in message.paragraphs]
    body += [_block(_run(f"• {item}")) for item in message.listed]
    body += [_block({**_run(text), "weight": "Bolder"}) for text in message.closing]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    if message.links:
        card["actions"] = [{"type": "Action.OpenUrl", "title": each.label, "url": each.url} for each in message.links]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _run(text: str) -> dict[str, Any]:
    """A text run is shown as it is, where a text block would be read as Markdown."""
    return {"type": "TextRun", "text": text}


def _block(run: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [run]}

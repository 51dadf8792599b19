"""Slack's incoming webhooks: rich text blocks, whose texts are taken as they are.

Sources: docs.slack.dev "Sending messages using incoming webhooks" (errors as plain text with 400, 403, 404 and 410),
"Rate limits" (one message a second, 429 with Retry-After), "Block Kit: rich text block" and "header block" (150
characters).
"""

from __future__ import annotations

from typing import Any, Final

import httpx

from syncd.alerts.message import Message, fitted, from_json, plain_text, shortened
from syncd.alerts.senders.post import Poster, as_json, failure, short
from syncd.alerts.senders.sender import RouteDead

_TITLE: Final = 150
_TEXT: Final = 2_900
_DEAD: Final = frozenset(
    (
        "no_service",
        "no_service_id",
        "no_team",
        "team_disabled",
        "invalid_token",
        "no_active_hooks",
        "channel_not_found",
        "channel_is_archived",
        "action_prohibited",
        "posting_to_general_channel_denied",
        "user_not_found",
    )
)


class Slack:
    """One channel's incoming webhook."""

    gap_s = 1.0

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._poster = Poster(url, transport)

    async def send(self, key: str, body: str) -> str:
        answer = await self._poster.post(as_json(payload(from_json(body))))
        said = short(answer.text)
        if said in _DEAD:
            raise RouteDead(f"HTTP {answer.status_code}: {said}")
        failed = failure(answer, said)
        if failed is not None:
            raise failed
        return said or "ok"

    async def close(self) -> None:
        await self._poster.close()


def payload(message: Message) -> dict[str, Any]:
    """`text` is what a notification shows; only there is anything of Slack's markup to escape."""
    message = fitted(message, lambda each: len(plain_text(each)), _TEXT)
    title = shortened(message.marked_title, _TITLE)
    elements = [_section("\n".join(message.paragraphs))] if message.paragraphs else []
    if message.listed:
        items = [_section(item) for item in message.listed]
        elements.append({"type": "rich_text_list", "style": "bullet", "elements": items})
    if message.closing:
        elements.append(_section("\n".join(message.closing)))
    if message.links:
        elements.append({"type": "rich_text_section", "elements": _links(message)})
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}},
    ]
    if elements:
        blocks.append({"type": "rich_text", "elements": elements})
    return {"text": escaped(title), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(text: str) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}


def _links(message: Message) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for link in message.links:
        if parts:
            parts.append({"type": "text", "text": " · "})
        parts.append({"type": "link", "url": link.url, "text": link.label})
    return parts

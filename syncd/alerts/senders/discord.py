"""Discord's webhooks: one embed, and nobody is ever mentioned.

Sources: docs.discord.com "Webhook: Execute Webhook" (wait, allowed_mentions, 404 when it was deleted), "Embed limits"
(title 256, description 4096, 6000 together), "Rate limits" (429 with retry_after in seconds).
"""

from __future__ import annotations

import re
from typing import Any, Final

import httpx

from syncd.alerts.message import Message, Tone, fitted, from_json, shortened
from syncd.alerts.senders.post import Poster, as_json, failure, retry_after_s, short, told
from syncd.alerts.senders.sender import NotNow

_TITLE: Final = 256
_TEXT: Final = 4_000
_COLOURS: Final = {Tone.CRITICAL: 0xD92D20, Tone.WARNING: 0xF79009, Tone.INFO: 0x2E90FA, Tone.GOOD: 0x12B76A}
_MARKUP: Final = re.compile(r"([\\*_`~|>#\[\]()<@:-])")


class Discord:
    """One channel's webhook."""

    gap_s = 2.0  # 30 a minute

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._poster = Poster(url, transport)

    async def send(self, key: str, body: str) -> str:
        answer = await self._poster.post(as_json(payload(from_json(body))), params={"wait": "true"})
        said = told(answer)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            wait_s = said.get("retry_after", answer.headers.get("Retry-After"))
            raise NotNow("HTTP 429: too many messages", retry_after_s(wait_s))
        failed = failure(answer, short(said.get("message", "")))
        if failed is not None:
            raise failed
        return f"message {said.get('id', '?')}"

    async def close(self) -> None:
        await self._poster.close()


def payload(message: Message) -> dict[str, Any]:
    message = fitted(message, lambda each: len(_markdown(each)), _TEXT)
    embed = {
        "title": shortened(message.marked_title, _TITLE),
        "description": _markdown(message),
        "color": _COLOURS[message.tone],
    }
    return {"username": "syncd", "embeds": [embed], "allowed_mentions": {"parse": []}}


def escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)


def _markdown(message: Message) -> str:
    parts = ["\n".join(escaped(text) for text in message.paragraphs)]
    parts += ["\n".join(f"• {escaped(item)}" for item in message.listed)]
    parts += ["\n".join(f"**{escaped(text)}**" for text in message.closing)]
    parts += [" · ".join(f"[{escaped(each.label)}]({each.url})" for each in message.links)]
    return "\n\n".join(part for part in parts if part)

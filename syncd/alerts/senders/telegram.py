"""Telegram's Bot API: `sendMessage` in its HTML.

Sources: core.telegram.org/bots/api "sendMessage" (4096 characters after entities), "HTML style" (only <, > and & are
escaped), "ResponseParameters" (retry_after); core.telegram.org/bots/faq (20 messages a minute to a group).
"""

from __future__ import annotations

from html import escape
from typing import Any, Final

import httpx

from syncd.alerts.message import Message, fitted, from_json
from syncd.alerts.senders.post import Poster, as_json, failure, retry_after_s, short, told
from syncd.alerts.senders.sender import NotNow, RouteDead

API: Final = "https://api.telegram.org"
_UNITS: Final = 4_000  # UTF-16 units, tags counted too
_DEAD: Final = ("chat not found", "upgraded to a supergroup", "rights", "topic", "thread not found", "user not found")


class Telegram:
    """One bot in one chat."""

    gap_s = 3.0

    def __init__(
        self, token: str, chat_id: str, api_url: str = API, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._chat_id = chat_id
        self._poster = Poster(f"{api_url}/bot{token}/sendMessage", transport)

    async def send(self, key: str, body: str) -> str:
        answer = await self._poster.post(as_json(payload(from_json(body), self._chat_id)))
        said = told(answer)
        if said.get("ok") is True:
            return f"message {said.get('result', {}).get('message_id', '?')}"
        reason = short(said.get("description", ""))
        parameters = said.get("parameters") or {}
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise NotNow(reason or "HTTP 429", retry_after_s(parameters.get("retry_after")))
        if answer.status_code == httpx.codes.BAD_REQUEST and any(word in reason.lower() for word in _DEAD):
            raise RouteDead(reason)
        raise failure(answer, reason) or NotNow("an answer that is none of Telegram's")

    async def close(self) -> None:
        await self._poster.close()


def payload(message: Message, chat_id: str) -> dict[str, Any]:
    text = _html(fitted(message, lambda each: len(_html(each).encode("utf-16-le")) // 2, _UNITS))
    return {"chat_id": chat_id, "text": text, "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}


def _html(message: Message) -> str:
    parts = [f"<b>{escape(message.marked_title, quote=False)}</b>"]
    parts += ["\n".join(escape(text, quote=False) for text in message.paragraphs)]
    parts += ["\n".join(f"• {escape(item, quote=False)}" for item in message.listed)]
    parts += ["\n".join(f"<b>{escape(text, quote=False)}</b>" for text in message.closing)]
    links = (f'<a href="{escape(each.url)}">{escape(each.label, quote=False)}</a>' for each in message.links)
    return "\n\n".join(part for part in (*parts, " · ".join(links)) if part)

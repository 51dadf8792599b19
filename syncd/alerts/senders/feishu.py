"""Feishu's and Lark's custom bots: a card of plain texts, signed; whether it was taken stands in `code` of the answer.

Sources: open.feishu.cn "Custom bot usage guide" (20 KB, 100 messages a minute and 5 a second, 11232 when more; the
sign is HMAC-SHA256 of nothing by timestamp in seconds, line feed and secret; 19021 sign, 19022 address, 19024 keyword,
19001 no such bot, 9499 bad request).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any, Final

import httpx

from adapters.contract import Clock
from syncd.alerts.message import Message, Tone, fitted, from_json
from syncd.alerts.senders.codes import Codes
from syncd.alerts.senders.post import Poster, as_json, told

_BYTES: Final = 18_000
_COLOURS: Final = {Tone.CRITICAL: "red", Tone.WARNING: "orange", Tone.INFO: "blue", Tone.GOOD: "green"}
_CODES: Final = Codes(
    service="Feishu",
    field="code",
    dead=frozenset((19001, 19021, 19022, 19024)),
    bad=frozenset((9499, 11246, 19002)),
    too_fast=frozenset((11232, 99991400)),
    pause_s=10.0,
)


class Feishu:
    """One bot in one chat. Without `secret` it must be let in by a keyword or an address."""

    gap_s = 0.7

    def __init__(
        self, url: str, secret: str | None, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._secret = secret
        self._clock = clock
        self._poster = Poster(url, transport)

    async def send(self, key: str, body: str) -> str:
        signed = {}
        if self._secret is not None:
            seconds = int(self._clock.now().timestamp())
            signed = {"timestamp": str(seconds), "sign": signature(self._secret, seconds)}
        answer = await self._poster.post(as_json({**signed, **payload(from_json(body))}))
        said = told(answer)
        return _CODES.judged(answer, said.get("code", said.get("StatusCode")), said.get("msg", ""))

    async def close(self) -> None:
        await self._poster.close()


def signature(secret: str, seconds: int) -> str:
    digest = hmac.new(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def payload(message: Message) -> dict[str, Any]:
    return _card(fitted(message, lambda each: len(as_json(_card(each))), _BYTES))


def _card(message: Message) -> dict[str, Any]:
    """Plain texts only: there is no markup to escape in them."""
    texts = ["\n".join(message.paragraphs), "\n".join(f"• {item}" for item in message.listed)]
    texts.append("\n".join(message.closing))
    elements: list[dict[str, Any]] = [{"tag": "div", "text": _plain(text)} for text in texts if text]
    if message.links:
        buttons = [
            {"tag": "button", "text": _plain(each.label), "url": each.url, "type": "default"} for each in message.links
        ]
        elements.append({"tag": "action", "actions": buttons})
    header = {"title": _plain(message.marked_title), "template": _COLOURS[message.tone]}
    return {
        "msg_type": "interactive",
        "card": {"config": {"wide_screen_mode": True}, "header": header, "elements": elements},
    }


def _plain(text: str) -> dict[str, str]:
    return {"tag": "plain_text", "content": text}

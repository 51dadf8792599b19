"""DingTalk's custom robots: Markdown, signed; whether it was taken stands in `errcode` of an answer with status 200.

Sources: open.dingtalk.com "Custom robot access" (20 messages a minute, else none for ten minutes), "Custom robots:
security settings" (timestamp in milliseconds, HMAC-SHA256 of timestamp, line feed and secret, by the secret), "error
codes of robots" (130101, 300001, 310000, 400101 and others).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Any, Final

import httpx

from adapters.contract import Clock
from syncd.alerts.message import Message, fitted, from_json, shortened
from syncd.alerts.senders.codes import Codes
from syncd.alerts.senders.post import Poster, as_json, told

_BYTES: Final = 18_000
_TITLE: Final = 100
_CODES: Final = Codes(
    service="DingTalk",
    field="errcode",
    dead=frozenset((300001, 310000, 400013, 400101, 400102, 400106)),
    bad=frozenset((40035, 43004, 400105, 430101, 430102, 430103, 430104, 460101)),
    too_fast=frozenset((130101, 410100)),
    pause_s=60.0,
)
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()#+!|<>~-])")


class DingTalk:
    """One robot. Without `secret` it must be let in by a keyword or an address."""

    gap_s = 3.1

    def __init__(
        self, url: str, secret: str | None, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._secret = secret
        self._clock = clock
        self._poster = Poster(url, transport)

    async def send(self, key: str, body: str) -> str:
        params = None
        if self._secret is not None:
            millis = round(self._clock.now().timestamp() * 1000)
            params = {"timestamp": str(millis), "sign": signature(self._secret, millis)}
        answer = await self._poster.post(as_json(payload(from_json(body))), params=params)
        said = told(answer)
        return _CODES.judged(answer, said.get("errcode"), said.get("errmsg", ""))

    async def close(self) -> None:
        await self._poster.close()


def signature(secret: str, millis: int) -> str:
    """Base64, not yet escaped for a URL."""
    digest = hmac.new(secret.encode(), f"{millis}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def payload(message: Message) -> dict[str, Any]:
    message = fitted(message, lambda each: len(_markdown(each).encode()), _BYTES)
    return {
        "msgtype": "markdown",
        "markdown": {"title": shortened(message.marked_title, _TITLE), "text": _markdown(message)},
    }


def escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)


def _markdown(message: Message) -> str:
    """A line ends by two line feeds: DingTalk runs single ones together."""
    lines = [f"### {escaped(message.marked_title)}"]
    lines += [escaped(text) for text in message.paragraphs]
    lines += ["\n".join(f"- {escaped(item)}" for item in message.listed)]
    lines += [f"**{escaped(text)}**" for text in message.closing]
    lines += [" · ".join(f"[{escaped(each.label)}]({each.url})" for each in message.links)]
    return "\n\n".join(line for line in lines if line)

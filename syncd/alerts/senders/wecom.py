"""WeCom's group robots: Markdown of at most 4096 bytes; whether it was taken stands in `errcode` of a 200.

Sources: developer.work.weixin.qq.com "Group robots" (path 91770: markdown, 4096 bytes of UTF-8, 20 messages a minute)
and "Global error codes" (path 90313: 45009 too often, 93000 no such robot, 93008 not in the group).
"""

from __future__ import annotations

from typing import Any, Final

import httpx

from syncd.alerts.message import Message, fitted, from_json
from syncd.alerts.senders.codes import Codes
from syncd.alerts.senders.post import Poster, as_json, told

_BYTES: Final = 4_000
_CODES: Final = Codes(
    service="WeCom",
    field="errcode",
    dead=frozenset((93000, 93008, 93004, 40001, 40014, 60020)),
    bad=frozenset((40008, 40058, 44004, 45002, 40035)),
    too_fast=frozenset((45009, 45033)),
    pause_s=60.0,
)
# Its Markdown knows no escape: what it would take for markup is written in full width.
_WIDE: Final = str.maketrans({"<": "＜", ">": "＞", "[": "［", "]": "］", "*": "＊", "`": "｀", "#": "＃"})


class WeCom:
    """One group's robot."""

    gap_s = 3.1

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._poster = Poster(url, transport)

    async def send(self, key: str, body: str) -> str:
        answer = await self._poster.post(as_json(payload(from_json(body))))
        said = told(answer)
        return _CODES.judged(answer, said.get("errcode"), said.get("errmsg", ""))

    async def close(self) -> None:
        await self._poster.close()


def payload(message: Message) -> dict[str, Any]:
    message = fitted(message, lambda each: len(_markdown(each).encode()), _BYTES)
    return {"msgtype": "markdown", "markdown": {"content": _markdown(message)}}


def escaped(text: str) -> str:
    return text.translate(_WIDE)


def _markdown(message: Message) -> str:
    parts = [f"**{escaped(message.marked_title)}**"]
    parts += ["\n".join(escaped(text) for text in message.paragraphs)]
    parts += ["\n".join(f"> {escaped(item)}" for item in message.listed)]
    parts += ["\n".join(f"**{escaped(text)}**" for text in message.closing)]
    parts += [" ".join(f"[{escaped(each.label)}]({each.url})" for each in message.links)]
    return "\n".join(part for part in parts if part)

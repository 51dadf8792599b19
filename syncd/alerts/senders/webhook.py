"""Outgoing webhooks by the Standard Webhooks scheme: the body as it is stored, signed anew for every attempt.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md (webhook-id, webhook-timestamp,
webhook-signature "v1," and base64 of HMAC-SHA256 over id.timestamp.body; secrets of 24 to 64 bytes after whsec_; any
2xx is success, 410 means never again, all else is tried again). A 4xx is about this one event and holds up no other.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

import httpx

from adapters.contract import Clock
from syncd.alerts.senders.post import LATER, Poster, retry_after_s
from syncd.alerts.senders.sender import NotNow, Refused, RouteDead

PREFIX: Final = "whsec_"


class Webhook:
    """One endpoint of the seller's. Raises ValueError for a secret that cannot sign."""

    gap_s = 0.0

    def __init__(self, url: str, secret: str, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._key = signing_key(secret)
        self._clock = clock
        self._poster = Poster(url, transport)

    async def send(self, key: str, body: str) -> str:
        content = body.encode()
        seconds = int(self._clock.now().timestamp())
        headers = {
            "webhook-id": key,
            "webhook-timestamp": str(seconds),
            "webhook-signature": signature(self._key, key, seconds, content),
        }
        answer = await self._poster.post(content, headers=headers)
        text = f"HTTP {answer.status_code}"
        if answer.is_success:
            return text
        if answer.status_code == httpx.codes.GONE:
            raise RouteDead(text)
        if answer.is_client_error and answer.status_code not in LATER:
            raise Refused(text)
        raise NotNow(text, retry_after_s(answer.headers.get("Retry-After")))

    async def close(self) -> None:
        await self._poster.close()


def signing_key(secret: str) -> bytes:
    """The bytes that sign. Raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError(
            "the signing secret must be whsec_ and base64 of 24 to 64 bytes: echo whsec_$(openssl rand -base64 32)"
        )
    return key


def signature(key: bytes, message_id: str, seconds: int, content: bytes) -> str:
    signed = b".".join([message_id.encode(), str(seconds).encode(), content])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()

"""POST to a chat service by httpx: bounded in real time, its status told as one of three failures, no secret shown."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec

from syncd.alerts.senders.sender import NotNow, RouteDead, SendFailed, Unsendable

WITHIN_S: Final = 15.0
_TOLD: Final = 200
_LONGEST_WAIT_S: Final = 3600.0
_GONE: Final = frozenset((401, 403, 404, 405, 410))
LATER: Final = frozenset((408, 425, 429))


class Poster:
    """One client a route. The address may hold a secret: it is in no error."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url
        timeout = httpx.Timeout(WITHIN_S, connect=WITHIN_S / 2)
        self._client = httpx.AsyncClient(timeout=timeout, transport=transport, headers={"User-Agent": "syncd"})

    async def post(
        self, content: bytes, *, headers: Mapping[str, str] | None = None, params: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """The answer, whatever its status. Raises NotNow when there is none, RouteDead for an address that is none."""
        try:
            url = httpx.URL(self._url)
            if params:
                url = url.copy_merge_params(dict(params))
            async with asyncio.timeout(WITHIN_S):  # httpx bounds each read, not their sum
                return await self._client.post(
                    url, content=content, headers={"Content-Type": "application/json", **(headers or {})}
                )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError):
            raise RouteDead("the address is not one") from None
        except (httpx.HTTPError, OSError) as err:  # OSError covers TimeoutError; the text could quote the address
            raise NotNow(f"no answer ({type(err).__name__})") from None

    async def close(self) -> None:
        await self._client.aclose()


def as_json(payload: object) -> bytes:
    return msgspec.json.encode(payload)


def told(answer: httpx.Response) -> dict[str, Any]:
    """What a service says in JSON; empty where it says nothing readable."""
    try:
        said = msgspec.json.decode(answer.content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def failure(answer: httpx.Response, reason: str = "") -> SendFailed | None:
    """What a status means, when nothing more is known of it; None for success."""
    status = answer.status_code
    if answer.is_success:
        return None
    text = f"HTTP {status}" + (f": {short(reason)}" if reason else "")
    if status in LATER or status >= 500:
        return NotNow(text, retry_after_s(answer.headers.get("Retry-After")))
    if status in _GONE or answer.is_redirect:
        return RouteDead(text)
    return Unsendable(text)


def retry_after_s(told: object) -> float | None:
    """Real seconds that a service asks us to wait; None when it says nothing usable."""
    try:
        seconds = float(str(told))
    except ValueError:
        return None
    return min(_LONGEST_WAIT_S, max(0.0, seconds)) if math.isfinite(seconds) else None


def short(text: object) -> str:
    """A service's own words in one line."""
    return " ".join(str(text).split())[:_TOLD]

"""Look at an address as a stranger would, without credentials: who answers there, and what time it is for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

_WITHIN_REAL_S = 10.0
_MOST = 4096


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer, or why there was none. `at` is the answering clock's time, `location` where a redirect points to."""

    status: int | None
    body: bytes = b""
    at: datetime | None = None
    location: str | None = None
    problem: str | None = None


async def look(url: str, transport: httpx.AsyncBaseTransport | None = None) -> Seen:
    """GET this address once, following no redirect, reading no more than the beginning. Never raises for an answer."""
    timeout = httpx.Timeout(_WITHIN_REAL_S)
    try:
        async with (
            httpx.AsyncClient(timeout=timeout, transport=transport, headers={"User-Agent": "syncd"}) as client,
            client.stream("GET", url) as answer,
        ):
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) >= _MOST:
                    break
            return Seen(answer.status_code, body[:_MOST], _date(answer), answer.headers.get("Location"))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as err:
        return Seen(None, problem=_problem(err))


def _date(answer: httpx.Response) -> datetime | None:
    try:
        at = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _problem(err: Exception) -> str:
    """Why nothing came, in few words: the text of an error names the host at most."""
    text = str(err)
    if "CERTIFICATE" in text.upper() or "SSL" in text.upper():
        return "its certificate is not trusted"
    if isinstance(err, httpx.TimeoutException):
        return "no answer came in time"
    if "Name or service not known" in text or "nodename nor servname" in text or "No address" in text:
        return "its name is not known to the DNS"
    if isinstance(err, httpx.ConnectError):
        return "nothing listens there"
    return type(err).__name__

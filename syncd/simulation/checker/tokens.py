"""One token request at a time: whoever finds a token dead waits for the one who fetches the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from types import MappingProxyType
from typing import Final

import httpx

from syncd.simulation.checker.verdict import Verdict

RULE: Final = "tokens.at_once"
_AT_ONCE: Final = MappingProxyType({"/auth/o2/token": 2})
"""An Amazon account and its FBA stock have a token each."""


class TokenRequests:
    """Watches the wire: of one life of the daemon no two requests for the same token may be under way."""

    def __init__(self, now: Callable[[], datetime], verdict: Verdict) -> None:
        self._now = now
        self._verdict = verdict
        self._under_way: Counter[tuple[str, str, bytes]] = Counter()

    def begun(self, client: str | None, request: httpx.Request) -> None:
        if client is None or not _asks_for_token(request):
            return
        asked = (client, str(request.url), request.content)
        self._under_way[asked] += 1
        at_once, path = self._under_way[asked], request.url.path
        if at_once > _AT_ONCE.get(path, 1):
            self._verdict.find(RULE, f"{client} {request.url}", self._now(), f"{at_once} ask for the same token")

    def over(self, client: str | None, request: httpx.Request, response: httpx.Response | None) -> None:
        if client is not None and _asks_for_token(request):
            self._under_way[(client, str(request.url), request.content)] -= 1


def _asks_for_token(request: httpx.Request) -> bool:
    return request.method == "POST" and "token" in request.url.path and "_control" not in request.url.path

"""News of a warehouse: verified on their raw bytes, and nothing but a reason to look there now."""

from __future__ import annotations

from collections import Counter

import structlog
from aiohttp import web

from adapters.contract import Forged
from syncd.web.answers import refusal
from syncd.web.deps import WebDeps
from syncd.web.webhooks import BodyTooLarge, clean_headers, raw_body

log = structlog.get_logger(__name__)


class WarehouseNews:
    """Takes a warehouse's webhooks. Nothing is stored: what happened is polled, which loses nothing."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps
        self._forged: Counter[str] = Counter()

    async def receive(self, request: web.Request) -> web.Response:
        key = request.match_info["warehouse"]
        take = self._deps.warehouses.get(key)
        if take is None:
            return refusal(404, "no warehouse with an API has this key")
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            return refusal(415, "the body must not be compressed: its signature is over the raw bytes")
        try:
            body = await raw_body(request)
        except BodyTooLarge:
            return refusal(413, "the body is too large")
        except TimeoutError:
            return refusal(408, "the body did not arrive in time")
        except (web.RequestPayloadError, ConnectionError):
            return refusal(400, "the body broke off")
        try:
            take(clean_headers(request), body)
        except Forged:
            self._forged[key] += 1
            if self._forged[key] in (1, 10, 100) or not self._forged[key] % 1000:  # a stranger must not fill the log
                log.warning("webhook.forged", warehouse=key, so_far=self._forged[key])
            return refusal(401, "the signature does not verify")
        return web.Response()

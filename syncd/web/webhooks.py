"""Webhooks: verified on their raw bytes, durable in the inbox, then acknowledged; nothing else before the answer."""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog
from aiohttp import web

from adapters.contract import AdapterError, Forged
from syncd.insight.store import add_tallies
from syncd.orders.inbox import Arrived
from syncd.web.answers import refusal
from syncd.web.deps import WebDeps
from syncd.web.patience import Patience

log = structlog.get_logger(__name__)

BODY_LIMIT = 1024 * 1024
_RETRY_AFTER_S = 5
# Real seconds. Channels wait some five for their answer: later than that, a row that is durable is told again anyway.
_COMMIT_WITHIN_S = 4.0
_BODY_WITHIN_S = 10.0


class Webhooks:
    """Takes webhooks in. What is forged is counted in memory alone, until `flush_counts` writes the sums."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps
        self._forged: Counter[str] = Counter()
        self._inbox_down = False
        self._patience = Patience()

    async def receive(self, request: web.Request) -> web.Response:
        account = request.match_info["account"]
        known = self._deps.accounts.get(account)
        if known is None:
            return refusal(404, "no account has this key")
        account_id, channel = known
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            return refusal(415, "the body must not be compressed: its signature is over the raw bytes")
        try:
            body = await raw_body(request)
        except BodyTooLarge:
            return refusal(413, f"the body is larger than {BODY_LIMIT} bytes")
        except TimeoutError:
            return refusal(408, "the body did not arrive in time")
        except (web.RequestPayloadError, ConnectionError):
            return refusal(400, "the body broke off")
        try:
            event = await channel.verify_webhook(clean_headers(request), body)
        except Forged:
            self._forged[account] += 1
            return refusal(401, "the signature does not verify")
        except AdapterError as err:
            log.warning("webhook.unverifiable", account=account, error=type(err).__name__, detail=str(err))
            return refusal(503, "the signature cannot be verified just now", {"Retry-After": str(_RETRY_AFTER_S)})
        return await self._store(account, Arrived(account_id, event.event_key, event.topic, "webhook", body))

    async def challenge(self, request: web.Request) -> web.Response:
        """Prove to a channel that the address it is to send its news to is ours."""
        known = self._deps.accounts.get(request.match_info["account"])
        if known is None:
            return refusal(404, "no account has this key")
        address = (
            f"{self._deps.public_url}{request.path}" if self._deps.public_url else str(request.url.with_query(None))
        )
        answer = known[1].answer_challenge(request.query, address)
        if answer is None:
            return refusal(405, "method not allowed", {"Allow": "POST"})
        return web.Response(body=answer, content_type="application/json")

    async def _store(self, account: str, arrived: Arrived) -> web.Response:
        try:
            committed = self._deps.inbox.put(arrived)
            self._patience.watch(committed, _COMMIT_WITHIN_S)
            await committed
        except Exception as err:
            if not self._inbox_down:
                log.error("inbox.down", account=account, error=type(err).__name__, exc_info=err)
            self._inbox_down = True
            return refusal(503, "the inbox cannot be written", {"Retry-After": str(_RETRY_AFTER_S)})
        if self._inbox_down:
            log.info("inbox.recovered")
        self._inbox_down = False
        return web.Response()

    async def flush_counts(self) -> None:
        """Add what was counted since the last time to the tallies, in one write; a failed one is made up for later."""
        counted, self._forged = self._forged, Counter()
        if not counted:
            return
        totals = {(f"account:{account}", "webhooks_forged"): n for account, n in counted.items()}
        try:
            await self._deps.db.transact(add_tallies, totals)
        except BaseException:
            self._forged.update(counted)
            raise
        for account, n in sorted(counted.items()):
            log.warning("webhook.forged", account=account, count=n)


class BodyTooLarge(Exception):
    """The body goes on beyond the limit."""


async def raw_body(request: web.Request) -> bytes:
    """The body as it came. A declared length is only believed when it is too large already."""
    if (request.content_length or 0) > BODY_LIMIT:
        raise BodyTooLarge
    if request.content.is_eof():  # it came with the head, as most do: there is nothing to wait for
        whole = request.content.read_nowait()
        if len(whole) > BODY_LIMIT:
            raise BodyTooLarge
        return whole
    body = bytearray()
    async with asyncio.timeout(_BODY_WITHIN_S):
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > BODY_LIMIT:
                raise BodyTooLarge
    return bytes(body)


def clean_headers(request: web.Request) -> dict[str, str]:
    """Headers as text that every database takes: one bad byte must not fail the commit of the others' rows."""
    return {
        name: value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for name, value in request.headers.items()
    }

"""One GraphQL call: token, rate budget, and Shopify's many ways of saying no.

A refusal mostly comes as HTTP 200 with `errors`; the status table is only the outer layer. Paging lives here too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TypeVar

import httpx
import msgspec
import structlog

from adapters.contract import AdapterError, AuthExpired, Clock, Rng
from adapters.http import Failure, HttpClient, Request, RetryPolicy, uncertain
from adapters.reading import shaped
from adapters.shopify.budget import Budget, ThrottleStatus
from adapters.shopify.operations import Operation
from adapters.shopify.refusals import CostTooHigh, refusal, tolerable
from adapters.shopify.settings import ShopifySettings
from adapters.tokens import Token, TokenCache

log = structlog.get_logger(__name__)
S = TypeVar("S")

# 402 frozen and 423 locked shops, 403: a person must act, and no write of ours is wrong by itself.
STATUSES: Mapping[int, Failure] = {402: Failure.AUTH, 403: Failure.AUTH, 423: Failure.AUTH}
_TOKEN_STATUSES: Mapping[int, Failure] = {400: Failure.AUTH, 401: Failure.AUTH, 403: Failure.AUTH}
_DEPTH = 20_000  # a connection ends at 25 000 objects: begin a new one before that


class Cost(msgspec.Struct, frozen=True, rename="camel"):
    throttle_status: ThrottleStatus
    requested_query_cost: float | None = None


class Extensions(msgspec.Struct, frozen=True):
    cost: Cost


class Envelope(msgspec.Struct, frozen=True):
    data: object = None
    errors: object = None
    extensions: object = None


class PageInfo(msgspec.Struct, frozen=True, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class Connection(msgspec.Struct, frozen=True, rename="camel"):
    nodes: list[object]
    page_info: PageInfo


class NodesData(msgspec.Struct, frozen=True):
    nodes: list[object]


class GrantedToken(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 86399.0


class GraphqlClient:
    """Sends operations to one shop. Raises the five adapter errors, never a GraphQL one."""

    def __init__(
        self, settings: ShopifySettings, clock: Clock, rng: Rng, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._path = f"/admin/api/{settings.api_version}/graphql.json"
        self._http = HttpClient(
            settings.base_url,
            clock=clock,
            rng=rng,
            timeout_real_s=settings.request_timeout_real_s,
            transport=transport,
            statuses=STATUSES,
        )
        self._tokens = TokenCache(self._grant, clock)
        self._budget = Budget(clock, rng)
        self._costs: dict[str, float] = {}  # the largest requested cost seen of each operation
        self.served_version: str | None = None
        self.deprecated: str | None = None

    @property
    def throttled(self) -> int:
        return self._http.throttled

    async def execute(
        self,
        operation: Operation,
        variables: Mapping[str, object],
        shape: type[S],
        judge: Callable[[S], None] | None = None,
        *,
        tolerant: bool = False,
        policy: RetryPolicy | None = None,
    ) -> S:
        """Run one operation and read its data as `shape`, repeating what had no effect.

        `judge` may raise an adapter error for what the data itself says. `tolerant`: refused fields are just null.
        """
        body = msgspec.json.encode(
            {"operationName": operation.name, "query": operation.document, "variables": variables}
        )

        async def attempt() -> S:
            cost = self._costs.get(operation.name, float(operation.cost))
            async with self._budget.admitted(cost, urgent=operation.urgent):
                data = await self._once(operation, body, cost, tolerant)
            try:
                found = msgspec.convert(data, shape)
            except msgspec.ValidationError as err:
                raise uncertain(operation.effect, f"{operation.name}: {err}") from err
            if judge is not None:
                judge(found)
            return found

        return await self._http.retry(attempt, what=operation.name, effect=operation.effect, policy=policy)

    async def pages(
        self,
        operation: Operation,
        root: str,
        variables: Mapping[str, object],
        size: int,
        narrow: Callable[[Sequence[object], str], str | None] | None = None,
        policy: RetryPolicy | None = None,
    ) -> AsyncIterator[Connection]:
        """Every page of a root connection; ending without error means that all were read.

        `narrow(nodes, query)` names a later start for the query, for connections longer than Shopify pages.
        """
        query, cursor, seen = str(variables.get("query", "")), None, 0
        while True:
            asked = {**variables, **({"query": query} if query else {}), "first": size, "after": cursor}
            try:
                page = (await self.execute(operation, asked, dict[str, Connection], policy=policy))[root]
            except CostTooHigh:
                if size == 1:
                    raise
                size //= 2
                log.warning("shopify.page_shrunk", operation=operation.name, size=size)
                continue
            except KeyError as err:
                raise uncertain(operation.effect, f"{operation.name}: no {root}") from err
            yield page
            if not page.page_info.has_next_page:
                return
            cursor, previous = page.page_info.end_cursor, cursor
            if cursor is None or cursor == previous:
                raise uncertain(operation.effect, f"{operation.name}: paging does not advance")
            seen += len(page.nodes)
            if narrow is not None and seen >= _DEPTH and (later := narrow(page.nodes, query)) is not None:
                query, cursor, seen = later, None, 0

    async def close(self) -> None:
        await self._http.close()

    async def _once(self, operation: Operation, body: bytes, cost: float, tolerant: bool) -> object:
        async def call(token: str) -> Envelope:
            headers = {"Content-Type": "application/json", "X-Shopify-Access-Token": token}
            reply = await self._http.send(Request("POST", self._path, operation.effect, headers, body))
            self._watch_version(reply.headers)
            return reply.decode(Envelope)

        envelope = await self._tokens.authorised(call)
        self._note_cost(operation, envelope.extensions, cost)
        if envelope.errors and not (envelope.data and tolerable(envelope.errors, tolerant)):
            raise self._refused(operation, envelope.errors)
        if envelope.errors:
            log.warning("shopify.fields_refused", operation=operation.name)
        return envelope.data

    def _refused(self, operation: Operation, errors: object) -> AdapterError:
        cost = self._costs.get(operation.name, float(operation.cost))
        error = refusal(errors, operation, self._budget.throttled_s(cost))
        log.info("shopify.refused", operation=operation.name, error=type(error).__name__)
        return error

    def _note_cost(self, operation: Operation, extensions: object, held: float) -> None:
        found = shaped(extensions, Extensions)
        if found is None:
            return
        self._budget.note(found.cost.throttle_status, own_cost=held)
        requested = found.cost.requested_query_cost
        if requested is not None and requested > 0:
            self._costs[operation.name] = requested

    def _watch_version(self, headers: httpx.Headers) -> None:
        """Shopify answers a version it no longer has with an older one, without an error."""
        served = headers.get("X-Shopify-API-Version")
        if served is not None and served != self.served_version:
            self.served_version = served
            if served != self._settings.api_version:
                log.error("shopify.version_changed", served=served, wanted=self._settings.api_version)
        reason = headers.get("X-Shopify-API-Deprecated-Reason")
        if reason is not None and reason != self.deprecated:
            self.deprecated = reason
            log.warning("shopify.deprecated_used", reason=reason)

    async def _grant(self) -> Token:
        """Client credentials: a 24 h token without a refresh token (shopify.dev, client credentials grant)."""
        body = msgspec.json.encode(
            {
                "client_id": self._settings.client_id,
                "client_secret": self._settings.client_secret,
                "grant_type": "client_credentials",
            }
        )
        request = Request(
            "POST",
            "/admin/oauth/access_token",
            False,  # asking twice gives two good tokens
            {"Content-Type": "application/json"},
            body,
            statuses=_TOKEN_STATUSES,
        )
        granted = (await self._http.send(request)).decode(GrantedToken)
        if not granted.access_token or not granted.expires_in > 0:
            raise AuthExpired("the shop granted no token")
        return Token(granted.access_token, granted.expires_in)

"""One REST call: token, channel, the window of calls, and ShipBob's ways of saying no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import httpx
import msgspec
import structlog

from adapters.contract import AdapterError, Clock, RateLimited, Rejected, Rng, Transient
from adapters.http import PATIENT, Failure, HttpClient, Reply, Request
from adapters.shipbob.refusals import refused, wait_s
from adapters.shipbob.settings import ShipbobSettings
from adapters.shipbob.window import Window

log = structlog.get_logger(__name__)
T = TypeVar("T")

STATUSES: Mapping[int, Failure] = {403: Failure.AUTH}  # a token without the scope: a person must act


class Rest:
    """Sends requests to one account and channel. Raises the five adapter errors."""

    def __init__(
        self, settings: ShipbobSettings, clock: Clock, rng: Rng, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._origin = httpx.URL(settings.base_url)
        self._clock = clock
        self._http = HttpClient(
            settings.base_url,
            clock=clock,
            rng=rng,
            timeout_real_s=settings.request_timeout_real_s,
            transport=transport,
            statuses=STATUSES,
            retry=PATIENT,  # nobody waits for a warehouse: a full window is up to a minute long
            sharpen=self._sharpened,
        )
        self._window = Window(clock, rng)

    @property
    def throttled(self) -> int:
        return self._http.throttled

    async def read(
        self, what: str, shape: type[T], params: Mapping[str, str] | None = None, *, urgent: bool = False
    ) -> T:
        """GET `/<version>/<what>`."""
        request = Request("GET", self._path(what), False, self._headers(), params=params)
        return await self._call(request, shape, urgent)

    async def read_page(self, address: str, shape: type[T]) -> T:
        """GET the page that an answer names by its `next`: on our host, whatever else it says."""
        return await self._call(Request("GET", self._own(address), False, self._headers()), shape, False)

    async def write(self, what: str, shape: type[T], body: object = None) -> T:
        """POST `/<version>/<what>`. Sent once, unless it surely had no effect."""
        content, headers = None, self._headers()
        if body is not None:
            content, headers["Content-Type"] = msgspec.json.encode(body), "application/json"
        return await self._call(Request("POST", self._path(what), True, headers, content), shape, True)

    async def close(self) -> None:
        await self._http.close()

    async def _call(self, request: Request, shape: type[T], urgent: bool) -> T:
        async def attempt() -> T:
            return (await self._once(request, urgent)).decode(shape)

        return await self._http.retry(attempt, what=request.what, effect=request.effect)

    async def _once(self, request: Request, urgent: bool) -> Reply:
        await self._window.enter(urgent=urgent)
        try:
            reply = await self._http.send(request)
        except RateLimited as err:
            self._window.shut(err.retry_after_s)
            raise
        self._window.note(reply.headers.get("x-remaining-calls"))
        return reply

    def _sharpened(self, request: Request, answer: httpx.Response, plain: AdapterError) -> AdapterError:
        """What the refusal says itself: the field of a 422, the seconds of a 429."""
        if isinstance(plain, RateLimited):
            return RateLimited(str(plain), wait_s(answer.headers, answer.content, self._clock.now()))
        if isinstance(plain, Rejected):
            return refused(answer.status_code, answer.content)
        return plain

    def _path(self, what: str) -> str:
        return f"/{self._settings.api_version}/{what}"

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._settings.token}",
            "shipbob_channel_id": str(self._settings.channel_id),
        }

    def _own(self, address: str) -> str:
        """The path and query of an address, which must not lead our token elsewhere."""
        try:
            target = self._origin.join(address)
        except httpx.InvalidURL as err:
            raise Transient("the address of the next page cannot be read") from err
        if target.host != self._origin.host:
            log.error("shipbob.page_elsewhere", host=target.host)
            raise Transient("the next page is said to be on another host")
        return target.raw_path.decode("ascii")

"""A channel and the sandbox behind it, with the verbs that every marketplace knows."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, ClassVar

import httpx
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.contract import Channel, ListingRef, OrderNews, OrderState, QuantityWrite, RawEvent, RowResult
from tests.contract.suite.rigs.clocks import PatientClock
from tests.support.specs.exchange import Exchange, Recorder
from tests.unit.shopify_sandbox.kit import SteppingClock

HOOK = "https://syncd.test/hook"
SHIP_TO = {"name": "Ada Lovelace", "address1": "1 Main Street", "city": "Springfield", "zip": "62701", "country": "US"}
Judge = Callable[[Sequence[Exchange]], list[str]]


class Mailbox(httpx.AsyncBaseTransport):
    """Where webhooks arrive. It proves its address to whom asks, as the daemon's web server does."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.channel: Channel | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            assert self.channel is not None
            answer = self.channel.answer_challenge(dict(request.url.params), HOOK)
            headers = {"Content-Type": "application/json"}
            return httpx.Response(200 if answer is not None else 404, headers=headers, content=answer or b"")
        self.got.append((dict(request.headers), await request.aread()))
        return httpx.Response(204)


class Counter:
    """The control face of a sandbox: its shoppers and its staff."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self._http.post(f"/_control/{path}", json=body)
        assert answer.is_success, f"{path} {body}: {answer.status_code} {answer.text}"
        told: dict[str, Any] = answer.json()
        return told

    async def answers(self, path: str, **body: Any) -> int:
        """The status alone: the sandbox may decline."""
        return (await self._http.post(f"/_control/{path}", json=body)).status_code

    async def get(self, path: str) -> dict[str, Any]:
        told: dict[str, Any] = (await self._http.get(f"/_control/{path}")).json()
        return told


async def served(stack: AsyncExitStack, app: web.Application) -> tuple[str, Counter]:
    """Serve a sandbox on loopback: its address, and its control face."""
    server = TestServer(app)
    await server.start_server()
    stack.push_async_callback(server.close)
    address = str(server.make_url("/")).rstrip("/")
    http = httpx.AsyncClient(base_url=address, trust_env=False, verify=False, timeout=30)
    stack.push_async_callback(http.aclose)
    return address, Counter(http)


class ChannelRig(ABC):
    """One account on one marketplace, its `codes` for sale.

    What the sandbox calls an order may differ from what the contract calls it: `order_id` says.
    """

    name: ClassVar[str]
    token_path: ClassVar[str]
    signature_header: ClassVar[str]  # "" where news come by a queue
    sells_unpaid: ClassVar[bool] = False
    shows_unpaid: ClassVar[bool] = False  # an order shows before it is paid
    own_weather: ClassVar[Mapping[str, float]] = {}  # what goes wrong with this vendor only
    poll_operation: ClassVar[str]  # as the sandbox's faults name it
    write_operation: ClassVar[str]
    invisible_s: ClassVar[float] = 0.0  # how long a queue keeps back what it has handed over

    channel: Channel
    counter: Counter
    judge: Judge | None  # None: no specification at hand
    orders_a_page: int
    listings_a_page: int

    def __init__(self) -> None:
        self.stepping = SteppingClock()
        self.clock = PatientClock(self.stepping)
        self.recorder = Recorder()
        self.mail = Mailbox()
        self._pushes = 0
        self._torn = 0

    @abstractmethod
    async def open(self, stack: AsyncExitStack, codes: Sequence[str], quantity: int, *, lagging: bool) -> None:
        """Open the sandbox and the adapter. `lagging`: searches show orders as late as the vendor's do."""

    def order_id(self, told: str) -> str:
        return told

    def stranger(self, like: ListingRef) -> ListingRef:
        """A listing that there is not, named as this channel names them."""
        return ListingRef(f"{like.channel_sku}-GONE", like.channel_location)

    def news_wrongs(self, event: RawEvent) -> list[str]:
        """What an event of the queue does wrong by the vendor's schema."""
        return []

    @property
    def now(self) -> datetime:
        return self.stepping.now()

    def violations(self) -> list[str]:
        """What the vendor's documents forbid of all that went over the wire."""
        found = self.judge(self.recorder.exchanges) if self.judge is not None else []
        torn = [each for each in found if "not JSON" in each]
        return [each for each in found if each not in torn] if len(torn) <= self._torn else found

    async def excuses_torn_answers(self) -> None:
        """At most so many answers may be no JSON as the sandbox has torn, or a gateway has given in its place."""
        met = (await self.counter.get("stats"))["faults"]
        self._torn = sum(met.get(fault, 0) for fault in ("truncated_json", "forbidden_page"))

    # --- what people do ------------------------------------------------------------------------------------------

    async def buys(self, code: str, quantity: int = 1, **more: Any) -> str:
        """A buyer buys; the id of the order as the control face knows it."""
        told = await self.counter.post("orders", lines=[{"sku": code, "quantity": quantity}], ship_to=SHIP_TO, **more)
        return str(told["id"])

    async def cancels(self, order: str, *, restock: bool = True) -> None:
        await self.counter.post(f"orders/{order}/cancel", restock=restock)

    async def pays(self, order: str) -> None:
        await self.counter.post(f"orders/{order}/pay")

    async def types(self, code: str, available: int) -> None:
        """A person types a number into the marketplace's own page."""
        await self.counter.post("levels", sku=code, available=available)

    async def meets(self, fault: str, operation: str, times: int = 1) -> None:
        """The next requests of this operation meet this fault for certain."""
        await self.counter.post("faults", next=[{"fault": fault, "operation": operation, "times": times}])

    async def is_down(self, seconds: float) -> None:
        await self.counter.post("faults", down_s=seconds)

    async def expires_tokens(self) -> None:
        await self.counter.post("tokens/expire")

    async def passes(self, seconds: float) -> None:
        """Time goes by, and what is due meanwhile is delivered."""
        await self.stepping.advance(seconds)
        pending, tries = -1, 0
        while tries < 10 and (now_pending := (await self.truth())["deliveries_pending"]):
            tries = tries + 1 if now_pending == pending else 0  # some are not due yet, or wait on a queue
            pending = now_pending
            await asyncio.sleep(0.001)

    async def settles(self) -> None:
        """Long enough for every change to show in searches, and every accepted write in reads."""
        await self.passes(self.channel.traits.index_lag_s + self.channel.traits.settle_s + 1)

    # --- what is true, and what the adapter sees of it ---------------------------------------------------------

    async def truth(self) -> dict[str, Any]:
        return await self.counter.get("truth")

    async def orders(self) -> dict[str, dict[str, Any]]:
        """The sandbox's orders, by the ids of the contract."""
        return {self.order_id(str(each["id"])): each for each in (await self.truth())["orders"]}

    async def refs(self) -> dict[str, ListingRef]:
        levels = (await self.truth())["levels"]
        return {each["sku"]: ListingRef(each["channel_sku"], each["channel_location"]) for each in levels}

    async def shown(self) -> dict[str, int]:
        return {each["sku"]: each["available"] for each in (await self.truth())["levels"]}

    async def swept(self, since: datetime) -> list[RawEvent]:
        """Every event of a whole poll, in order."""
        return [event async for page in self.channel.poll_orders(since) for event in page.events]

    def states(self, events: Sequence[RawEvent]) -> list[OrderState]:
        """What these events say; each must be a whole order."""
        found = []
        for event in events:
            news = self.channel.resolve(event)
            assert isinstance(news, OrderNews), news
            found.append(news.order)
        return found

    async def writes(self, wanted: Mapping[str, int]) -> tuple[RowResult, ...]:
        """Set these codes to these numbers; `expected` is what is shown."""
        refs, shown = await self.refs(), await self.shown()
        rows = [QuantityWrite(refs[code], number, shown[code]) for code, number in wanted.items()]
        return await self.sends(rows)

    async def sends(self, rows: Sequence[QuantityWrite]) -> tuple[RowResult, ...]:
        self._pushes += 1
        push = f"push-{self._pushes}"
        return await self.channel.send_write(push, self.channel.compose_write(push, rows))

    def requests(self) -> list[Exchange]:
        """What was asked but for tokens."""
        return [each for each in self.recorder.exchanges if each.path != self.token_path]

    def grants(self) -> int:
        """How often a token was asked for."""
        return len(self.recorder.exchanges) - len(self.requests())

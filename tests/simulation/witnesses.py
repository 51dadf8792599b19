"""Promises that only somebody who stands by can see kept: the acknowledged is durable, one token at a time, no loops.

Each witness says what it saw in words. They look, and change nothing.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import httpx
from sqlalchemy import Connection, text

from adapters.amazon.sandbox.queue import MessageQueue
from syncd.simulation.checker.truth import gather
from syncd.simulation.kit.life import current_life
from syncd.simulation.kit.wire import Wire
from syncd.simulation.trial import run
from syncd.simulation.trial.lab import DAEMON_PORT, Lab, set_up

_PUSHES_A_MINUTE = 40
"""No account of the grounds needs a quarter of it: more is a write that answers itself."""

_TOKENS_AT_ONCE = {"/auth/o2/token": 2}
"""An Amazon account and its FBA stock have a token each."""

_OVER = ("refused", "cancelled")


class Witnesses:
    """What they have seen so far."""

    def __init__(self) -> None:
        self.saw: list[str] = []
        self._lab: Lab | None = None
        self._asking: Counter[tuple[str, str, bytes]] = Counter()

    @contextmanager
    def standing_by(self) -> Iterator[None]:
        """Watch every trial that runs inside."""
        come_to_rest, send, delete = run._Trial._come_to_rest, Wire.send, MessageQueue.delete

        async def meet(*args: Any, **kwargs: Any) -> Lab:
            self._lab = await set_up(*args, **kwargs)
            return self._lab

        async def look_at_rest(trial: Any, lab: Lab) -> None:
            await come_to_rest(trial, lab)
            await self._look_at_rest(lab)

        async def see(wire: Wire, request: httpx.Request) -> httpx.Response:
            with self._token_asked_for(request):
                response = await send(wire, request)
            self._see_answer(request, response)
            return response

        def see_deleted(queue: MessageQueue, receipt: str) -> None:
            before = dict(queue._messages)
            delete(queue, receipt)
            for message_id in before.keys() - queue._messages.keys():
                self._must_be_durable(before[message_id].body.encode(), "a message was deleted from the queue")

        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(run, "set_up", meet))
            stack.enter_context(mock.patch.object(run._Trial, "_come_to_rest", look_at_rest))
            stack.enter_context(mock.patch.object(Wire, "send", see))
            stack.enter_context(mock.patch.object(MessageQueue, "delete", see_deleted))
            yield

    def _say(self, what: str) -> None:
        if what not in self.saw:
            self.saw.append(what)

    # --- acknowledged is durable -----------------------------------------------------------------------------------

    def _see_answer(self, request: httpx.Request, response: httpx.Response) -> None:
        path = request.url.path
        is_news = request.method == "POST" and path.startswith("/webhooks/") and "/warehouses/" not in path
        if request.url.port == DAEMON_PORT and is_news and response.is_success:
            self._must_be_durable(request.content, "a webhook was acknowledged")

    def _must_be_durable(self, body: bytes, what: str) -> None:
        assert self._lab is not None, "nothing is delivered before the trial is set up"
        with sqlite3.connect(self._lab.folder / "syncd.db") as eyes:
            found = eyes.execute("SELECT 1 FROM inbox WHERE body = ?", (body,)).fetchone()
        eyes.close()
        if found is None:
            self._say(f"{what} before it was in the inbox")

    # --- one token at a time ---------------------------------------------------------------------------------------

    @contextmanager
    def _token_asked_for(self, request: httpx.Request) -> Iterator[None]:
        life = current_life()
        if life is None or "token" not in request.url.path:
            yield
            return
        asked = (life.name, str(request.url), request.content)
        self._asking[asked] += 1
        if self._asking[asked] > _TOKENS_AT_ONCE.get(request.url.path, 1):
            self._say(f"two asked {request.url.path} for the same token at once")
        try:
            yield
        finally:
            self._asking[asked] -= 1

    # --- at rest ---------------------------------------------------------------------------------------------------

    async def _look_at_rest(self, lab: Lab) -> None:
        for account, minute, pushes in await lab.setup.db.read(_busiest_minutes):
            self._say(f"account {account} wrote {pushes} times in minute {minute}")
        for account, token, newer in await lab.setup.db.read(_out_of_turn):
            self._say(f"account {account}: token {token} stored a write after token {newer} had")
        await self._look_at_numbers(lab)
        for key, dock in lab.docks.items():
            told = (await dock.truth())["shipments"]
            known = dict(await lab.setup.db.read(_requests))
            for each in told:
                here, there = known.get(each["reference"]), each["status"]
                if here in _OVER and there != "Cancelled":
                    self._say(f"{key} has a shipment as {there} that the book calls {here}")

    async def _look_at_numbers(self, lab: Lab) -> None:
        """Numbers that somebody is said to have raised, and nobody did; and those below 0, which are left alone."""
        raised: Counter[str] = Counter()
        for change in (await gather(lab, history=True)).changes:
            if change.why == "write" and change.before < change.after == 0:
                self._say(f"{change.listing[0]} {change.sku}: {change.before} was raised to 0")
            if change.why not in ("write", "opening"):
                raised[change.listing[0]] += max(0, -change.taken)
        for account, units in await lab.setup.db.read(_units_surplus):
            if units > raised[account]:
                self._say(f"{account}: {units} units are said to be raised by somebody, {raised[account]} were")


def _busiest_minutes(connection: Connection) -> list[Any]:
    return list(
        connection.execute(
            text(
                "SELECT account_id, created_at / 60000000 AS minute, count(*) AS n FROM push_batch"
                " GROUP BY 1, 2 HAVING n > :most ORDER BY n DESC LIMIT 1"
            ),
            {"most": _PUSHES_A_MINUTE},
        )
    )


def _out_of_turn(connection: Connection) -> list[Any]:
    return list(
        connection.execute(
            text(
                "SELECT account_id, lease_token, before FROM ("
                " SELECT account_id, lease_token,"
                "  lag(lease_token) OVER (PARTITION BY account_id ORDER BY created_at, key) AS before FROM push_batch"
                ") WHERE lease_token < before LIMIT 1"
            )
        )
    )


def _requests(connection: Connection) -> list[Any]:
    return list(connection.execute(text("SELECT reference, state FROM shipment_request")))


def _units_surplus(connection: Connection) -> list[Any]:
    found = connection.execute(text("SELECT scope, n FROM tally WHERE name = 'units_surplus'"))
    return [(scope.removeprefix("account:"), units) for scope, units in found]

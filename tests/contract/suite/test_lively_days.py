"""Ordinary days with much going wrong: what the adapter says in the end is what is true."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta

import pytest

from adapters.contract import (
    AuthExpired,
    Malformed,
    OrderNews,
    OrderState,
    OutcomeUnknown,
    QuantityWrite,
    RateLimited,
    RawEvent,
    RowOutcome,
    Transient,
)
from tests.contract.suite.conftest import OpensChannel
from tests.contract.suite.rigs.channel_rig import HOOK, ChannelRig

CODES = ("RED", "BLUE", "GREEN")
BAD_WEATHER = {"rate_limit": 0.05, "server_error": 0.08, "unavailable": 0.05, "lost_reply": 0.08, "token_expiry": 0.05}
ON_SEEDS = pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 8))])
NO_EFFECT = (RateLimited, Transient, AuthExpired)  # the last: two tokens in a row died


class Day:
    """A day of buyers and staff, drawn from a seed."""

    def __init__(self, rig: ChannelRig, seed: int) -> None:
        self.rig = rig
        self.chance = random.Random(seed)
        self.open: list[tuple[str, str, int]] = []  # what may still change: order, code, quantity
        self.unpaid: list[str] = []

    async def goes_on(self) -> None:
        """One thing happens."""
        match self.chance.choice(("buys", "buys", "buys", "cancels", "lowers", "fulfils", "pays")):
            case "buys":
                await self._buys()
            case "pays" if self.unpaid:
                await self.rig.pays(self.unpaid.pop())
            case "cancels" if (order := self._picked()) is not None:
                await self.rig.cancels(order[0], restock=self.chance.random() < 0.5)
            case "lowers" if (order := self._picked()) is not None and order[2] > 1:
                await self._lowers(*order)
            case "fulfils" if (order := self._picked()) is not None:
                await self.rig.counter.post(f"orders/{order[0]}/fulfil")
        await self.rig.passes(self.chance.uniform(0, 30))

    async def _buys(self) -> None:
        code, quantity = self.chance.choice(CODES), self.chance.randrange(1, 5)
        if self.rig.sells_unpaid and self.chance.random() < 0.3:
            self.unpaid.append(await self.rig.buys(code, quantity, unpaid=True))
        else:
            self.open.append((await self.rig.buys(code, quantity), code, quantity))

    async def _lowers(self, order: str, code: str, quantity: int) -> None:
        path = f"orders/{order}/edit"
        body = {"sku": code, "quantity": quantity - 1, "restock": self.chance.random() < 0.5}
        assert await self.rig.counter.answers(path, **body) in (200, 409)  # 409: this marketplace knows no such edit

    def _picked(self) -> tuple[str, str, int] | None:
        return self.open.pop(self.chance.randrange(len(self.open))) if self.open else None


async def polled(rig: ChannelRig, known: dict[str, OrderState], since_s: float) -> bool:
    """Poll once, keeping the newest states; whether the poll was complete."""
    try:
        events = await rig.swept(rig.now - timedelta(seconds=since_s))
    except NO_EFFECT:
        return False
    for state in rig.states(events):
        if (old := known.get(state.channel_order_id)) is None or old.version_at <= state.version_at:
            known[state.channel_order_id] = state
    return True


def told(states: dict[str, OrderState]) -> dict[str, tuple[bool, int, int]]:
    """(cancelled, pieces wanted, pieces sent) of every order."""
    return {
        key: (
            state.cancelled,
            0 if state.cancelled else sum(line.quantity for line in state.lines),
            sum(line.fulfilled for line in state.lines),
        )
        for key, state in states.items()
    }


async def true(rig: ChannelRig) -> dict[str, tuple[bool, int, int]]:
    return {
        key: (
            order["cancelled"],
            0 if order["cancelled"] else sum(line["current_quantity"] for line in order["lines"]),
            sum(line["fulfilled"] for line in order["lines"]),
        )
        for key, order in (await rig.orders()).items()
        if order["paid"] or rig.shows_unpaid
    }


@ON_SEEDS
async def test_every_order_ends_as_it_is_whatever_went_wrong(opens: OpensChannel, seed: int) -> None:
    rig = await opens(lagging=True)
    day, known, overlap_s = Day(rig, seed), dict[str, OrderState](), rig.channel.traits.poll_overlap_s
    since = rig.now
    await rig.counter.post("faults", **BAD_WEATHER)
    for _ in range(12):
        for _ in range(day.chance.randrange(5)):
            await day.goes_on()
        polled_at = rig.now
        if await polled(rig, known, (rig.now - since).total_seconds() + overlap_s):
            since = polled_at
        await rig.passes(day.chance.uniform(30, 300))
    await rig.counter.post("faults", clear=True)
    await rig.settles()
    assert await polled(rig, known, (rig.now - since).total_seconds() + overlap_s)

    assert told(known) == await true(rig)
    for code in CODES:
        await assert_numbers_are_explained(rig, known, code)


async def assert_numbers_are_explained(rig: ChannelRig, known: dict[str, OrderState], code: str) -> None:
    """What a listing has lost is what its orders say they took, and what buyers hold who have not paid."""
    items = [item for page in [page async for page in rig.channel.list_listings()] for item in page.items]
    key = next(item.line_key for item in items if item.code == code)
    lines = [line for state in known.values() for line in state.lines if line.line_key == key]
    unseen = sum(
        line["current_quantity"]
        for order_id, order in (await rig.orders()).items()
        if order_id not in known and not order["cancelled"]
        for line in order["lines"]
        if line["sku"] == code
    )
    gone = 500 - (await rig.shown())[code] - unseen
    assert sum(line.taken_min for line in lines) <= gone <= sum(line.taken_max for line in lines)


@ON_SEEDS
async def test_news_of_every_way_in_any_order_never_overrule_what_is_true(opens: OpensChannel, seed: int) -> None:
    rig = await opens()
    started_at, day, known = rig.now, Day(rig, seed), dict[str, OrderState]()
    if rig.signature_header:
        await rig.channel.ensure_webhooks(HOOK)
    await rig.counter.post("faults", webhook_duplicate=0.3, webhook_drop=0.1)
    events: list[RawEvent] = []
    for _ in range(25):
        await day.goes_on()
        events += await heard(rig)
        if day.chance.random() < 0.2:
            events += await rig.swept(rig.now - timedelta(seconds=rig.channel.traits.poll_overlap_s))
    await rig.passes(rig.invisible_s + rig.channel.traits.settle_s + 60)
    events += await heard(rig)
    events += await rig.swept(started_at - timedelta(seconds=1))
    day.chance.shuffle(events)

    for event in sorted(events, key=lambda each: each.topic != POLL_TOPIC):  # of one instant, the poll is believed
        news = rig.channel.resolve(event)
        assert not isinstance(news, Malformed)
        if isinstance(news, OrderNews):
            old = known.get(news.order.channel_order_id)
            if old is None or old.version_at < news.order.version_at:
                known[news.order.channel_order_id] = news.order

    assert told(known) == await true(rig)
    for code in CODES:
        await assert_numbers_are_explained(rig, known, code)


POLL_TOPIC = "poll/order"


async def heard(rig: ChannelRig) -> list[RawEvent]:
    """What the channel has told by itself since it was last asked."""
    got, rig.mail.got = rig.mail.got, []
    events = [await rig.channel.verify_webhook(headers, body) for headers, body in got]
    queue = rig.channel.queue
    return events + [each.event for each in (await queue.receive() if queue is not None else ())]


@ON_SEEDS
async def test_no_row_of_a_batch_is_lost_or_lied_about_whatever_went_wrong(opens: OpensChannel, seed: int) -> None:
    codes = [f"CLOCK-{number:02}" for number in range(12)]
    rig = await opens(codes)
    chance, refs = random.Random(seed), await rig.refs()
    weather = {**BAD_WEATHER, "truncated_json": 0.08, **rig.own_weather}
    met = set[RowOutcome]()
    for _ in range(12):
        rows = []
        before = await rig.shown()
        for code in chance.sample(codes, chance.randrange(1, 12)):
            rows.append(QuantityWrite(refs[code], chance.randrange(100), before[code]))
        rows.insert(chance.randrange(len(rows)), QuantityWrite(rig.stranger(refs["CLOCK-00"]), 1, 1))
        await rig.counter.post("faults", **weather)
        outcomes = await outcomes_of(rig, rows)
        await rig.counter.post("faults", clear=True)
        await rig.settles()
        after, names = await rig.shown(), {ref: code for code, ref in refs.items()}
        for row, outcome in zip(rows, outcomes, strict=True):
            met.add(outcome)
            if row.ref in names:
                code = names[row.ref]
                assert after[code] in allowed(outcome, before[code], row.quantity), (code, outcome)
            else:
                assert outcome not in (RowOutcome.APPLIED, RowOutcome.ACCEPTED)
    assert len(met) >= 2
    await rig.excuses_torn_answers()


def allowed(outcome: RowOutcome, before: int, wanted: int) -> tuple[int, ...]:
    """What a listing may show after a write with that outcome."""
    match outcome:
        case RowOutcome.APPLIED | RowOutcome.ACCEPTED:
            return (wanted,)
        case RowOutcome.UNKNOWN:
            return (before, wanted)
        case _:
            return (before,)


async def outcomes_of(rig: ChannelRig, rows: list[QuantityWrite]) -> list[RowOutcome]:
    """What became of each row; an error says it of all."""
    with suppress(*NO_EFFECT):
        try:
            results = await rig.sends(rows)
        except OutcomeUnknown:
            return [RowOutcome.UNKNOWN] * len(rows)
        assert [each.ref for each in results] == [row.ref for row in rows]
        return [each.outcome for each in results]
    return [RowOutcome.NOT_WRITTEN] * len(rows)

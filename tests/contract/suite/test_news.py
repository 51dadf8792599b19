"""News that come by themselves: forged ones are refused, right ones taken, redelivered ones known again."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.contract import (
    Forged,
    Ignored,
    ListingHint,
    Malformed,
    News,
    NewsQueue,
    OrderHint,
    OrderNews,
    Queued,
    RawEvent,
)
from tests.contract.suite.conftest import OpensChannel
from tests.contract.suite.rigs.channel_rig import HOOK, ChannelRig

NEWS = (OrderNews, OrderHint, ListingHint, Ignored, Malformed)
HOUR = timedelta(hours=1)


def order_of(news: News) -> str | None:
    """The order that news are about."""
    if isinstance(news, OrderNews):
        return news.order.channel_order_id
    return news.channel_order_id if isinstance(news, OrderHint) else None


async def told(rig: ChannelRig) -> list[RawEvent]:
    """Everything in the mailbox, verified."""
    return [await rig.channel.verify_webhook(headers, body) for headers, body in rig.mail.got]


async def subscribed(rig: ChannelRig) -> None:
    await rig.channel.ensure_webhooks(HOOK)
    await rig.passes(1)


# --- webhooks ----------------------------------------------------------------------------------------------------


async def test_a_rightly_signed_webhook_tells_of_its_order(opens_hooked: OpensChannel) -> None:
    rig = await opens_hooked()
    await subscribed(rig)
    order = rig.order_id(await rig.buys("RED"))
    await rig.passes(60)

    events = await told(rig)

    assert order in {order_of(rig.channel.resolve(event)) for event in events}
    assert Malformed not in {type(rig.channel.resolve(event)) for event in events}


async def test_asking_twice_for_webhooks_is_asking_once(opens_hooked: OpensChannel) -> None:
    rig = await opens_hooked()
    await subscribed(rig)
    await subscribed(rig)
    await rig.buys("RED")
    await rig.passes(60)

    keys = Counter(event.event_key for event in await told(rig))

    assert keys
    assert set(keys.values()) == {1}


async def test_a_redelivery_is_known_by_its_key(opens_hooked: OpensChannel) -> None:
    rig = await opens_hooked()
    await subscribed(rig)
    await rig.counter.post("faults", webhook_duplicate=1.0)
    await rig.buys("RED")
    await rig.buys("BLUE")
    await rig.passes(60)

    keys = Counter(event.event_key for event in await told(rig))

    assert len(keys) >= 2
    assert set(keys.values()) == {2}


@pytest.mark.parametrize("forgery", ["another body", "another signature", "no signature", "an empty body"])
async def test_a_forged_webhook_is_refused(opens_hooked: OpensChannel, forgery: str) -> None:
    rig = await opens_hooked()
    await subscribed(rig)
    await rig.buys("RED")
    await rig.passes(60)
    headers, body = rig.mail.got[0]
    signature = headers[rig.signature_header]
    forged: dict[str, tuple[dict[str, str], bytes]] = {
        "another body": (headers, body.replace(b"1", b"2", 1)),
        "another signature": ({**headers, rig.signature_header: signature[:-6] + signature[-6:].swapcase()}, body),
        "no signature": ({k: v for k, v in headers.items() if k != rig.signature_header}, body),
        "an empty body": (headers, b""),
    }
    assert forged[forgery] != (headers, body)

    with pytest.raises(Forged):
        await rig.channel.verify_webhook(*forged[forgery])
    assert await rig.channel.verify_webhook(headers, body)


async def test_a_signature_is_never_anything_but_right_or_forged(opens_hooked: OpensChannel) -> None:
    rig = await opens_hooked()
    await subscribed(rig)
    headers = {rig.signature_header: ""}
    for text in ("", "=", "é" * 20, "A" * 10_000, '{"kid":"x"}', "eyJraWQiOiAiLi4vLi4vIn0=", "\x00", "bnVsbA=="):
        with pytest.raises(Forged):
            await rig.channel.verify_webhook({**headers, rig.signature_header: text}, b"{}")


# --- the queue ---------------------------------------------------------------------------------------------------


async def received(queue: NewsQueue, *, tries: int = 20) -> list[Queued]:
    """What a few receives bring."""
    found: list[Queued] = []
    for _ in range(tries):
        got = await queue.receive()
        found += got
        if found and not got:
            break
        await asyncio.sleep(0)
    return found


def the_queue(rig: ChannelRig) -> NewsQueue:
    assert rig.channel.queue is not None
    return rig.channel.queue


async def test_a_channel_with_a_queue_takes_no_webhooks(opens_queued: OpensChannel) -> None:
    rig = await opens_queued()
    await rig.channel.identify()

    with pytest.raises(Forged):
        await rig.channel.verify_webhook({}, b"{}")


async def test_the_queue_tells_of_an_order(opens_queued: OpensChannel) -> None:
    rig = await opens_queued()
    await rig.channel.identify()
    order = rig.order_id(await rig.buys("RED"))
    await rig.passes(60)

    queued = await received(the_queue(rig))

    assert order in {order_of(rig.channel.resolve(each.event)) for each in queued}
    assert [wrong for each in queued for wrong in rig.news_wrongs(each.event)] == []


async def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(opens_queued: OpensChannel) -> None:
    rig = await opens_queued()
    await rig.channel.identify()
    await rig.buys("RED")
    await rig.buys("BLUE")
    await rig.passes(60)
    queue = the_queue(rig)

    first = await received(queue)
    await rig.passes(rig.invisible_s + 1)
    again = await received(queue)
    await queue.acknowledge([each.receipt for each in again])
    await rig.passes(rig.invisible_s + 1)
    after = [each for _ in range(3) for each in await queue.receive()]

    assert {each.event.event_key for each in first} == {each.event.event_key for each in again}
    assert len({each.event.event_key for each in first}) >= 2
    assert after == []


# --- what news mean ----------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("1995-02-30T25:61:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a JSON value."""
    found = [path]
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found += places(inner, (*path, key))
    return found


def with_other(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """The value with something else at a path."""
    if not path:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_other(value[path[0]], path[1:], other)
    return copy


async def all_events(rig: ChannelRig) -> list[RawEvent]:
    """One true event of every way in which news come."""
    started_at = rig.now
    order = await rig.buys("RED", 2)
    await rig.passes(60)
    await rig.cancels(order)
    await rig.settles()
    events = await rig.swept(started_at - HOUR)
    if rig.channel.queue is not None:
        events += [each.event for each in await received(rig.channel.queue)]
    return [*events, *await told(rig)]


@pytest.mark.parametrize("examples", [50, pytest.param(1_000, marks=pytest.mark.soak)])
async def test_resolve_is_total_whatever_the_bytes(opens: OpensChannel, examples: int) -> None:
    rig = await opens()
    if rig.signature_header:
        await subscribed(rig)
    events = await all_events(rig)
    topics = sorted({event.topic for event in events})
    bodies = [json.loads(event.body) for event in events]
    assert len(events) >= 2

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(topics), st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
    @example(topics[0], b"[" * 100_000)
    @example(topics[0], b'{"a":' * 50_000)
    def any_bytes(topic: str, body: bytes) -> None:
        assert isinstance(rig.channel.resolve(RawEvent("key", topic, body)), NEWS)

    @settings(max_examples=2 * examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def a_true_event_with_something_else_in_it(data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(events) - 1))
        path = data.draw(st.sampled_from(places(bodies[index])))
        body = json.dumps(with_other(bodies[index], path, data.draw(JSON))).encode()
        event = RawEvent("key", events[index].topic, body)
        assert isinstance(rig.channel.resolve(event), NEWS)
        assert rig.channel.resolve(event) == rig.channel.resolve(event)

    any_bytes()
    a_true_event_with_something_else_in_it()


async def test_news_of_another_topic_are_ignored(opens: OpensChannel) -> None:
    rig = await opens()
    await rig.channel.identify()

    assert isinstance(rig.channel.resolve(RawEvent("key", "nothing/known", b"{}")), (Ignored, Malformed))

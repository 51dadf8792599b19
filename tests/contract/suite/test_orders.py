"""Orders come in whole: none missing, none twice, each itself from first sight to cancellation."""

from __future__ import annotations

import random
from datetime import timedelta

from adapters.contract import OrderState
from tests.contract.suite.conftest import OpensChannel
from tests.contract.suite.rigs.channel_rig import ChannelRig

HOUR = timedelta(hours=1)


def newest(states: list[OrderState]) -> dict[str, OrderState]:
    """The last known state of each order, as intake keeps it."""
    found: dict[str, OrderState] = {}
    for state in states:
        known = found.get(state.channel_order_id)
        if known is None or known.version_at <= state.version_at:
            found[state.channel_order_id] = state
    return found


def wanted_pieces(rig: ChannelRig, order: dict[str, object]) -> int:
    lines = order["lines"]
    assert isinstance(lines, list)
    return 0 if order["cancelled"] else sum(int(line["current_quantity"]) for line in lines)


async def test_a_poll_pages_through_every_order_once(opens: OpensChannel) -> None:
    rig = await opens()
    started_at = rig.now
    for number in range(rig.orders_a_page + 3):
        await rig.buys(("RED", "BLUE", "GREEN")[number % 3])
    await rig.settles()

    pages = [page async for page in rig.channel.poll_orders(started_at - HOUR)]

    ids = [state.channel_order_id for page in pages for state in rig.states(page.events)]
    assert len(pages) > 1
    assert [page.cursor is None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert sorted(ids) == sorted(await rig.orders())


async def test_a_poll_that_finds_nothing_says_so(opens: OpensChannel) -> None:
    rig = await opens()

    assert await rig.swept(rig.now - HOUR) == []


async def test_an_order_says_what_was_bought_and_where_it_goes(opens: OpensChannel) -> None:
    rig = await opens()
    started_at = rig.now
    order = rig.order_id(await rig.buys("RED", 3))
    await rig.settles()

    (state,) = rig.states(await rig.swept(started_at - HOUR))

    items = [item async for page in rig.channel.list_listings() for item in page.items]
    (line,) = state.lines
    assert state.channel_order_id == order
    assert (line.quantity, line.fulfilled, line.taken_min, line.taken_max, line.parked) == (3, 0, 3, 3, None)
    assert line.line_key in {item.line_key for item in items if item.code == "RED"}
    assert (state.cancelled, state.test, state.problems, line.by_channel) == (False, False, (), False)
    assert state.ship_to is not None
    assert (state.ship_to.country, state.ship_to.postcode) == ("US", "62701")
    assert state.placed_at.utcoffset() == state.version_at.utcoffset() == timedelta(0)


async def test_what_changes_while_a_poll_pages_neither_hides_an_order_nor_is_lost(opens: OpensChannel) -> None:
    rig = await opens()
    started_at = rig.now
    placed = []
    for _ in range(rig.orders_a_page + 5):
        placed.append(await rig.buys("RED"))
        await rig.stepping.advance(1)
    await rig.settles()
    sweep_at = rig.now
    there_before, changed = set(await rig.orders()), (placed[0], placed[1], placed[-1])

    first: list[OrderState] = []
    async for page in rig.channel.poll_orders(started_at - HOUR):
        if not first:  # some orders change, so that they stand elsewhere in the search now
            for order in changed:
                await rig.cancels(order)
            placed.append(await rig.buys("BLUE"))
            await rig.settles()
        first += rig.states(page.events)
    await rig.settles()
    second = rig.states(await rig.swept(sweep_at - timedelta(seconds=rig.channel.traits.poll_overlap_s)))

    assert there_before - set(map(rig.order_id, changed)) <= {state.channel_order_id for state in first}
    found = newest([*first, *second])
    truth = await rig.orders()
    assert set(found) == set(truth)
    assert {key for key, state in found.items() if state.cancelled} == {k for k, o in truth.items() if o["cancelled"]}


async def test_overlapping_polls_of_a_lagging_search_lose_nothing(opens: OpensChannel) -> None:
    rig = await opens(lagging=True)
    chance = random.Random(4)
    since, states, open_orders = rig.now, [], []
    overlap = timedelta(seconds=rig.channel.traits.poll_overlap_s)
    for _ in range(8):
        for _ in range(chance.randrange(4)):
            open_orders.append(await rig.buys(chance.choice(("RED", "BLUE")), chance.randrange(1, 4)))
            await rig.passes(chance.uniform(0, 30))
        if open_orders and chance.random() < 0.5:
            await rig.cancels(open_orders.pop(chance.randrange(len(open_orders))))
        polled_at = rig.now
        states += rig.states(await rig.swept(since - overlap))
        since = polled_at
        await rig.passes(chance.uniform(30, 400))
    await rig.passes(overlap.total_seconds() / 2)
    states += rig.states(await rig.swept(since - overlap))

    found, truth = newest(states), await rig.orders()
    assert set(found) == set(truth)
    told = {key: sum(line.quantity for line in state.lines if not state.cancelled) for key, state in found.items()}
    assert told == {key: wanted_pieces(rig, order) for key, order in truth.items()}


async def test_the_same_state_has_the_same_key_however_it_is_read(opens: OpensChannel) -> None:
    rig = await opens()
    started_at = rig.now
    order = await rig.buys("RED")
    await rig.settles()

    (first,) = await rig.swept(started_at - HOUR)
    (again,) = await rig.swept(started_at - HOUR)
    (fetched,) = await rig.channel.fetch_orders([rig.order_id(order)])
    await rig.passes(5)
    await rig.cancels(order)
    await rig.settles()
    (changed,) = await rig.swept(started_at - HOUR)

    assert first.event_key == again.event_key
    assert rig.states([fetched])[0].version_at == rig.states([first])[0].version_at
    assert changed.event_key != first.event_key


async def test_orders_are_fetched_by_id_and_strangers_are_left_out(opens: OpensChannel) -> None:
    rig = await opens()
    orders = [rig.order_id(await rig.buys("RED")) for _ in range(60)]
    await rig.passes(1)

    found = rig.states(await rig.channel.fetch_orders([*orders, orders[0] + "9", *orders[:2]]))

    assert sorted(state.channel_order_id for state in found) == sorted(orders)


async def test_an_order_keeps_its_identity_from_first_sight_to_cancellation(opens: OpensChannel) -> None:
    rig = await opens()
    started_at = rig.now
    unpaid = {"unpaid": True} if rig.sells_unpaid else {}
    order = await rig.buys("RED", 2, **unpaid)
    sights: list[OrderState] = []
    await rig.settles()
    sights += rig.states(await rig.swept(started_at - HOUR))
    if rig.sells_unpaid:
        await rig.pays(order)
        await rig.settles()
        sights += rig.states(await rig.swept(started_at - HOUR))
    assert [line.quantity for line in sights[-1].lines] == [2]
    await rig.cancels(order)
    await rig.settles()
    sights += rig.states(await rig.swept(started_at - HOUR))

    assert {state.channel_order_id for state in sights} == {rig.order_id(order)}
    assert len({tuple(line.channel_line_id for line in state.lines) for state in sights}) == 1
    assert [state.cancelled for state in sights] == [False] * (len(sights) - 1) + [True]
    assert sights == sorted(sights, key=lambda state: state.version_at)
    assert (await rig.shown())["RED"] == 500


async def test_a_cancellation_says_what_may_be_on_sale_again(opens: OpensChannel) -> None:
    rig = await opens()
    started_at = rig.now
    orders = {rig.order_id(order): order for order in [await rig.buys("RED", 2), await rig.buys("RED", 3)]}
    restocked, kept = orders
    await rig.cancels(orders[restocked], restock=True)
    await rig.cancels(orders[kept], restock=False)
    await rig.settles()

    states = newest(rig.states(await rig.swept(started_at - HOUR)))

    back, away = states[restocked].lines[0], states[kept].lines[0]
    assert (await rig.shown())["RED"] == 497
    assert back.taken_min <= 0 <= back.taken_max <= 2
    assert away.taken_min <= 3 <= away.taken_max <= 3
    assert (back.quantity, away.quantity) == (0, 0)

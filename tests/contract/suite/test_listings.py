"""Listings and their numbers: each listed once, each row of a batch answered, and what is written is what is read."""

from __future__ import annotations

import random

import pytest

from adapters.contract import (
    ListingRef,
    OutcomeUnknown,
    QuantityWrite,
    Rejected,
    RowOutcome,
    RowResult,
)
from tests.contract.suite.conftest import OpensChannel
from tests.contract.suite.rigs import channel_rig
from tests.contract.suite.rigs.channel_rig import ChannelRig

WRITTEN = (RowOutcome.APPLIED, RowOutcome.ACCEPTED)


def codes(count: int) -> list[str]:
    return [f"CLOCK-{number:04}" for number in range(count)]


async def read(rig: ChannelRig) -> dict[str, int | None]:
    """What the adapter reads of every listing."""
    found: dict[str, int | None] = {}
    refs = await rig.refs()
    batch = rig.channel.traits.read_batch
    for start in range(0, len(refs), batch):
        some = list(refs)[start : start + batch]
        reads = await rig.channel.read_quantities([refs[code] for code in some])
        assert [each.ref for each in reads] == [refs[code] for code in some]
        found |= {code: each.quantity for code, each in zip(some, reads, strict=True)}
    return found


async def test_every_listing_is_listed_exactly_once(opens: OpensChannel, request: pytest.FixtureRequest) -> None:
    rig = await opens(codes(channel_rig(request.node.callspec.params["opens"]).listings_a_page + 7), quantity=3)

    pages = [page async for page in rig.channel.list_listings()]

    items = [item for page in pages for item in page.items]
    refs = await rig.refs()
    assert len(pages) > 1
    assert pages[-1].cursor is None
    assert sorted(item.ref for item in items) == sorted(refs.values())
    assert {item.code: item.ref for item in items} == refs
    assert {(item.quantity, item.unwritable, item.back_orderable) for item in items} == {(3, None, False)}
    assert len({item.line_key for item in items}) == len(items)


async def test_what_is_written_is_what_is_read_row_by_row(opens: OpensChannel) -> None:
    rig = await opens(codes(40))
    batch = min(rig.channel.traits.write_batch, 40)
    chosen = random.Random(3).sample(codes(40), batch)
    wanted = {code: number for number, code in enumerate(chosen)}
    refs = await rig.refs()

    results = await rig.writes(wanted)

    assert [each.ref for each in results] == [refs[code] for code in chosen]
    assert {each.outcome for each in results} <= set(WRITTEN)
    await rig.settles()
    expected = {code: wanted.get(code, 500) for code in codes(40)}
    assert await rig.shown() == expected
    assert await read(rig) == expected


async def test_a_write_is_composed_the_same_every_time(opens: OpensChannel) -> None:
    rig = await opens()
    rows = [QuantityWrite(ref, number, 500) for number, ref in enumerate((await rig.refs()).values())]

    assert rig.channel.compose_write("push-1", rows) == rig.channel.compose_write("push-1", rows)

    with pytest.raises(Rejected):
        await rig.channel.send_write("push-1", "not a composed write")
    await read(rig)


@pytest.mark.parametrize("bad_at", [0, 7, 14])
async def test_one_bad_row_among_many_stops_no_other(opens: OpensChannel, bad_at: int) -> None:
    rig = await opens(codes(14))
    refs = await rig.refs()
    rows = [QuantityWrite(ref, 40 + number, 500) for number, ref in enumerate(refs.values())]
    bad = QuantityWrite(rig.stranger(refs["CLOCK-0000"]), 5, 500)
    rows.insert(bad_at, bad)

    calls, results = await until_told(rig, rows)

    assert results[bad.ref].outcome is RowOutcome.REJECTED
    assert results[bad.ref].reason
    assert {each.outcome for ref, each in results.items() if ref != bad.ref} <= set(WRITTEN)
    assert calls <= 5  # log2 of 15 rows, and the first
    await rig.settles()
    assert await rig.shown() == {code: 40 + number for number, code in enumerate(codes(14))}


async def until_told(rig: ChannelRig, rows: list[QuantityWrite]) -> tuple[int, dict[ListingRef, RowResult]]:
    """Send the rows, and again those that were not written for another row's sake, halved where nobody was named."""
    told: dict[ListingRef, RowResult] = {}
    calls, waiting = 0, [rows]
    while waiting:
        batch = waiting.pop()
        calls += 1
        results = await rig.sends(batch)
        assert [each.ref for each in results] == [row.ref for row in batch]
        told |= {each.ref: each for each in results}
        left = [row for row, each in zip(batch, results, strict=True) if each.outcome is RowOutcome.NOT_WRITTEN]
        if left and len(left) == len(batch):
            waiting += [left[: len(left) // 2], left[len(left) // 2 :]]
        elif left:
            waiting.append(left)
    return calls, told


async def test_a_listing_that_is_not_there_has_no_number(opens: OpensChannel) -> None:
    rig = await opens()
    ref = (await rig.refs())["RED"]

    here, gone = await rig.channel.read_quantities([ref, rig.stranger(ref)])

    assert (here.quantity, here.problem) == (500, None)
    assert gone.quantity is None
    assert gone.problem


async def test_a_sale_and_a_hand_show_in_the_next_read(opens: OpensChannel) -> None:
    rig = await opens()

    await rig.buys("RED", 3)
    await rig.types("BLUE", 7)
    await rig.settles()

    assert await read(rig) == await rig.shown() == {"RED": 497, "BLUE": 7, "GREEN": 500}


async def test_sold_out_is_zero_and_refuses_the_buyer(opens: OpensChannel) -> None:
    rig = await opens(quantity=1)

    await rig.buys("RED")
    await rig.settles()

    assert await rig.counter.answers("orders", lines=[{"sku": "RED", "quantity": 1}]) == 409
    assert (await read(rig))["RED"] == 0


async def test_a_lost_reply_leaves_the_outcome_unknown_and_a_read_tells_it(opens: OpensChannel) -> None:
    rig = await opens()
    ref = (await rig.refs())["RED"]
    await read(rig)  # tokens, and whatever else a first call needs
    await rig.meets("lost_reply", rig.write_operation)

    assert await outcome_of_a_write(rig) is RowOutcome.UNKNOWN

    await rig.settles()
    (shown,) = await rig.channel.read_quantities([ref])
    assert shown.quantity == 11 == (await rig.shown())["RED"]


async def outcome_of_a_write(rig: ChannelRig) -> RowOutcome:
    """What becomes of setting RED to 11."""
    try:
        (result,) = await rig.writes({"RED": 11})
    except OutcomeUnknown:
        return RowOutcome.UNKNOWN
    return result.outcome


async def test_a_plain_write_is_sent_once_though_its_reply_is_lost(opens_plain: OpensChannel) -> None:
    rig = await opens_plain()
    await rig.writes({"BLUE": 12})
    await rig.passes(60)
    once = (await rig.counter.get("stats"))["requests"][rig.write_operation]
    await rig.meets("lost_reply", rig.write_operation)

    assert await outcome_of_a_write(rig) is RowOutcome.UNKNOWN
    assert (await rig.counter.get("stats"))["requests"][rig.write_operation] == 2 * once


async def test_a_plain_write_that_a_server_error_met_may_have_been_applied(opens_plain: OpensChannel) -> None:
    rig = await opens_plain()
    await rig.writes({"BLUE": 12})
    await rig.meets("server_error", rig.write_operation)

    assert await outcome_of_a_write(rig) in (RowOutcome.UNKNOWN, RowOutcome.NOT_WRITTEN)
    assert (await rig.shown())["RED"] == 500


async def test_a_compared_write_never_relists_what_was_sold_in_between(opens_compared: OpensChannel) -> None:
    rig = await opens_compared(quantity=1)
    row = QuantityWrite((await rig.refs())["RED"], 1, 1)
    await rig.buys("RED")

    (result,) = await rig.sends([row])

    assert result.outcome is RowOutcome.STALE
    assert (await rig.shown())["RED"] == 0


async def test_a_compared_write_is_repeated_under_its_key_without_effect(opens_compared: OpensChannel) -> None:
    rig = await opens_compared()
    body = rig.channel.compose_write("push-1", [QuantityWrite((await rig.refs())["RED"], 11, 500)])
    await rig.meets("lost_reply", rig.write_operation)
    with pytest.raises(OutcomeUnknown):
        await rig.channel.send_write("key-1", body)
    await rig.buys("RED")

    (result,) = await rig.channel.send_write("key-1", body)

    assert result.outcome is RowOutcome.APPLIED
    assert (await rig.shown())["RED"] == 10

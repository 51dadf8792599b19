"""News is durable before it is acknowledged, many at a commit."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from adapters.contract import Ignored
from syncd.db.database import Database
from syncd.orders.inbox import Arrived, insert_arrived, load_new
from tests.integration.intake.desk import Desk
from tests.support.builders import NOW, a_seller


def some_rows(desk: Desk, count: int, prefix: str = "row") -> list[Arrived]:
    return [desk.row(desk.channel.event(Ignored("nothing"), f"{prefix}-{n}")) for n in range(count)]


async def test_news_that_comes_at_once_shares_few_commits(desk: Desk) -> None:
    await asyncio.gather(*(desk.inbox.add(each) for each in some_rows(desk, 200)))

    assert len(desk.db.calls) <= 2
    assert desk.states() == ["new"] * 200


async def test_what_gathers_while_a_commit_runs_is_the_next_one(desk: Desk) -> None:
    first, *others = some_rows(desk, 41)
    desk.db.gate = asyncio.Event()
    adding = [asyncio.create_task(desk.inbox.add(first))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert desk.db.calls == ["insert_arrived"]

    adding += [asyncio.create_task(desk.inbox.add(each)) for each in others]
    await asyncio.sleep(0)
    desk.db.gate.set()
    await asyncio.gather(*adding)

    assert desk.db.calls == ["insert_arrived"] * 2
    assert len(desk.states()) == 41


async def test_a_flood_goes_in_by_commits_of_bounded_size(desk: Desk) -> None:
    pages = [some_rows(desk, 250, f"page-{n}") for n in range(8)]

    await asyncio.gather(*(desk.inbox.add(*page) for page in pages))

    assert 2 <= len(desk.db.calls) <= 8
    assert len(desk.states()) == 2000


async def test_an_addition_returns_only_when_its_rows_are_durable(desk: Desk) -> None:
    await desk.inbox.add(*some_rows(desk, 3))

    assert desk.states() == ["new"] * 3
    assert desk.arrived == 1


async def test_nothing_to_add_is_no_commit(desk: Desk) -> None:
    await desk.inbox.add()

    assert (desk.db.calls, desk.arrived) == ([], 0)


async def test_a_caller_that_goes_away_harms_nobody_elses_rows(desk: Desk) -> None:
    rows = some_rows(desk, 5)
    desk.db.gate = asyncio.Event()
    adding = [asyncio.create_task(desk.inbox.add(row)) for row in rows]
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    adding[0].cancel()
    adding[3].cancel()
    desk.db.gate.set()
    done = await asyncio.gather(*adding, return_exceptions=True)

    assert [type(each) for each in done if each is not None] == [asyncio.CancelledError] * 2
    assert len(desk.states()) == 5, "what was handed over is written, whoever still waits for it"


async def test_an_error_reaches_everybody_whose_rows_were_not_written(desk: Desk) -> None:
    good = some_rows(desk, 3)
    orphan = replace(good[0], account_id=9999)

    done = await asyncio.gather(*(desk.inbox.add(row) for row in (*good, orphan)), return_exceptions=True)

    assert [type(each) for each in done] == [IntegrityError] * 4
    assert desk.states() == []
    assert desk.arrived == 0


async def test_an_addition_after_an_error_works(desk: Desk) -> None:
    rows = some_rows(desk, 2)
    with pytest.raises(IntegrityError):
        await desk.inbox.add(replace(rows[0], account_id=9999))

    await desk.inbox.add(*rows)

    assert desk.states() == ["new", "new"]


async def test_an_error_with_callers_gone_is_still_told_to_the_rest(desk: Desk) -> None:
    rows = [replace(row, account_id=9999) for row in some_rows(desk, 3)]
    desk.db.gate = asyncio.Event()
    adding = [asyncio.create_task(desk.inbox.add(row)) for row in rows]
    await asyncio.sleep(0)
    adding[1].cancel()
    desk.db.gate.set()

    done = await asyncio.gather(*adding, return_exceptions=True)

    assert [type(each) for each in done] == [IntegrityError, asyncio.CancelledError, IntegrityError]


async def test_nobody_waits_for_ever_when_everything_ends(desk: Desk) -> None:
    desk.db.gate = asyncio.Event()
    adding = [asyncio.create_task(desk.inbox.add(row)) for row in some_rows(desk, 600)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    (committing,) = [task for task in asyncio.all_tasks() if task.get_name() == "inbox"]
    committing.cancel()

    async with asyncio.timeout(30.0):
        done = await asyncio.gather(*adding, return_exceptions=True)
    assert {type(each) for each in done} == {asyncio.CancelledError}


async def test_news_with_a_key_we_know_is_stored_once(desk: Desk) -> None:
    first, second, third = some_rows(desk, 3)

    await desk.inbox.add(first, second, first)
    await desk.inbox.add(second, third)

    assert len(desk.states()) == 3


async def test_the_same_key_says_nothing_across_accounts(db: Database) -> None:
    seller = a_seller(db, accounts=("shop", "outlet"))
    both = [
        Arrived(seller.accounts[key].account_id, "event-1", "orders/create", "webhook", b"{}")
        for key in ("shop", "outlet")
    ]

    assert db.transact_now(insert_arrived, both, NOW) == 2
    assert db.transact_now(insert_arrived, both, NOW) == 0


@pytest.mark.parametrize("count", [1, 2, 3, 5, 64, 65, 700])
def test_rows_keep_the_order_they_came_in_however_many_there_are(db: Database, count: int) -> None:
    account_id = a_seller(db).accounts["shop"].account_id
    rows = [Arrived(account_id, f"event-{-n}", f"topic-{n}", "poll", b"%d" % n) for n in range(count)]

    assert db.transact_now(insert_arrived, rows, NOW) == count

    found = db.read_now(load_new, 1000)
    assert [(row.account_id, row.event_key, row.topic, row.way, row.body) for row in found] == [
        (row.account_id, row.event_key, row.topic, row.way, row.body) for row in rows
    ]


def test_a_body_comes_back_byte_for_byte(db: Database) -> None:
    seller = a_seller(db)
    body = bytes(range(256)) * 3

    db.transact_now(
        insert_arrived, [Arrived(seller.accounts["shop"].account_id, "k", "ünï 'topic' %s ?", "poll", body)], NOW
    )

    (found,) = db.read_now(load_new, 10)
    assert (found.body, found.topic, found.way) == (body, "ünï 'topic' %s ?", "poll")

"""What one process works on may change while it runs: leases are added and given back, the others stay as they are."""

from __future__ import annotations

import asyncio
import os

import pytest

from syncd.clock import real_now
from syncd.db.database import Database
from syncd.db.lease import Fenced, acquire, guard, process_of, release, this_process
from syncd.leases import SCHEDULER, AlreadyRunning, LeaseKeeper, account_lease

SHOP, OUTLET = account_lease("shop"), account_lease("outlet")


async def a_keeper(db: Database) -> LeaseKeeper:
    keeper = LeaseKeeper(db, [SCHEDULER, SHOP])
    await keeper.acquire()
    return keeper


async def test_a_new_lease_comes_beside_those_that_are_held(db: Database) -> None:
    keeper = await a_keeper(db)

    assert await keeper.take([SCHEDULER, SHOP, OUTLET]) == (OUTLET,)

    assert keeper.names == {SCHEDULER, SHOP, OUTLET}
    assert [keeper.lease(name).token for name in (SCHEDULER, SHOP, OUTLET)] == [1, 1, 1], "nothing is fenced by it"
    await keeper.renew()


async def test_one_that_another_process_holds_is_not_taken_nor_any_beside_it(db: Database) -> None:
    keeper = await a_keeper(db)
    await db.transact(acquire, OUTLET, "another process", real_now())

    with pytest.raises(AlreadyRunning):
        await keeper.take([account_lease("a-third"), OUTLET])

    assert keeper.names == {SCHEDULER, SHOP}
    assert (await db.transact(acquire, account_lease("a-third"), "another process", real_now())).holder


async def test_what_is_dropped_is_free_and_the_rest_is_renewed(db: Database) -> None:
    keeper = await a_keeper(db)

    await keeper.drop([SHOP, "account:never-held"])
    await keeper.renew()

    assert keeper.names == {SCHEDULER}
    taken = await db.transact(acquire, SHOP, "another process", real_now())
    assert taken.holder == "another process"


async def test_what_is_taken_anew_fences_what_went_before(db: Database) -> None:
    keeper = await a_keeper(db)
    before = keeper.lease(SHOP)

    await keeper.retake()

    assert keeper.lease(SHOP).token == before.token + 1
    with pytest.raises(Fenced):
        await db.transact(guard, before)
    await db.transact(guard, keeper.lease(SHOP))
    await keeper.renew()


async def test_what_another_took_meanwhile_is_not_taken_anew(db: Database) -> None:
    keeper = await a_keeper(db)
    await db.transact(release, (keeper.lease(SHOP),))
    await db.transact(acquire, SHOP, "another process", real_now())

    with pytest.raises(Fenced):
        await keeper.retake()


async def test_one_that_is_given_back_while_all_are_renewed_is_not_taken_for_lost(db: Database) -> None:
    keeper = await a_keeper(db)
    for _ in range(10):
        await keeper.take([OUTLET])
        await asyncio.gather(keeper.renew(), keeper.drop([OUTLET]), keeper.renew())

    assert keeper.names == {SCHEDULER, SHOP}


def test_a_holder_of_this_machine_tells_its_process() -> None:
    mine = this_process()
    host, boot, pid, started = mine.split("/")

    assert process_of(mine) == os.getpid()
    for gone in (f"elsewhere/{boot}/{pid}/{started}", f"{host}/another-boot/{pid}/{started}", f"{host}/{boot}/{pid}/1"):
        assert process_of(gone) is None
    assert process_of("another process") is None

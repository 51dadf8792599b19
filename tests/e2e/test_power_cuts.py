"""Power cuts: the daemon is killed without warning while orders come in, and nothing is lost or done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from syncd.chance import SeededRng
from syncd.db.tables import (
    account,
    level,
    order_line,
    reservation,
    sales_order,
    shortage,
    sku,
    warehouse,
)
from syncd.simulation.checker.check import check_at_rest
from syncd.simulation.demo import wait_for_quiet
from syncd.simulation.shop_control import ShopCounter
from syncd.simulation.stage import Stage, set_stage, truths

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SHIP_TO = {"name": "A Shopper", "city": "Denver", "zip": "80202", "country": "US", "address1": "1 Main Street"}


@dataclass(frozen=True)
class Doing:
    """One line of the script: what a shopper or the staff does in a shop."""

    shop: int
    lines: tuple[tuple[str, int], ...]
    then: str  # "", cancel, edit or fulfil


def a_script(skus: Sequence[str], orders: int) -> list[Doing]:
    rng = SeededRng(11, "script")
    doings = []
    for number in range(orders):
        first = skus[rng.randrange(len(skus))]
        second = skus[rng.randrange(len(skus))]
        lines = ((first, 1 + rng.randrange(2)),) if first == second else ((first, 1 + rng.randrange(2)), (second, 1))
        doings.append(Doing(rng.randrange(2), lines, ("", "", "cancel", "edit", "fulfil")[number % 5]))
    return doings


async def act(shop: ShopCounter, doing: Doing) -> None:
    placed = await shop.place(doing.lines, SHIP_TO)
    assert placed is not None, "stock is ample: every order is accepted"
    await asyncio.sleep(0.05)
    if doing.then == "cancel":
        await shop.cancel(placed.order_id)
    elif doing.then == "edit":
        await shop.edit(placed.order_id, doing.lines[0][0], doing.lines[0][1] + 1)
    elif doing.then == "fulfil":
        await shop.fulfil(placed.order_id)


async def play(folder: Path, orders: int, kills: int) -> dict[str, Any]:
    """Play the script with so many power cuts; what the book and the shops are in the end, ids and instants aside."""
    stage = await set_stage(folder, seed=5, speed=60.0, ample=True, faults=kills > 0, skus=20)
    try:
        script = a_script([article.sku for article in stage.world.articles], orders)
        cutting = asyncio.create_task(cut_power(stage, kills))
        for doing in script:
            await act(stage.counters[doing.shop], doing)
            await asyncio.sleep(0.1)
        await cutting
        assert stage.restarts == kills
        assert await wait_for_quiet(stage, 3600.0), "everything comes to rest"
        assert (await check_at_rest(stage)).findings == []
        truth = await truths(stage)
        book = stage.setup.db.read_now(read_book)
        shown = {(key, each["sku"]): each["available"] for key, told in truth.items() for each in told["levels"]}
        return {**book, "shown": shown, "accepted": len(script)}
    finally:
        await stage.close()


async def cut_power(stage: Stage, kills: int) -> None:
    rng = SeededRng(3, "cuts")
    for _ in range(kills):
        await asyncio.sleep(rng.uniform(0.4, 1.6))
        await stage.kill_daemon()


def read_book(connection: Connection) -> dict[str, Any]:
    orders = connection.execute(
        select(account.c.key, sales_order.c.name, sales_order.c.state).join(
            sales_order, sales_order.c.account_id == account.c.id
        )
    )
    lines = connection.execute(
        select(
            account.c.key,
            sales_order.c.name,
            order_line.c.code,
            order_line.c.quantity,
            order_line.c.fulfilled,
            order_line.c.shipped,
            sku.c.code,
            warehouse.c.key,
            reservation.c.stage,
            reservation.c.quantity,
        )
        .join(sales_order, sales_order.c.account_id == account.c.id)
        .join(order_line, order_line.c.order_id == sales_order.c.id)
        .join(reservation, reservation.c.order_line_id == order_line.c.id)
        .join(sku, sku.c.id == reservation.c.sku_id)
        .join(warehouse, warehouse.c.id == reservation.c.warehouse_id)
        .where(reservation.c.quantity > 0)
    )
    levels = connection.execute(
        select(sku.c.code, warehouse.c.key, level.c.on_hand, level.c.reserved, level.c.short)
        .join(sku, sku.c.id == level.c.sku_id)
        .join(warehouse, warehouse.c.id == level.c.warehouse_id)
    )
    short = connection.execute(select(shortage.c.reason, shortage.c.quantity).where(shortage.c.closed_at.is_(None)))
    return {
        "orders": sorted(tuple(row) for row in orders),
        "reservations": sorted(tuple(row) for row in lines),
        "levels": sorted(tuple(row) for row in levels),
        "shortages": sorted(tuple(row) for row in short),
    }


@pytest.mark.parametrize(("orders", "kills"), [(20, 1), pytest.param(70, 5, marks=pytest.mark.soak)])
async def test_power_cuts_leave_the_same_book_as_none(tmp_path: Path, orders: int, kills: int) -> None:
    undisturbed = await play(tmp_path / "calm", orders, kills=0)

    cut = await play(tmp_path / "cut", orders, kills)

    assert len(undisturbed["orders"]) == undisturbed["accepted"]
    assert undisturbed["reservations"]
    for part in ("orders", "reservations", "levels", "shortages", "shown"):
        assert cut[part] == undisturbed[part], part

"""Kits of kits: whatever shares a component shares its pieces, and no kit ever contains itself."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from adapters.contract import OrderState
from allocation import Policy
from syncd.catalogue import items as imports
from syncd.catalogue.bill_store import components_of
from syncd.catalogue.bills import Components
from syncd.catalogue.item_file import Item
from syncd.catalogue.item_store import record_items
from syncd.catalogue.items import import_items
from syncd.catalogue.kits import RecordedKits, record_kits
from syncd.db.database import Database
from syncd.publishing.load import load_stock
from syncd.reconcile.audit import audit
from tests.integration.conftest import ON_POSTGRESQL
from tests.support.builders import ENGINES, NOW, Seller, a_database, a_line, a_seller, an_order, insert_listing

SHELF = ("A", "B", "C")
KITS = ("K0", "K1", "K2", "K3")
PLACES = ("hamburg", "berlin")

Bills = dict[str, dict[str, int]]


@st.composite
def bills_of_kits(draw: st.DrawFn) -> Bills:
    """Each kit is made of goods on the shelf and of kits before it."""
    bills: Bills = {}
    for number, kit in enumerate(KITS):
        parts = st.sampled_from((*SHELF, *KITS[:number]))
        bills[kit] = draw(st.dictionaries(parts, st.integers(1, 2), min_size=1, max_size=3))
    return bills


orders_of_all_kinds = st.lists(
    st.lists(st.tuples(st.sampled_from((*SHELF, *KITS)), st.integers(1, 3)), min_size=1, max_size=4),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("engine", [pytest.param(e, marks=[pytest.mark.postgres] * (e != "sqlite")) for e in ENGINES])
@settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    bills=bills_of_kits(),
    stock=st.lists(st.integers(0, 12), min_size=6, max_size=6),
    wishes=orders_of_all_kinds,
    policy=st.sampled_from(Policy),
)
def test_a_batch_promises_what_is_there_no_piece_twice_and_none_left_over(
    engine: str, tmp_path: Path, bills: Bills, stock: list[int], wishes: list[list[tuple[str, int]]], policy: Policy
) -> None:
    found = {place: dict(zip(SHELF, stock[3 * n :], strict=False)) for n, place in enumerate(PLACES)}
    with a_database(engine, tmp_path) as db:
        seller, made = a_seller_of_kits(db, found, bills, policy)
        batch = [an_order_of(f"order {n}", wish) for n, wish in enumerate(wishes)]

        seller.takes_in(*batch)

        promised = Counter[tuple[str, str]]()
        for order in batch:
            for (_, sku, place), pieces in seller.reserved(order.channel_order_id).items():
                promised[sku, place] += pieces
        free = {(sku, place): found[place][sku] - promised[sku, place] for sku in SHELF for place in PLACES}
        assert min(free.values()) >= 0
        for order, wish in zip(batch, wishes, strict=True):
            assert all(is_promised_or_short(seller, order, wish, made))
        parts = {name: {code_of(seller, sku_id): n for sku_id, n in made[name]} for name in made}
        assert not [name for name in short_lines(seller) if makeable(parts[name], free)]
        assert shown(seller) == {name: sellable(seller, parts[name], free) for name in made}
        assert audit(db).clean


def test_the_database_stores_no_kit_that_contains_itself(db: Database) -> None:
    seller, _ = a_seller_of_kits(db, {"hamburg": {"A": 1}}, {"K0": {"A": 1}, "K1": {"K0": 1}, "K2": {"K1": 2}})
    inside, outside, other = (seller.skus[kit] for kit in ("K0", "K2", "K1"))

    for statement in (
        f"INSERT INTO bill_of_materials (sku_id, component_sku_id, units) VALUES ({inside}, {outside}, 1)",
        f"INSERT INTO bill_of_materials (sku_id, component_sku_id, units) VALUES ({inside}, {inside}, 1)",
        f"UPDATE bill_of_materials SET component_sku_id = {outside} WHERE sku_id = {inside}",
        f"UPDATE bill_of_materials SET sku_id = {other}, component_sku_id = {outside} WHERE sku_id = {inside}",
    ):
        with pytest.raises(DBAPIError, match="a kit cannot contain itself"):
            seller.does(statement)


def test_a_file_that_turns_kits_inside_out_goes_in_whatever_is_taken_over_first(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known: K0 in K1 in K2. New: K2 in K1 in K0, one transaction each."""
    seller, _ = a_seller_of_kits(db, {"hamburg": {"A": 1}}, {"K0": {"A": 1}, "K1": {"K0": 1}, "K2": {"K1": 1}})
    monkeypatch.setattr(imports, "KITS_A_TRANSACTION", 1)
    file = tmp_path / "items.csv"
    file.write_text("sku,component,units\nA,,\nK0,K1,2\nK1,K2,2\nK2,A,2\n")

    done = import_items(db, file, NOW)

    assert (done.changed, done.rejected) == (4, ())  # A gets a name by which it is found
    assert db.read_now(components_of, [seller.skus["K0"]]) == {seller.skus["K0"]: ((seller.skus["A"], 8),)}


@ON_POSTGRESQL
def test_two_halves_of_a_loop_that_come_at_once_are_told_to_the_second(db: Database) -> None:
    seller, _ = a_seller_of_kits(db, {"hamburg": {"A": 1}}, {"K0": {"A": 1}, "K1": {"A": 1}})
    ids, second = seller.skus, list[RecordedKits]()
    other = threading.Thread(
        target=lambda: second.append(db.transact_now(record_kits, {ids["K1"]: {ids["K0"]: 1}}, NOW))
    )

    with db.writer.begin() as first:
        record_kits(first, {ids["K0"]: {ids["K1"]: 1}}, NOW)
        other.start()
        deadline = time.monotonic() + 10
        while not waits_for_bills(db) and time.monotonic() < deadline:
            time.sleep(0.01)
    other.join()

    assert second[0].refused == {"K1": "it contains itself: K1 > K0 > K1"}
    assert db.read_now(components_of, [ids["K0"]]) == {ids["K0"]: ((ids["A"], 1),)}


def test_open_orders_keep_what_they_are_made_of_when_a_kit_inside_a_kit_changes(db: Database) -> None:
    seller, _ = a_seller_of_kits(db, {"hamburg": {"A": 9, "B": 9}}, {"K0": {"A": 1}, "K1": {"K0": 2}})
    seller.takes_in(an_order(sku="K1", quantity=1, order_id="before"))

    db.transact_now(record_kits, {seller.skus["K0"]: {seller.skus["B"]: 1}}, NOW)
    seller.takes_in(an_order(sku="K1", quantity=1, order_id="after"))
    seller.takes_in(an_order(sku="K1", quantity=2, order_id="before", minute=1), now=NOW + timedelta(minutes=1))

    assert seller.reserved("before") == {("1", "A", "hamburg"): 4}
    assert seller.reserved("after") == {("1", "B", "hamburg"): 2}


def a_seller_of_kits(
    db: Database, stock: Mapping[str, Mapping[str, int]], bills: Bills, policy: Policy = Policy.PRIORITY
) -> tuple[Seller, dict[str, Components]]:
    """A seller of what stands on the shelf and of these kits, each with its listing; what each is made of, flat."""
    seller = a_seller(db, dict(stock), warehouses=dict.fromkeys(stock, "own"))
    seller.accounts = {key: replace(view, policy=policy) for key, view in seller.accounts.items()}
    db.transact_now(record_items, [Item(n, kit) for n, kit in enumerate(bills)], NOW)
    seller.skus |= {row["code"]: row["id"] for row in seller.rows("SELECT id, code FROM sku")}
    ids = seller.skus
    db.transact_now(record_kits, {ids[kit]: {ids[p]: n for p, n in parts.items()} for kit, parts in bills.items()}, NOW)
    flat = db.read_now(components_of, ids.values())
    names = {sku_id: code for code, sku_id in ids.items()}
    for kit in bills:
        parts = {names[sku_id]: units for sku_id, units in flat[ids[kit]]}
        db.transact_now(insert_listing, seller, "shop", kit, parts)
    return seller, {code: flat[sku_id] for code, sku_id in ids.items()}


def an_order_of(name: str, wish: Sequence[tuple[str, int]]) -> OrderState:
    lines = [a_line(listing, units, line_id=str(n)) for n, (listing, units) in enumerate(wish)]
    return an_order(*lines, order_id=name)


def is_promised_or_short(
    seller: Seller, order: OrderState, wish: Sequence[tuple[str, int]], made: Mapping[str, Components]
) -> list[bool]:
    """Whether the pieces of each SKU that an order wants are all either promised to it or short."""
    names = {sku_id: code for code, sku_id in seller.skus.items()}
    wanted: Counter[str] = Counter()
    for listing, units in wish:
        for sku_id, pieces in made[listing]:
            wanted[names[sku_id]] += pieces * units
    for (_, sku, _), pieces in seller.reserved(order.channel_order_id).items():
        wanted[sku] -= pieces
    for lacked, pieces, _ in seller.shortages(order.channel_order_id):
        wanted[lacked or ""] -= pieces
    return [left == 0 for left in wanted.values()]


def short_lines(seller: Seller) -> list[str]:
    """The listings of lines that wait for something."""
    found = seller.rows(
        "SELECT DISTINCT l.line_key FROM shortage h JOIN order_line l ON l.id = h.order_line_id"
        " WHERE h.closed_at IS NULL"
    )
    return [row["line_key"] for row in found]


def makeable(parts: Mapping[str, int], free: Mapping[tuple[str, str], int]) -> int:
    """Units that can be made of what is free, each whole in one warehouse."""
    return sum(min(free[sku, place] // units for sku, units in parts.items()) for place in PLACES)


def sellable(seller: Seller, parts: Mapping[str, int], free: Mapping[tuple[str, str], int]) -> int:
    """What a listing made of these parts may show: what orders lack of them goes first."""
    lacked = Counter({row["code"]: int(row["n"]) for row in seller.rows(_LACKED)})
    left = {sku: sum(free[sku, place] for place in PLACES) - lacked[sku] for sku in parts}
    return max(0, min(makeable(parts, free), *(left[sku] // units for sku, units in parts.items())))


_LACKED = (
    "SELECT s.code, sum(h.quantity) AS n FROM shortage h JOIN sku s ON s.id = h.sku_id WHERE h.closed_at IS NULL"
    " GROUP BY s.code"
)


def shown(seller: Seller) -> dict[str, int]:
    """What every listing may show."""
    stock = seller.db.read_now(load_stock, list(seller.listings.values()))
    return {name: stock[listing_id].number.quantity for name, listing_id in seller.listings.items()}


def code_of(seller: Seller, sku_id: int) -> str:
    return next(code for code, known in seller.skus.items() if known == sku_id)


def waits_for_bills(db: Database) -> bool:
    """Whether somebody waits to change bills."""
    query = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    return bool(db.read_now(lambda connection: connection.execute(query).scalar_one()))

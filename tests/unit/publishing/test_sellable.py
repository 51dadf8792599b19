"""How many units may be shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncd.publishing.sellable import ComponentStock, sellable


def a_component(
    sku_id: int = 1, units: int = 1, available: dict[int, int] | None = None, **more: int
) -> ComponentStock:
    terms = {"safety_stock": 0, "shortage": 0, "unseen": 0} | more
    return ComponentStock(sku_id, units, available if available is not None else {1: 10}, **terms)


def test_a_plain_listing_shows_what_the_pool_has() -> None:
    assert sellable((a_component(available={1: 3, 2: 4}),), buffer=0, cap=None).quantity == 7


def test_a_pack_never_mixes_warehouses() -> None:
    # Two pieces here and one there make no pack of three, although there are three pieces.
    found = sellable((a_component(units=3, available={1: 2, 2: 1}),), buffer=0, cap=None)

    assert found.quantity == 0
    assert found.makeable == 0


def test_a_kit_is_as_scarce_as_its_scarcest_component() -> None:
    kit = (a_component(1, 1, {1: 10}), a_component(2, 2, {1: 5}))

    found = sellable(kit, buffer=0, cap=None)

    assert (found.quantity, found.bound_by) == (2, 2)


def test_shortage_safety_stock_unseen_demand_and_buffer_are_each_kept_back() -> None:
    component = a_component(available={1: 20}, safety_stock=2, shortage=3, unseen=4)

    assert sellable((component,), buffer=5, cap=None).quantity == 6


def test_what_one_warehouse_is_short_of_lowers_what_the_others_may_show() -> None:
    assert sellable((a_component(available={1: -2, 2: 5}),), buffer=0, cap=None).quantity == 3


def test_a_cap_is_never_passed_and_an_unmapped_listing_shows_nothing() -> None:
    assert sellable((a_component(available={1: 9}),), buffer=0, cap=4).quantity == 4
    assert sellable((), buffer=0, cap=None).quantity == 0


stock = st.dictionaries(st.integers(1, 4), st.integers(-5, 30), max_size=4)
component = st.builds(
    ComponentStock,
    sku_id=st.integers(1, 50),
    units=st.integers(1, 4),
    available=stock,
    safety_stock=st.integers(0, 5),
    shortage=st.integers(0, 5),
    unseen=st.integers(0, 5),
)


@given(st.lists(component, max_size=4, unique_by=lambda c: c.sku_id), st.integers(0, 5), st.none() | st.integers(0, 9))
def test_it_never_promises_more_pieces_than_are_free(
    components: list[ComponentStock], buffer: int, cap: int | None
) -> None:
    quantity = sellable(tuple(components), buffer, cap).quantity

    assert quantity >= 0
    assert cap is None or quantity <= cap
    for each in components:
        free = sum(each.available.values()) - each.safety_stock - each.shortage - each.unseen
        assert quantity * each.units <= max(0, free)

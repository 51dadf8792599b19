"""Item files: what rows declare, which contradict each other, and which kits cannot be made."""

from __future__ import annotations

from syncd.catalogue.bills import DEEPEST, Unmakeable, bottom_up, flatten, unmakeable
from syncd.catalogue.codes import normalise
from syncd.catalogue.item_file import Item, Kit, Part, read_items
from syncd.catalogue.item_store import refuse_taken
from syncd.catalogue.kits import name_parts
from syncd.catalogue.relisting import MadeListing, match_listings
from syncd.csv_rows import RowError

CLOCK, HAND, BOX, SET = 1, 2, 3, 4


def rows(*cells: dict[str, str]) -> list[tuple[int, dict[str, str]] | RowError]:
    return [(number, {"sku": "", **each}) for number, each in enumerate(cells, start=2)]


def places(errors: list[RowError] | tuple[RowError, ...]) -> list[tuple[int, str]]:
    return [(error.line, error.column) for error in errors]


# --- codes ----------------------------------------------------------------------------------------------------


def test_codes_differ_only_by_what_people_see() -> None:
    same = {normalise(code) for code in (" Red  Clock", "RED CLOCK", "\uff32ed\u00a0clock\t")}

    assert same == {"red clock"}
    assert normalise("STRASSE") == normalise("straße")
    assert normalise(normalise("ſﬁ K")) == normalise("ſﬁ K")


# --- declarations ---------------------------------------------------------------------------------------------


def test_a_row_declares_a_sku_with_what_it_says() -> None:
    read = read_items(
        rows({"sku": "A", "title": "Clock", "gtin": "4006381 333931", "safety_stock": "3", "alias": " a-old |A| x "})
    )

    assert read.items == (Item(2, "A", "Clock", "4006381333931", 3, ("a-old", "x")),)
    assert not read.rejected


def test_an_empty_cell_says_nothing() -> None:
    read = read_items(rows({"sku": "A", "title": "", "gtin": "", "safety_stock": "", "alias": "", "component": ""}))

    assert read.items == (Item(2, "A"),)


def test_two_rows_may_tell_of_one_sku_unless_they_contradict_each_other() -> None:
    read = read_items(
        rows(
            {"sku": "A", "title": "Clock", "alias": "x"},
            {"sku": "A", "safety_stock": "2", "alias": "y"},
            {"sku": "A", "title": "Watch"},
        )
    )

    assert read.items == (Item(2, "A", "Clock", None, 2, ("x", "y")),)
    assert places(read.rejected) == [(4, "title")]


def test_bad_cells_are_named_and_good_rows_go_in() -> None:
    read = read_items(
        rows(
            {"sku": "A", "gtin": "4.00638E+12"},
            {"sku": "B", "safety_stock": "-1"},
            {"title": "no sku"},
            {"sku": "C", "units": "2"},
            {"sku": "D"},
        )
    )

    assert [item.code for item in read.items] == ["D"]
    assert places(read.rejected) == [(2, "gtin"), (3, "safety_stock"), (4, "sku"), (5, "component")]


# --- kits -----------------------------------------------------------------------------------------------------


def test_rows_with_a_component_build_a_kit_before_or_after_it_is_declared() -> None:
    read = read_items(
        rows(
            {"sku": "SET", "component": "A", "units": "2"},
            {"sku": "SET", "title": "Set"},
            {"sku": "set", "component": "B", "units": "1"},
        )
    )

    assert read.kits == (Kit("set", (Part(2, "A", 2), Part(4, "B", 1))),)
    assert [item.code for item in read.items] == ["SET"]


def test_one_row_may_declare_a_kit_and_name_a_part() -> None:
    read = read_items(rows({"sku": "SET", "title": "Set", "component": "A", "units": "2"}))

    assert read.items == (Item(2, "SET", "Set"),)
    assert read.kits == (Kit("set", (Part(2, "A", 2),)),)


def test_a_kit_with_a_bad_part_does_not_go_in_at_all() -> None:
    read = read_items(
        rows(
            {"sku": "SET", "component": "A", "units": "2"},
            {"sku": "SET", "component": "B", "units": "none"},
            {"sku": "PACK", "component": "A", "units": "3"},
        )
    )

    assert [kit.code for kit in read.kits] == ["pack"]
    assert sorted(places(read.rejected)) == [(2, "component"), (3, "units")]


def test_a_component_named_twice_for_a_kit_is_refused() -> None:
    read = read_items(
        rows({"sku": "SET", "component": "A", "units": "2"}, {"sku": "SET", "component": "a", "units": "2"})
    )

    assert read.kits == ()
    assert sorted(places(read.rejected)) == [(2, "component"), (3, "component")]


def test_a_row_that_nobody_can_read_may_be_a_part_of_any_kit() -> None:
    unreadable = RowError(9, "", "a quote is opened and never closed", "Close it")

    read = read_items([*rows({"sku": "SET", "component": "A", "units": "2"}, {"sku": "A"}), unreadable])

    assert [item.code for item in read.items] == ["A"]
    assert read.kits == ()
    assert sorted(places(read.rejected)) == [(2, "component"), (9, "")]


def test_parts_are_found_by_any_name_of_a_sku() -> None:
    kits = [Kit("set", (Part(2, "Clock", 2),)), Kit("old-set", (Part(3, "HAND", 1),))]

    made, rejected = name_parts(kits, {"set": SET, "old-set": SET, "clock": CLOCK, "hand": HAND})

    assert made == {SET: {CLOCK: Part(2, "Clock", 2), HAND: Part(3, "HAND", 1)}}
    assert not rejected


def test_an_unknown_part_spoils_its_kit_and_an_unknown_kit_its_rows() -> None:
    kits = [Kit("set", (Part(2, "clock", 2), Part(3, "nothing", 1))), Kit("unknown", (Part(4, "clock", 1),))]

    made, rejected = name_parts(kits, {"set": SET, "clock": CLOCK})

    assert made == {}
    assert sorted(places(rejected)) == [(2, "component"), (3, "component"), (4, "sku")]


def test_one_part_under_two_names_is_refused() -> None:
    kits = [Kit("set", (Part(2, "clock", 2), Part(3, "uhr", 1)))]

    made, rejected = name_parts(kits, {"set": SET, "clock": CLOCK, "uhr": CLOCK})

    assert made == {}
    assert sorted(places(rejected)) == [(2, "component"), (3, "component")]


# --- names ----------------------------------------------------------------------------------------------------


def test_a_code_that_names_another_sku_is_refused() -> None:
    accepted, rejected = refuse_taken([Item(2, "A"), Item(3, "a"), Item(4, "OLD")], {"old": "NEW"})

    assert [item.code for item in accepted] == ["A"]
    assert [(error.line, error.problem) for error in rejected] == [
        (3, "a is another name of A"),
        (4, "OLD is another name of NEW"),
    ]


def test_an_alias_names_one_sku() -> None:
    items = [Item(2, "A", aliases=("B",)), Item(3, "B"), Item(4, "C", aliases=("x",)), Item(5, "D", aliases=("X",))]

    accepted, rejected = refuse_taken(items, {})

    assert [item.code for item in accepted] == ["B", "C"]
    assert places(rejected) == [(2, "alias"), (5, "alias")]


# --- bills ----------------------------------------------------------------------------------------------------


def test_a_kit_of_kits_is_made_of_what_stands_on_the_shelf() -> None:
    bills = {SET: {BOX: 2, HAND: 1}, BOX: {CLOCK: 3, HAND: 2}}

    assert flatten(bills, SET) == ((CLOCK, 6), (HAND, 5))
    assert flatten(bills, CLOCK) == ((CLOCK, 1),)


def test_a_loop_is_refused_and_shown_and_nothing_else_is() -> None:
    refused = unmakeable({BOX: {SET: 1}}, {SET: {HAND: 1, BOX: 2}, 9: {BOX: 1}, 8: {8: 1}})

    assert refused == {
        SET: Unmakeable("it contains itself", (SET, BOX, SET)),
        8: Unmakeable("it contains itself", (8, 8)),
    }


def test_a_loop_that_the_file_itself_opens_is_none() -> None:
    assert unmakeable({SET: {BOX: 1}}, {SET: {CLOCK: 1}, BOX: {SET: 1}}) == {}


def test_kits_lie_in_one_another_only_so_deep() -> None:
    chain = {number: {number + 1: 1} for number in range(DEEPEST + 1)}

    assert flatten(chain, 1) == ((DEEPEST + 1, 1),)
    assert flatten(chain, 0) is None
    assert set(unmakeable({}, chain)) == {0}


def test_a_kit_below_known_ones_may_not_push_them_too_deep() -> None:
    known = {number: {number + 1: 1} for number in range(DEEPEST)}

    assert set(unmakeable(known, {DEEPEST: {100: 1}})) == {DEEPEST}


def test_a_kit_of_more_pieces_than_a_column_holds_is_refused() -> None:
    assert set(unmakeable({}, {SET: {BOX: 1_000_000}, BOX: {CLOCK: 1_000_000}})) == {SET}


def test_a_long_chain_of_kits_costs_no_recursion() -> None:
    assert len(unmakeable({}, {number: {number + 1: 1} for number in range(1_500)})) == 1_500 - DEEPEST


def test_kits_are_taken_over_from_the_bottom_up() -> None:
    """Also where one lies in another only by way of a kit that stays as it is."""
    known = {SET: {BOX: 1}, 9: {SET: 1}}

    assert bottom_up(known, {SET: {8: 1}, 8: {9: 1}, 9: {BOX: 1}}) == [9, 8, SET]
    assert bottom_up({7: {BOX: 1}}, {6: {7: 1}, BOX: {CLOCK: 1}}) == [BOX, 6]


# --- which listings follow a kit ------------------------------------------------------------------------------

OLD, NEW = ((CLOCK, 1),), ((CLOCK, 2),)


def test_a_listing_follows_the_sku_that_its_code_names() -> None:
    made = [MadeListing(10, OLD, SET), MadeListing(11, OLD, BOX), MadeListing(12, NEW, SET)]

    chosen, left = match_listings(made, {SET: OLD}, {SET: NEW}, {OLD: {BOX}})

    assert (chosen, left) == ({10: SET}, [])


def test_a_listing_mapped_by_hand_follows_the_only_sku_made_as_it_is() -> None:
    assert match_listings([MadeListing(10, OLD, None)], {SET: OLD}, {SET: NEW}, {}) == ({10: SET}, [])


def test_a_listing_that_could_stay_as_it_is_is_left_to_a_person() -> None:
    assert match_listings([MadeListing(10, OLD, None)], {SET: OLD}, {SET: NEW}, {OLD: {BOX}}) == ({}, [10])
    two = {SET: NEW, BOX: ((CLOCK, 3),)}
    assert match_listings([MadeListing(10, OLD, None)], {SET: OLD, BOX: OLD}, two, {}) == ({}, [10])

"""What each policy chooses, and what it says about the choice."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

import allocation
from allocation import Candidate, Demand, DemandLine, Plan, Policy, Reason, SkuId, WarehouseId, plan, rederive

CLOCK, HAND, CASE = SkuId(1), SkuId(2), SkuId(3)
EVERY_POLICY = pytest.mark.parametrize("policy", list(Policy))


def a_line(
    sku: SkuId = CLOCK, quantity: int = 1, *, line: int = 1, pack: int = 1, kit: Mapping[SkuId, int] | None = None
) -> DemandLine:
    return DemandLine(line, quantity, tuple(kit.items()) if kit else ((sku, pack),))


def a_demand(*lines: DemandLine) -> Demand:
    return Demand(lines or (a_line(),))


def a_candidate(
    warehouse: int,
    free: Mapping[SkuId, int],
    *,
    rank: int = 0,
    km: float | None = 100.0,
    parcel: int | None = 400,
    unit: int | None = 50,
) -> Candidate:
    return Candidate(WarehouseId(warehouse), rank, free, km, parcel, unit)


def shares(plan: Plan) -> list[tuple[int, int, int]]:
    return [(share.line, share.warehouse, share.quantity) for share in plan.shares]


def reasons(plan: Plan, exponent: int = 2) -> dict[int, str]:
    return {each.warehouse: each.why(exponent) for each in plan.considered}


class TestEveryPolicy:
    @EVERY_POLICY
    def test_one_warehouse_that_has_it_all_serves_it_all(self, policy: Policy) -> None:
        demand = a_demand(a_line(CLOCK, 2, line=1), a_line(HAND, 1, line=2))
        stocked, empty = a_candidate(1, {CLOCK: 5, HAND: 5}), a_candidate(2, {})

        made = plan(policy, demand, [stocked, empty])

        assert shares(made) == [(1, 1, 2), (2, 1, 1)]
        assert made.short == ()
        assert reasons(made) == {1: "used", 2: "holds none of it"}
        assert made.policy == policy
        assert made.version == 1

    @EVERY_POLICY
    def test_two_lines_of_one_sku_never_count_the_same_piece_twice(self, policy: Policy) -> None:
        demand = a_demand(a_line(CLOCK, 2, line=1), a_line(CLOCK, 2, line=2))

        made = plan(policy, demand, [a_candidate(1, {CLOCK: 3})])

        assert shares(made) == [(1, 1, 2), (2, 1, 1)]
        assert made.short == ((2, 1),)

    @EVERY_POLICY
    def test_two_kits_that_share_a_component_never_count_it_twice(self, policy: Policy) -> None:
        demand = a_demand(a_line(line=1, kit={CLOCK: 1, HAND: 1}), a_line(line=2, kit={CLOCK: 1, CASE: 1}))

        made = plan(policy, demand, [a_candidate(1, {CLOCK: 1, HAND: 1, CASE: 1})])

        assert shares(made) == [(1, 1, 1)]
        assert made.short == ((2, 1),)

    @EVERY_POLICY
    def test_a_pack_is_never_made_of_pieces_from_two_warehouses(self, policy: Policy) -> None:
        demand = a_demand(a_line(CLOCK, 2, pack=3))

        made = plan(policy, demand, [a_candidate(1, {CLOCK: 5}), a_candidate(2, {CLOCK: 2})])

        assert shares(made) == [(1, 1, 1)]
        assert made.short == ((1, 1),)
        assert reasons(made) == {1: "used", 2: "holds parts but completes no unit"}

    @EVERY_POLICY
    def test_a_kit_that_names_a_sku_twice_needs_both(self, policy: Policy) -> None:
        demand = a_demand(DemandLine(1, 1, ((CLOCK, 1), (HAND, 1), (CLOCK, 1))))

        assert plan(policy, demand, [a_candidate(1, {CLOCK: 1, HAND: 1})]).short == ((1, 1),)
        assert plan(policy, demand, [a_candidate(1, {CLOCK: 2, HAND: 1})]).short == ()

    @EVERY_POLICY
    def test_scarce_pieces_make_as_many_listing_units_as_they_can(self, policy: Policy) -> None:
        demand = a_demand(a_line(CLOCK, 1, line=1, pack=3), a_line(CLOCK, 3, line=2))

        made = plan(policy, demand, [a_candidate(1, {CLOCK: 3})])

        assert shares(made) == [(2, 1, 3)]
        assert made.short == ((1, 1),)

    @EVERY_POLICY
    def test_packs_find_room_that_plain_units_could_have_taken(self, policy: Policy) -> None:
        demand = a_demand(a_line(CLOCK, 2, line=1, pack=2), a_line(CLOCK, 1, line=2, pack=3))

        made = plan(policy, demand, [a_candidate(1, {CLOCK: 3}), a_candidate(2, {CLOCK: 4})])

        assert shares(made) == [(1, 2, 2), (2, 1, 1)]
        assert made.short == ()

    @EVERY_POLICY
    def test_scarce_pieces_make_plain_units_first_in_orders_too_large_to_search(self, policy: Policy) -> None:
        demand = a_demand(a_line(CLOCK, 500, line=1), a_line(CLOCK, 100, line=2, pack=5))

        made = plan(policy, demand, [a_candidate(1, {CLOCK: 300}), a_candidate(2, {CLOCK: 205})])

        assert made.short == ((2, 99),)

    @EVERY_POLICY
    def test_packs_find_room_in_orders_too_large_to_search(self, policy: Policy) -> None:
        demand = a_demand(a_line(CLOCK, 3, line=1), a_line(CLOCK, 200, line=2, pack=5))

        made = plan(policy, demand, [a_candidate(1, {CLOCK: 500}), a_candidate(2, {CLOCK: 503})])

        assert made.short == ()

    @EVERY_POLICY
    def test_without_candidates_all_is_short(self, policy: Policy) -> None:
        made = plan(policy, a_demand(a_line(CLOCK, 2)), [])

        assert made.shares == ()
        assert made.short == ((1, 2),)
        assert made.considered == ()
        assert made.cost_minor == 0

    @EVERY_POLICY
    def test_zero_and_negative_stock_serve_nothing(self, policy: Policy) -> None:
        made = plan(policy, a_demand(), [a_candidate(1, {CLOCK: 0}), a_candidate(2, {CLOCK: -3})])

        assert made.short == ((1, 1),)
        assert reasons(made) == {1: "holds none of it", 2: "holds none of it"}

    @EVERY_POLICY
    def test_an_empty_demand_plans_nothing(self, policy: Policy) -> None:
        made = plan(policy, Demand(()), [a_candidate(1, {CLOCK: 1})])

        assert made.shares == ()
        assert made.short == ()

    @EVERY_POLICY
    def test_complete_equals_are_decided_by_the_lower_id(self, policy: Policy) -> None:
        twins = [a_candidate(9, {CLOCK: 1}), a_candidate(4, {CLOCK: 1})]

        made = plan(policy, a_demand(), twins)

        assert shares(made) == [(1, 4, 1)]
        assert reasons(made)[9] == "equal, with a later id"

    @EVERY_POLICY
    def test_otherwise_equals_are_decided_by_rank(self, policy: Policy) -> None:
        made = plan(policy, a_demand(), [a_candidate(1, {CLOCK: 1}, rank=2), a_candidate(2, {CLOCK: 1}, rank=1)])

        assert shares(made) == [(1, 2, 1)]
        assert reasons(made)[1] == "lower rank"

    @EVERY_POLICY
    def test_pairs_of_equals_are_decided_by_rank_and_id(self, policy: Policy) -> None:
        demand = a_demand(a_line(CLOCK, line=1), a_line(HAND, line=2))
        hands = [
            a_candidate(5, {HAND: 1}, rank=2),
            a_candidate(9, {HAND: 1}, rank=1),
            a_candidate(7, {HAND: 1}, rank=1),
        ]

        made = plan(policy, demand, [a_candidate(3, {CLOCK: 1}, rank=3), *hands])

        assert shares(made) == [(1, 3, 1), (2, 7, 1)]

    @EVERY_POLICY
    def test_a_warehouse_named_twice_is_refused_since_its_stock_would_count_twice(self, policy: Policy) -> None:
        with pytest.raises(ValueError, match="twice"):
            plan(policy, a_demand(), [a_candidate(1, {CLOCK: 1}), a_candidate(1, {CLOCK: 1})])

    @EVERY_POLICY
    def test_forty_warehouses_are_answered_too(self, policy: Policy) -> None:
        demand = a_demand(*[a_line(SkuId(sku), 3, line=sku) for sku in range(1, 7)])
        candidates = [a_candidate(each, {SkuId(1 + each % 6): 1 + each % 3}, unit=each) for each in range(40)]

        assert plan(policy, demand, candidates).short == ()

    @EVERY_POLICY
    def test_a_thousand_warehouses_that_share_packs_and_plain_units_are_answered_too(self, policy: Policy) -> None:
        demand = a_demand(a_line(CLOCK, line=1), a_line(CLOCK, line=2, pack=2))
        candidates = [a_candidate(each, {CLOCK: 1 + each % 2}) for each in range(1_000)]

        assert plan(policy, demand, candidates).short == ()


class TestPriority:
    def test_takes_all_it_can_from_the_best_rank_even_if_that_splits(self) -> None:
        candidates = [a_candidate(1, {CLOCK: 9}, rank=2), a_candidate(2, {CLOCK: 1}, rank=1)]

        made = plan(Policy.PRIORITY, a_demand(a_line(CLOCK, 3)), candidates)

        assert shares(made) == [(1, 1, 2), (1, 2, 1)]

    def test_gives_the_best_rank_all_it_can_hold_of_packs_and_plain_units_without_leaving_more_short(self) -> None:
        demand = a_demand(a_line(CLOCK, 1, line=1, pack=3), a_line(CLOCK, 2, line=2))
        candidates = [a_candidate(1, {CLOCK: 3}, rank=1), a_candidate(2, {CLOCK: 2}, rank=2)]

        made = plan(Policy.PRIORITY, demand, candidates)

        assert shares(made) == [(1, 1, 1), (2, 2, 2)]
        assert made.short == ()

    def test_two_plain_units_from_the_best_rank_outweigh_one_pack(self) -> None:
        demand = a_demand(a_line(CLOCK, 1, line=1, pack=3), a_line(CLOCK, 2, line=2))
        candidates = [a_candidate(each, {CLOCK: free}, rank=each) for each, free in ((1, 3), (2, 2), (3, 3))]

        assert shares(plan(Policy.PRIORITY, demand, candidates)) == [(1, 3, 1), (2, 1, 2)]

    def test_one_unit_of_a_kit_goes_to_the_best_rank_though_the_next_has_both(self) -> None:
        demand = a_demand(a_line(line=1, kit={CLOCK: 1, HAND: 1}), a_line(line=2, kit={CLOCK: 1, CASE: 1}))
        better = a_candidate(1, {CLOCK: 1, HAND: 1, CASE: 1}, rank=1)
        both = a_candidate(2, {CLOCK: 2, HAND: 1, CASE: 1}, rank=2)

        made = plan(Policy.PRIORITY, demand, [better, both])

        assert shares(made) == [(1, 1, 1), (2, 2, 1)]
        assert {each.reason for each in made.considered} == {Reason.USED}

    def test_a_warehouse_that_the_better_one_made_superfluous_is_of_lower_rank(self) -> None:
        demand = a_demand(a_line(CLOCK, line=1), a_line(HAND, line=2))
        candidates = [
            a_candidate(1, {CLOCK: 1}, rank=1),
            a_candidate(2, {CLOCK: 1}, rank=2),
            a_candidate(3, {HAND: 1}, rank=3),
        ]

        made = plan(Policy.PRIORITY, demand, candidates)

        assert shares(made) == [(1, 1, 1), (2, 3, 1)]
        assert reasons(made) == {1: "used", 2: "lower rank", 3: "used"}


class TestNearest:
    def test_takes_each_unit_from_as_near_as_it_can_be(self) -> None:
        candidates = [a_candidate(1, {CLOCK: 9}, km=80.0), a_candidate(2, {CLOCK: 1}, km=10.0)]

        made = plan(Policy.NEAREST, a_demand(a_line(CLOCK, 3)), candidates)

        assert shares(made) == [(1, 1, 2), (1, 2, 1)]
        assert made.unit_km == 170.0

    def test_says_how_much_farther_the_others_are(self) -> None:
        candidates = [a_candidate(1, {CLOCK: 1}, km=10.0), a_candidate(2, {CLOCK: 1}, km=34.1)]

        assert reasons(plan(Policy.NEAREST, a_demand(), candidates)) == {1: "used", 2: "24.1 km farther"}

    @pytest.mark.parametrize("unknown", [None, float("nan"), float("inf")])
    def test_an_unknown_distance_comes_last(self, unknown: float | None) -> None:
        candidates = [a_candidate(1, {CLOCK: 1}, km=unknown), a_candidate(2, {CLOCK: 1}, km=9_000.0)]

        made = plan(Policy.NEAREST, a_demand(), candidates)

        assert shares(made) == [(1, 2, 1)]
        assert reasons(made)[1] == "distance unknown"

    def test_an_unknown_distance_serves_what_nothing_else_holds(self) -> None:
        made = plan(Policy.NEAREST, a_demand(), [a_candidate(1, {CLOCK: 1}, km=None)])

        assert shares(made) == [(1, 1, 1)]
        assert made.unit_km is None

    def test_a_pack_makes_way_where_only_the_near_warehouse_can_make_the_kit(self) -> None:
        demand = a_demand(a_line(CLOCK, 1, line=1, pack=2), a_line(line=2, kit={CLOCK: 1, HAND: 1}))
        near = a_candidate(1, {CLOCK: 2, HAND: 1}, km=1.0)
        far = a_candidate(2, {CLOCK: 2}, km=2.0)

        made = plan(Policy.NEAREST, demand, [near, far])

        assert shares(made) == [(1, 2, 1), (2, 1, 1)]

    def test_a_pack_from_the_nearest_is_taken_when_that_keeps_all_units_nearer(self) -> None:
        demand = a_demand(a_line(CLOCK, 1, line=1, pack=3), a_line(CLOCK, 2, line=2))
        candidates = [a_candidate(1, {CLOCK: 3}, km=0.0), a_candidate(2, {CLOCK: 2}, km=1.0)]
        far = a_candidate(3, {CLOCK: 3}, km=100.0)

        assert shares(plan(Policy.NEAREST, demand, [*candidates, far])) == [(1, 1, 1), (2, 2, 2)]

    def test_of_equal_shortages_the_one_that_keeps_the_rest_nearer_is_taken(self) -> None:
        demand = a_demand(a_line(CLOCK, 1, line=1, pack=2), a_line(CLOCK, 3, line=2))
        candidates = [a_candidate(1, {CLOCK: 1}, km=1.0), a_candidate(2, {CLOCK: 2}, km=2.0)]
        far = a_candidate(3, {CLOCK: 1}, km=100.0)

        made = plan(Policy.NEAREST, demand, [*candidates, far])

        assert shares(made) == [(2, 1, 1), (2, 2, 2)]
        assert made.short == ((1, 1),)


class TestCheapest:
    def test_weighs_the_parcel_and_the_units_in_it(self) -> None:
        bulky = a_candidate(1, {CLOCK: 9}, parcel=100, unit=90)
        steady = a_candidate(2, {CLOCK: 9}, parcel=300, unit=10)

        assert shares(plan(Policy.CHEAPEST, a_demand(a_line(CLOCK, 2)), [bulky, steady])) == [(1, 1, 2)]
        assert shares(plan(Policy.CHEAPEST, a_demand(a_line(CLOCK, 3)), [bulky, steady])) == [(1, 2, 3)]

    def test_splits_when_two_parcels_cost_less_than_one(self) -> None:
        dear = a_candidate(1, {CLOCK: 9, HAND: 9}, parcel=2_000, unit=0)
        candidates = [dear, a_candidate(2, {CLOCK: 1}, parcel=300), a_candidate(3, {HAND: 1}, parcel=300)]

        made = plan(Policy.CHEAPEST, a_demand(a_line(CLOCK, line=1), a_line(HAND, line=2)), candidates)

        assert shares(made) == [(1, 2, 1), (2, 3, 1)]
        assert made.cost_minor == 700
        assert reasons(made)[1] == "costs 13.00 more"

    def test_says_how_much_more_the_others_cost_in_the_currency_s_digits(self) -> None:
        candidates = [a_candidate(1, {CLOCK: 1}, parcel=400), a_candidate(2, {CLOCK: 1}, parcel=720)]

        made = plan(Policy.CHEAPEST, a_demand(), candidates)

        assert reasons(made)[2] == "costs 3.20 more"
        assert reasons(made, exponent=0)[2] == "costs 320 more"
        assert reasons(made, exponent=3)[2] == "costs 0.320 more"

    def test_a_warehouse_without_a_rate_is_used_only_when_nothing_else_covers(self) -> None:
        unrated = a_candidate(1, {CLOCK: 9}, parcel=None)
        rated = a_candidate(2, {CLOCK: 2}, parcel=9_999)

        enough = plan(Policy.CHEAPEST, a_demand(a_line(CLOCK, 2)), [unrated, rated])
        scarce = plan(Policy.CHEAPEST, a_demand(a_line(CLOCK, 3)), [unrated, rated])

        assert shares(enough) == [(1, 2, 2)]
        assert reasons(enough)[1] == "has no rate to this destination"
        assert shares(scarce) == [(1, 1, 1), (1, 2, 2)]
        assert scarce.cost_minor is None

    def test_says_when_a_rated_warehouse_would_need_more_from_one_without_a_rate(self) -> None:
        demand = a_demand(a_line(CLOCK, 2, line=1), a_line(HAND, line=2))
        candidates = [
            a_candidate(1, {CLOCK: 2}, parcel=500),
            a_candidate(2, {CLOCK: 1}, parcel=100),
            a_candidate(3, {CLOCK: 9, HAND: 1}, parcel=None),
        ]

        made = plan(Policy.CHEAPEST, demand, candidates)

        assert shares(made) == [(1, 1, 2), (2, 3, 1)]
        assert made.cost_minor is None
        assert reasons(made)[2] == "would need more from a warehouse without a rate"

    def test_of_equal_costs_the_one_with_fewer_parcels_is_taken(self) -> None:
        one = a_candidate(1, {CLOCK: 1, HAND: 1}, rank=9, parcel=600, unit=0)
        two = [a_candidate(2, {CLOCK: 1}, parcel=250, unit=100), a_candidate(3, {HAND: 1}, parcel=250, unit=0)]

        made = plan(Policy.CHEAPEST, a_demand(a_line(CLOCK, line=1), a_line(HAND, line=2)), [one, *two])

        assert shares(made) == [(1, 1, 1), (2, 1, 1)]
        assert reasons(made) == {1: "used", 2: "would add a parcel", 3: "would add a parcel"}

    def test_a_partial_warehouse_would_add_a_parcel(self) -> None:
        candidates = [a_candidate(1, {CLOCK: 2}), a_candidate(2, {CLOCK: 1})]

        assert reasons(plan(Policy.CHEAPEST, a_demand(a_line(CLOCK, 2)), candidates))[2] == "would add a parcel"

    def test_above_eight_warehouses_a_support_of_three_is_still_found_exactly(self) -> None:
        demand = a_demand(*[a_line(SkuId(sku), line=sku) for sku in (1, 2, 3)])
        dear = [a_candidate(each, {SkuId(1 + each % 3): 1}, parcel=900 + each) for each in range(12)]
        cheap = [a_candidate(20 + sku, {SkuId(sku): 1}, parcel=100) for sku in (1, 2, 3)]

        made = plan(Policy.CHEAPEST, demand, [*dear, *cheap])

        assert shares(made) == [(1, 21, 1), (2, 22, 1), (3, 23, 1)]

    def test_above_eight_warehouses_and_three_parcels_the_greedy_drops_what_it_need_not_pay_for(self) -> None:
        demand = a_demand(*[a_line(SkuId(sku), line=sku) for sku in range(1, 9)])
        tempting = a_candidate(0, {SkuId(sku): 1 for sku in (1, 3, 5, 7)}, parcel=100, unit=0)
        pairs = [a_candidate(sku, {SkuId(sku): 1, SkuId(sku + 1): 1}, parcel=60, unit=0) for sku in (1, 3, 5, 7)]
        dear = [a_candidate(20 + sku, {SkuId(sku): 1}, parcel=500, unit=0) for sku in range(1, 9)]

        made = plan(Policy.CHEAPEST, demand, [tempting, *pairs, *dear])

        assert {share.warehouse for share in made.shares} == {1, 3, 5, 7}
        assert made.cost_minor == 240

    def test_above_eight_warehouses_four_cheap_parcels_beat_three_dear_ones(self) -> None:
        demand = a_demand(*[a_line(SkuId(sku), line=sku) for sku in range(1, 5)])
        cheap = [a_candidate(sku, {SkuId(sku): 1}, parcel=100, unit=0) for sku in range(1, 5)]
        dear = [a_candidate(10 + sku, {SkuId(sku): 1, SkuId(1 + sku % 4): 1}, parcel=900) for sku in range(1, 5)]
        whole = a_candidate(20, {SkuId(sku): 1 for sku in range(1, 5)}, parcel=5_000)

        assert plan(Policy.CHEAPEST, demand, [*dear, *cheap, whole]).cost_minor == 400


class TestFewestSplits:
    def test_one_far_warehouse_beats_two_near_ones(self) -> None:
        near = [a_candidate(1, {CLOCK: 1}, km=1.0, rank=0), a_candidate(2, {HAND: 1}, km=1.0, rank=0)]
        far = a_candidate(3, {CLOCK: 2, HAND: 5}, km=900.0, rank=9)

        made = plan(Policy.FEWEST_SPLITS, a_demand(a_line(CLOCK, line=1), a_line(HAND, line=2)), [*near, far])

        assert shares(made) == [(1, 3, 1), (2, 3, 1)]
        assert reasons(made) == {1: "would add a parcel", 2: "would add a parcel", 3: "used"}

    def test_between_equals_the_cheaper_is_taken_when_all_rates_are_known(self) -> None:
        candidates = [a_candidate(1, {CLOCK: 1}, km=1.0, parcel=500), a_candidate(2, {CLOCK: 1}, km=9.0, parcel=400)]

        made = plan(Policy.FEWEST_SPLITS, a_demand(), candidates)

        assert shares(made) == [(1, 2, 1)]
        assert reasons(made)[1] == "costs 1.00 more"

    def test_between_equals_the_nearer_is_taken_when_a_rate_is_unknown(self) -> None:
        candidates = [a_candidate(1, {CLOCK: 2}, km=1.0, unit=None), a_candidate(2, {CLOCK: 2}, km=9.0)]

        made = plan(Policy.FEWEST_SPLITS, a_demand(a_line(CLOCK, 2)), candidates)

        assert shares(made) == [(1, 1, 2)]
        assert reasons(made)[2] == "8.0 km farther"

    def test_an_unknown_distance_comes_last_between_equals(self) -> None:
        candidates = [a_candidate(1, {CLOCK: 1}, km=None), a_candidate(2, {CLOCK: 1}, km=9_000.0)]

        made = plan(Policy.FEWEST_SPLITS, a_demand(), candidates)

        assert shares(made) == [(1, 2, 1)]
        assert reasons(made)[1] == "distance unknown"

    def test_a_pair_is_found_where_greedy_would_need_three(self) -> None:
        skus = [SkuId(sku) for sku in range(1, 7)]
        demand = a_demand(*[a_line(sku, line=sku) for sku in skus])
        tempting = a_candidate(1, dict.fromkeys(skus[:2] + skus[3:5], 1), rank=0)
        pair = [a_candidate(2, dict.fromkeys(skus[:3], 1), rank=1), a_candidate(3, dict.fromkeys(skus[3:], 1), rank=1)]

        made = plan(Policy.FEWEST_SPLITS, demand, [tempting, *pair])

        assert {share.warehouse for share in made.shares} == {2, 3}
        assert reasons(made)[1] == "would add a parcel"

    def test_above_eight_warehouses_and_three_parcels_the_greedy_still_covers(self) -> None:
        skus = [SkuId(sku) for sku in range(1, 6)]
        demand = a_demand(*[a_line(sku, line=sku) for sku in skus])
        candidates = [a_candidate(10 * row + sku, {sku: 1}) for row in (1, 2) for sku in skus]

        made = plan(Policy.FEWEST_SPLITS, demand, candidates)

        assert made.short == ()
        assert [share.warehouse for share in made.shares] == [11, 12, 13, 14, 15]

    def test_above_eight_warehouses_and_three_parcels_the_greedy_adds_what_brings_most(self) -> None:
        demand = a_demand(*[a_line(SkuId(sku), line=sku) for sku in range(1, 9)])
        large = a_candidate(50, {SkuId(sku): 1 for sku in range(1, 6)}, parcel=9_000)
        small = [a_candidate(sku, {SkuId(sku): 1}, parcel=1) for sku in range(1, 9)]

        made = plan(Policy.FEWEST_SPLITS, demand, [large, *small])

        assert {share.warehouse for share in made.shares} == {50, 6, 7, 8}


class TestRecord:
    def test_a_decision_is_kept_as_compact_plain_types(self) -> None:
        candidates = [a_candidate(1, {CLOCK: 2, HAND: 7}, km=10.0), a_candidate(2, {CLOCK: 1}, km=None, parcel=None)]

        made = plan(Policy.CHEAPEST, a_demand(a_line(CLOCK, 3)), candidates)

        assert json.loads(json.dumps(made.to_json())) == {
            "policy": "cheapest",
            "version": 1,
            "wanted": [[1, 3, [[1, 1]]]],
            "shares": [[1, 1, 2], [1, 2, 1]],
            "considered": [
                {
                    "warehouse": 1,
                    "rank": 0,
                    "why": "used",
                    "units": 2,
                    "free": [[1, 2]],
                    "distance_km": 10.0,
                    "per_parcel_minor": 400,
                    "per_unit_minor": 50,
                },
                {"warehouse": 2, "rank": 0, "why": "used", "units": 1, "free": [[1, 1]], "per_unit_minor": 50},
            ],
        }

    def test_what_is_short_and_what_it_costs_are_kept_too(self) -> None:
        record = plan(Policy.NEAREST, a_demand(a_line(CLOCK, 3)), [a_candidate(1, {CLOCK: 2}, km=1.5)]).to_json()

        assert record["short"] == [[1, 1]]
        assert record["cost_minor"] == 500
        assert record["unit_km"] == 3.0

    def test_the_caller_s_stock_may_change_after_the_plan_without_changing_its_record(self) -> None:
        stock = {CLOCK: 2}
        made = plan(Policy.PRIORITY, a_demand(), [a_candidate(1, stock)])

        stock[CLOCK] = 0

        assert made.considered[0].free == ((CLOCK, 2),)
        assert rederive(made.to_json()) == made

    @EVERY_POLICY
    def test_a_distance_that_json_cannot_say_is_recorded_as_unknown(self, policy: Policy) -> None:
        made = plan(policy, a_demand(), [a_candidate(1, {CLOCK: 2}, km=float("nan"))])

        assert made.considered[0].distance_km is None
        assert rederive(json.loads(json.dumps(made.to_json(), allow_nan=False))) == made


class TestDemand:
    def test_a_quantity_below_one_is_no_demand(self) -> None:
        with pytest.raises(ValueError, match="wants 0 units"):
            a_line(quantity=0)

    def test_a_line_without_components_is_no_demand(self) -> None:
        with pytest.raises(ValueError, match="no components"):
            DemandLine(1, 1, ())

    def test_a_component_of_less_than_a_piece_is_none(self) -> None:
        with pytest.raises(ValueError, match="0 pieces"):
            a_line(pack=0)

    def test_two_lines_with_one_key_are_refused(self) -> None:
        with pytest.raises(ValueError, match="share a key"):
            a_demand(a_line(line=1), a_line(line=1))

    def test_plan_is_the_function_and_not_the_module_it_shares_a_name_with(self) -> None:
        assert allocation.plan is plan
        assert allocation.plan(Policy.PRIORITY, Demand(()), []).policy == "priority"

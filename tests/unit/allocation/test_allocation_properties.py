"""What holds for every demand and every set of candidates, with a brute force as the judge of small ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import product
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from allocation import Candidate, Demand, DemandLine, Plan, Policy, Reason, SkuId, WarehouseId, plan, rederive

SKUS = [SkuId(each) for each in range(1, 4)]
Components = tuple[tuple[SkuId, int], ...]

quick = settings(max_examples=60, deadline=None)

policies = st.sampled_from(list(Policy))
plain: st.SearchStrategy[Components] = st.sampled_from([((sku, 1),) for sku in SKUS])
packs: st.SearchStrategy[Components] = st.sampled_from([((sku, pieces),) for sku in SKUS[:2] for pieces in (1, 2, 3)])
kits: st.SearchStrategy[Components] = st.lists(
    st.tuples(st.sampled_from(SKUS), st.integers(1, 3)), min_size=1, max_size=3
).map(tuple)


def demands(components: st.SearchStrategy[Components], most_lines: int, most_units: int) -> st.SearchStrategy[Demand]:
    line = st.tuples(st.integers(1, most_units), components)
    lines = st.lists(line, max_size=most_lines)
    return lines.map(lambda each: Demand(tuple([DemandLine(key, *rest) for key, rest in enumerate(each)])))


def warehouses(most: int, most_pieces: int, rates: st.SearchStrategy[int | None]) -> st.SearchStrategy[list[Candidate]]:
    stock = st.dictionaries(st.sampled_from(SKUS), st.integers(-1, most_pieces))
    distances = st.none() | st.integers(0, 4).map(lambda each: each / 4)
    return st.lists(
        st.builds(Candidate, st.integers(1, 99).map(WarehouseId), st.integers(0, 2), stock, distances, rates, rates),
        max_size=most,
        unique_by=lambda each: each.warehouse,
    )


rates_or_none = st.none() | st.integers(0, 5)
any_demand = demands(kits | packs | plain, most_lines=5, most_units=12)
any_candidates = warehouses(11, 12, rates_or_none)


@quick
@given(policies, any_demand, any_candidates)
def test_never_plans_more_than_a_warehouse_has(policy: Policy, demand: Demand, candidates: list[Candidate]) -> None:
    made = plan(policy, demand, candidates)

    lines = {line.line: line for line in demand.lines}
    free = {(each.warehouse, sku): max(0, each.available.get(sku, 0)) for each in candidates for sku in SKUS}
    for share in made.shares:
        assert share.quantity > 0
        for sku, pieces in lines[share.line].components:
            free[share.warehouse, sku] -= pieces * share.quantity
    assert min(free.values(), default=0) >= 0


@quick
@given(policies, any_demand, any_candidates)
def test_what_is_planned_and_what_is_short_make_what_was_wanted(
    policy: Policy, demand: Demand, candidates: list[Candidate]
) -> None:
    made = plan(policy, demand, candidates)

    short = dict(made.short)
    assert all(units > 0 for units in short.values())
    for line in demand.lines:
        planned = sum(share.quantity for share in made.shares if share.line == line.line)
        assert planned + short.get(line.line, 0) == line.quantity


@quick
@given(policies, any_demand, any_candidates, st.randoms(use_true_random=False))
def test_the_order_of_lines_and_candidates_never_shows(
    policy: Policy, demand: Demand, candidates: list[Candidate], chance: Random
) -> None:
    lines, shuffled = list(demand.lines), list(candidates)
    chance.shuffle(lines)
    chance.shuffle(shuffled)

    assert plan(policy, Demand(tuple(lines)), shuffled) == plan(policy, demand, candidates)


@quick
@given(policies, any_demand, any_candidates)
def test_a_record_derives_the_same_plan_again(policy: Policy, demand: Demand, candidates: list[Candidate]) -> None:
    made = plan(policy, demand, candidates)

    assert rederive(json.loads(json.dumps(made.to_json(), allow_nan=False))) == made


@quick
@given(policies, any_demand, any_candidates)
def test_the_totals_and_reasons_agree_with_the_shares(
    policy: Policy, demand: Demand, candidates: list[Candidate]
) -> None:
    made = plan(policy, demand, candidates)

    given_rates = {each.warehouse: (each.per_parcel_minor, each.per_unit_minor) for each in candidates}
    units: dict[WarehouseId, int] = {}
    for share in made.shares:
        units[share.warehouse] = units.get(share.warehouse, 0) + share.quantity
    assert {each.warehouse: each.units for each in made.considered if each.reason == "used"} == units
    rates = [(*given_rates[warehouse], each) for warehouse, each in units.items()]
    known = [parcel + unit * each for parcel, unit, each in rates if parcel is not None and unit is not None]
    assert made.cost_minor == (sum(known) if len(known) == len(rates) else None)
    assert all(each.by is None or each.by >= 0 for each in made.considered)


@quick
@given(policies, demands(plain, most_lines=5, most_units=12), any_candidates)
def test_plain_lines_are_short_only_of_what_nobody_has(
    policy: Policy, demand: Demand, candidates: list[Candidate]
) -> None:
    made = plan(policy, demand, candidates)

    short = 0
    for sku in SKUS:
        wanted = sum(line.quantity for line in demand.lines if line.components[0][0] == sku)
        short += max(0, wanted - sum(max(0, each.available.get(sku, 0)) for each in candidates))
    assert sum(units for _, units in made.short) == short


@st.composite
def scarce(draw: st.DrawFn, components: st.SearchStrategy[Components], most: int) -> tuple[Demand, list[Candidate]]:
    """Small orders that one warehouse can seldom serve alone: where there is something to choose."""
    units = st.integers(1, 2)
    lines = draw(st.lists(st.tuples(units, components), min_size=2, max_size=3))
    pieces = st.sampled_from((1, 2, 0, 3, 4))
    candidates = []
    for index in range(draw(st.integers(2, most))):
        stock = {sku: draw(pieces) for sku in SKUS}
        distance = draw(st.sampled_from((1.0, 0.5, 2.25, None)))
        rates = [draw(st.sampled_from((3, 0, 1, 4, None))) for _ in range(2)]
        candidates.append(Candidate(WarehouseId(index), draw(st.integers(0, 1)), stock, distance, *rates))
    return Demand(tuple([DemandLine(key, *rest) for key, rest in enumerate(lines)])), candidates


small = scarce(plain | packs | kits, most=3)
wider = scarce(plain | packs, most=4)


@quick
@given(small)
def test_cheapest_equals_the_brute_force(case: tuple[Demand, list[Candidate]]) -> None:
    _agrees_with_brute_force(Policy.CHEAPEST, *case)


@quick
@given(small)
def test_fewest_splits_equals_the_brute_force(case: tuple[Demand, list[Candidate]]) -> None:
    _agrees_with_brute_force(Policy.FEWEST_SPLITS, *case)


@quick
@given(small)
def test_nearest_equals_the_brute_force(case: tuple[Demand, list[Candidate]]) -> None:
    _agrees_with_brute_force(Policy.NEAREST, *case)


@quick
@given(small)
def test_priority_equals_the_brute_force(case: tuple[Demand, list[Candidate]]) -> None:
    _agrees_with_brute_force(Policy.PRIORITY, *case)


@settings(max_examples=40, deadline=None)
@given(policies, wider)
def test_four_warehouses_with_plain_and_pack_lines_equal_the_brute_force(
    policy: Policy, case: tuple[Demand, list[Candidate]]
) -> None:
    _agrees_with_brute_force(policy, *case)


@quick
@given(small)
def test_what_fewest_splits_says_of_the_others_is_true(case: tuple[Demand, list[Candidate]]) -> None:
    demand, candidates = case
    made = plan(Policy.FEWEST_SPLITS, demand, candidates)

    chosen = _merit(Policy.FEWEST_SPLITS, demand, candidates, _units_of(made, demand, candidates))
    considered = {each.warehouse: each for each in made.considered}
    for index, candidate in enumerate(candidates):
        using = [units for units in _every_plan(demand, candidates) if sum(units[index])]
        said = considered[candidate.warehouse]
        if not using:
            assert said.reason in (Reason.HOLDS_NONE, Reason.COMPLETES_NONE)
            continue
        best = min(_merit(Policy.FEWEST_SPLITS, demand, candidates, units) for units in using)
        assert best[0] == chosen[0]
        assert (said.reason is Reason.ADDS_PARCEL) == (best[1] > chosen[1])
        if said.reason is Reason.COSTS_MORE:
            assert said.by == best[2] - chosen[2]
        elif said.reason is Reason.DISTANCE_UNKNOWN:
            assert best[:3] == chosen[:3]
            assert best[3] > chosen[3]
        elif said.reason is Reason.FARTHER:
            assert best[:4] == chosen[:4]
            assert best[4] > chosen[4]
        elif said.reason in (Reason.LOWER_RANK, Reason.LATER_ID):
            assert best == chosen


def _agrees_with_brute_force(policy: Policy, demand: Demand, candidates: list[Candidate]) -> None:
    made = plan(policy, demand, candidates)

    assert _merit(policy, demand, candidates, _units_of(made, demand, candidates)) == min(
        _merit(policy, demand, candidates, units) for units in _every_plan(demand, candidates)
    )


Merit = tuple[Any, ...]
Units = list[tuple[int, ...]]
"""For every candidate, the units it serves of every line."""


def _units_of(made: Plan, demand: Demand, candidates: Sequence[Candidate]) -> Units:
    shares = {(share.warehouse, share.line): share.quantity for share in made.shares}
    return [tuple([shares.get((each.warehouse, line.line), 0) for line in demand.lines]) for each in candidates]


def _every_plan(demand: Demand, candidates: Sequence[Candidate]) -> Iterator[Units]:
    """All plans that no warehouse and no line forbids, by plain recursion."""
    options = []
    for each in candidates:
        choices = []
        for units in product(*[range(line.quantity + 1) for line in demand.lines]):
            pieces = dict.fromkeys(SKUS, 0)
            for line, quantity in zip(demand.lines, units, strict=True):
                for sku, a_unit in line.components:
                    pieces[sku] += a_unit * quantity
            if all(pieces[sku] <= max(0, each.available.get(sku, 0)) for sku in SKUS):
                choices.append(units)
        options.append(choices)

    def rest(index: int, left: tuple[int, ...], chosen: Units) -> Iterator[Units]:
        if index == len(options):
            yield chosen
            return
        for units in options[index]:
            after = tuple([have - take for have, take in zip(left, units, strict=True)])
            if min(after, default=0) >= 0:
                yield from rest(index + 1, after, [*chosen, units])

    return rest(0, tuple([line.quantity for line in demand.lines]), [])


def _merit(policy: Policy, demand: Demand, candidates: Sequence[Candidate], units: Units) -> Merit:
    """The objective of a policy in its own words, lower is better."""
    total = [sum(each) for each in units]
    short = sum(line.quantity for line in demand.lines) - sum(total)
    served = [(each, count) for each, count in zip(candidates, total, strict=True) if count]
    rated = [each.per_parcel_minor is not None and each.per_unit_minor is not None for each, _ in served]
    cost = sum((each.per_parcel_minor or 0) + (each.per_unit_minor or 0) * count for each, count in served)
    blind = sum(count for each, count in served if each.distance_km is None)
    distance = sum(each.distance_km * count for each, count in served if each.distance_km is not None)
    if policy is Policy.PRIORITY:
        return short, _by_preference(candidates, total)
    if policy is Policy.NEAREST:
        return short, blind, distance, _by_preference(candidates, total)
    if policy is Policy.CHEAPEST:
        unrated = sum(count for (_, count), known in zip(served, rated, strict=True) if not known)
        paid = [pair for pair, known in zip(served, rated, strict=True) if known]
        return (
            short,
            unrated,
            sum((each.per_parcel_minor or 0) + (each.per_unit_minor or 0) * count for each, count in paid),
            len(served),
        )
    comparable = all(
        each.per_parcel_minor is not None and each.per_unit_minor is not None
        for each in candidates
        if _makes_something(demand, each)
    )
    return short, len(served), cost if comparable else 0, blind, distance


def _by_preference(candidates: Sequence[Candidate], total: Sequence[int]) -> list[int]:
    """Most units from the best rank, then the lowest id, compares lowest."""
    pairs = sorted(zip(candidates, total, strict=True), key=lambda pair: (pair[0].rank, pair[0].warehouse))
    return [-count for _, count in pairs]


def _makes_something(demand: Demand, candidate: Candidate) -> bool:
    for line in demand.lines:
        pieces = dict.fromkeys(SKUS, 0)
        for sku, a_unit in line.components:
            pieces[sku] += a_unit
        if all(count <= max(0, candidate.available.get(sku, 0)) for sku, count in pieces.items()):
            return True
    return False

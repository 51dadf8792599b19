"""Bills of materials: what kits and packs are made of in the end, and which cannot be made at all. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from syncd.csv_rows import MOST

Bills = Mapping[int, Mapping[int, int]]
"""Pieces of each component, by the sku_id made of them. A SKU without a bill is itself on the shelf."""

Components = tuple[tuple[int, int], ...]
"""((sku_id, pieces), ...) in order of sku_id: what one listing unit takes off the shelves."""

DEEPEST: Final = 8
"""How many kits may lie in one another."""


@dataclass(frozen=True, slots=True)
class Unmakeable:
    """Why a kit has no components; `loop` begins and ends with the same SKU, and is empty for other reasons."""

    problem: str
    loop: tuple[int, ...] = ()


def flatten(bills: Bills, sku_id: int) -> Components | None:
    """What one unit of a SKU is made of in the end; None for a kit that contains itself or lies too deep."""
    pieces: dict[int, int] = {}
    level = {sku_id: 1}
    for _ in range(DEEPEST + 1):
        below: dict[int, int] = {}
        for each, wanted in level.items():
            bill = bills.get(each)
            if not bill:
                pieces[each] = pieces.get(each, 0) + wanted
                continue
            for component, units in bill.items():
                below[component] = below.get(component, 0) + wanted * units
        if not below:
            return tuple(sorted(pieces.items())) if max(pieces.values()) <= MOST else None
        level = below
    return None


def unmakeable(known: Bills, new: Bills) -> dict[int, Unmakeable]:
    """Which of the new bills cannot be taken over next to the known ones: loops, kits too deep, too many pieces.

    `known` holds everything below and above the new bills. What is left out keeps its known bill.
    """
    refused: dict[int, Unmakeable] = {}
    while True:
        accepted = {sku_id: bill for sku_id, bill in new.items() if sku_id not in refused}
        bills = {**known, **accepted}
        found = _refusals(bills, accepted)
        if not found:
            return refused
        refused.update(found)


def bottom_up(known: Bills, new: Bills) -> list[int]:
    """The SKUs of new bills, each behind everything it contains: taken over in this order, none is ever in a loop.

    Without loops, as `unmakeable` leaves them. `known` holds everything below the new bills.
    """
    bills = {**known, **new}
    ordered: dict[int, None] = {}
    for start in sorted(new):
        way = [start]
        while way:
            waiting = next((each for each in bills[way[-1]] if each in bills and each not in ordered), None)
            if waiting is None:
                ordered[way.pop()] = None
            else:
                way.append(waiting)
    return [sku_id for sku_id in ordered if sku_id in new]


def _refusals(bills: Bills, new: Bills) -> dict[int, Unmakeable]:
    bad = [sku_id for sku_id in bills if flatten(bills, sku_id) is None]
    loops = {sku_id: loop for sku_id in bad if sku_id in new and (loop := _loop(bills, sku_id))}
    if loops:
        return {sku_id: Unmakeable("it contains itself", loop) for sku_id, loop in loops.items()}
    problem = f"kits lie in one another more than {DEEPEST} deep, or take more than {MOST} pieces"
    culprits = {sku_id for sku_id in bad if sku_id in new}
    for sku_id in bad:
        if sku_id not in new:
            culprits |= {each for each in _below(bills, sku_id) if each in new}
    return {sku_id: Unmakeable(problem) for sku_id in sorted(culprits)}


def _loop(bills: Bills, start: int) -> tuple[int, ...]:
    """The shortest way from a SKU down to itself; empty when there is none."""
    below = _below(bills, start)
    if start not in below:
        return ()
    way = [start]
    while (before := below[way[-1]]) != start:
        way.append(before)
    return (start, *reversed(way))


def _below(bills: Bills, start: int) -> dict[int, int]:
    """Every SKU that `start` contains, with one that contains it directly on a shortest way."""
    owners: dict[int, int] = {}
    level = [start]
    while level:
        below: list[int] = []
        for each in level:
            for component in bills.get(each, ()):
                if component not in owners:
                    owners[component] = each
                    below.append(component)
        level = below
    return owners

"""Take over what kits are made of: parts found by their codes, loops refused, listings made of the new parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from syncd.catalogue.bill_store import (
    changed_bills,
    components_of,
    containing,
    load_around,
    lock_bills,
    replace_bills,
)
from syncd.catalogue.bills import Bills, Unmakeable, bottom_up, unmakeable
from syncd.catalogue.codes import codes_of, find_skus, normalise
from syncd.catalogue.item_file import Kit, Part, named_twice, not_whole
from syncd.catalogue.relisting import relist
from syncd.csv_rows import RowError


@dataclass(frozen=True, slots=True)
class PlannedKits:
    """New bills that can be made, each behind what it contains, with the code of each kit; the rows of the others."""

    bills: Bills
    codes: Mapping[int, str]
    rejected: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class RecordedKits:
    """What new bills have changed; `left` are listings that a person must map again.

    `refused` is why, by code: somebody else has changed kits since these were checked.
    """

    changed: tuple[int, ...]
    relisted: int
    left: tuple[int, ...]
    refused: Mapping[str, str]


def plan_kits(connection: Connection, kits: Sequence[Kit]) -> PlannedKits:
    """Check the kits of a file against each other and against what is known. Reads only."""
    names = {kit.code for kit in kits} | {normalise(part.component) for kit in kits for part in kit.parts}
    parts, rejected = name_parts(kits, find_skus(connection, names))
    bills = {sku_id: {component: part.units for component, part in each.items()} for sku_id, each in parts.items()}
    known = load_around(connection, bills)
    refused = unmakeable(known, bills)
    in_loops = {each for problem in refused.values() for each in problem.loop}
    codes = codes_of(connection, {*bills, *in_loops})
    for sku_id, problem in refused.items():
        rejected += [_refusal(part, problem, codes) for part in parts[sku_id].values()]
    sound = {sku_id: bill for sku_id, bill in bills.items() if sku_id not in refused}
    return PlannedKits({sku_id: sound[sku_id] for sku_id in bottom_up(known, sound)}, codes, tuple(rejected))


def record_kits(connection: Connection, bills: Bills, now: datetime) -> RecordedKits:
    """Make these the bills of their SKUs, and listings of what contains them of the new parts, in one transaction.

    Open orders keep what their lines were made of. One that would contain itself is refused, and the others go in.
    """
    lock_bills(connection)
    changed = changed_bills(connection, bills)
    loops = {k: each for k, each in unmakeable(load_around(connection, changed), changed).items() if each.loop}
    changed = {sku_id: bill for sku_id, bill in changed.items() if sku_id not in loops}
    refused = _told_loops(connection, loops) if loops else {}
    if not changed:
        return RecordedKits((), 0, (), refused)
    affected = {*changed, *containing(connection, changed)}
    before = components_of(connection, affected)

    replace_bills(connection, changed)

    relisted = relist(connection, before, components_of(connection, affected), now)
    return RecordedKits(tuple(sorted(changed)), relisted.changed, relisted.left, refused)


def name_parts(kits: Sequence[Kit], ids: Mapping[str, int]) -> tuple[dict[int, dict[int, Part]], list[RowError]]:
    """The parts of each kit by sku_id, of those kits all of whose names are known. Pure."""
    made: dict[int, dict[int, Part]] = {}
    spoilt: dict[int, int] = {}
    rejected: list[RowError] = []
    for kit in kits:
        sku_id = ids.get(kit.code)
        if sku_id is None:
            rejected += [_unknown(part.line, "sku", kit.code) for part in kit.parts]
            continue
        parts = made.setdefault(sku_id, {})
        for part in kit.parts:
            component = ids.get(normalise(part.component))
            if component is None:
                rejected.append(_unknown(part.line, "component", part.component))
            elif component in parts:
                rejected.append(named_twice(part.line, part.component, parts[component].line))
            else:
                parts[component] = part
                continue
            spoilt.setdefault(sku_id, part.line)
    for sku_id, line in spoilt.items():
        rejected += [not_whole(part.line, line) for part in made.pop(sku_id).values()]
    return made, rejected


def _unknown(line: int, column: str, code: str) -> RowError:
    return RowError(line, column, f"no SKU is called {code}", "Declare it in a row without component, or correct it")


def _refusal(part: Part, problem: Unmakeable, codes: Mapping[int, str]) -> RowError:
    return RowError(part.line, "component", _told(problem, codes), "Correct what these kits are made of")


def _told_loops(connection: Connection, loops: Mapping[int, Unmakeable]) -> dict[str, str]:
    codes = codes_of(connection, {sku_id for each in loops.values() for sku_id in each.loop})
    return {codes[sku_id]: _told(each, codes) for sku_id, each in loops.items()}


def _told(problem: Unmakeable, codes: Mapping[int, str]) -> str:
    way = f": {' > '.join(codes[sku_id] for sku_id in problem.loop)}" if problem.loop else ""
    return problem.problem + way

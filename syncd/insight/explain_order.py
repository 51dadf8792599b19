"""Why an order's units come from where they do: each decision about it, with its inputs and who was turned down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from allocation import rederive
from syncd.catalogue.codes import codes_of
from syncd.db.tables import recipient
from syncd.insight.decisions import DecisionRow, list_decisions
from syncd.insight.orders import OrderRow, load_orders

DECISIONS = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a line asked for at that moment: listing units, each made of so many pieces of these SKUs."""

    channel_line_id: str
    units: int
    pieces_a_unit: dict[str, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A warehouse as the policy saw it, the units it serves, and why it serves no more.

    Costs are in minor units of the cost currency; `free` is in pieces by SKU, what it has none of left out.
    """

    warehouse: str
    rank: int
    units: int
    why: str
    free: dict[str, int]
    distance_km: float | None
    per_parcel_minor: int | None
    per_unit_minor: int | None


@dataclass(frozen=True, slots=True)
class Served:
    """So many listing units of a line from a warehouse."""

    channel_line_id: str
    warehouse: str
    units: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """One decision. Country and prefix are all of the address that it knew.

    `derives_again`: from the inputs kept the policy of today decides the same.
    """

    id: int
    decided_at: datetime
    policy: str
    policy_version: int
    to_country: str | None
    to_postcode_prefix: str | None
    wanted: tuple[Wanted, ...]
    candidates: tuple[Candidate, ...]
    served: tuple[Served, ...]
    short: dict[str, int]
    cost_minor: int | None
    unit_km: float | None
    derives_again: bool


@dataclass(frozen=True, slots=True)
class ExplainedOrder:
    """An order, the decisions about it (the newest first), and when its recipient was erased."""

    order: OrderRow
    allocations: tuple[Allocation, ...]
    recipient_erased_at: datetime | None


def explain_order(connection: Connection, order_id: int) -> ExplainedOrder:
    (order,) = load_orders(connection, [order_id])
    decided = [
        each
        for each in list_decisions(connection, None, DECISIONS, order_id=order_id).rows
        if each.kind == "allocation"
    ]
    skus = codes_of(connection, {sku for each in decided for _, _, parts in each.inputs["lines"] for sku, _ in parts})
    erased = connection.execute(select(recipient.c.erased_at).where(recipient.c.order_id == order_id))
    return ExplainedOrder(order, tuple(_allocation(each, skus) for each in decided), erased.scalar_one_or_none())


def _allocation(made: DecisionRow, skus: Mapping[int, str]) -> Allocation:
    plan, lines = made.outcome, [line for line, _, _ in made.inputs["lines"]]
    places: Mapping[str, str] = made.inputs["warehouses"]
    return Allocation(
        id=made.id,
        decided_at=made.decided_at,
        policy=made.policy,
        policy_version=made.policy_version,
        to_country=made.inputs["to"][0],
        to_postcode_prefix=made.inputs["to"][1],
        wanted=tuple(
            Wanted(lines[number], units, {skus.get(sku, str(sku)): pieces for sku, pieces in parts})
            for number, units, parts in plan["wanted"]
        ),
        candidates=tuple(_candidate(each, places, skus) for each in plan["considered"]),
        served=tuple(
            Served(lines[number], places.get(str(place), str(place)), units) for number, place, units in plan["shares"]
        ),
        short={lines[number]: units for number, units in plan.get("short", ())},
        cost_minor=plan.get("cost_minor"),
        unit_km=plan.get("unit_km"),
        derives_again=_derives_again(plan),
    )


def _candidate(told: Mapping[str, Any], places: Mapping[str, str], skus: Mapping[int, str]) -> Candidate:
    return Candidate(
        warehouse=places.get(str(told["warehouse"]), str(told["warehouse"])),
        rank=told["rank"],
        units=told.get("units", 0),
        why=told["why"],
        free={skus.get(sku, str(sku)): pieces for sku, pieces in told.get("free", ())},
        distance_km=told.get("distance_km"),
        per_parcel_minor=told.get("per_parcel_minor"),
        per_unit_minor=told.get("per_unit_minor"),
    )


def _derives_again(plan: Mapping[str, Any]) -> bool:
    try:
        again = rederive(plan).to_json()
    except ValueError:  # a policy of then that there is no more
        return False
    return bool(again["shares"] == plan["shares"] and again.get("short", []) == plan.get("short", []))

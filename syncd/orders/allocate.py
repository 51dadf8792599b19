"""Put an order's wants to the allocation policy, and keep why it chose as it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from allocation import Candidate, Demand, DemandLine, Plan, SkuId, WarehouseId, plan
from syncd.geography import distance_km, zone_rate
from syncd.orders.book import AccountView, LineBook, OrderBook, Terms
from syncd.stock.ledger import Ledger

_NO_RATE: Final = (None, None)

_Components = tuple[tuple[SkuId, int], ...]
_Available = Mapping[SkuId, int]


def allocate(
    lines: Sequence[LineBook], units: Sequence[int], book: OrderBook, account: AccountView, ledger: Ledger
) -> Plan:
    """A plan for so many units of each line, from the pool as the ledger has it now.

    A line's number in the plan is its position in `lines`.
    """
    demand = Demand(
        tuple(
            [
                DemandLine(number, wanted, cast(_Components, line.components))
                for number, (line, wanted) in enumerate(zip(lines, units, strict=True))
                if wanted > 0
            ]
        )
    )
    skus = sorted({sku_id for line in lines for sku_id, _ in line.components})
    candidates = [
        Candidate(place, rank, cast(_Available, ledger.free(skus, place)), away_km, per_parcel, per_unit)
        for place, rank, away_km, per_parcel, per_unit in _terms(account, book.country, book.postcode_prefix)
    ]
    return plan(account.policy, demand, candidates)


def _terms(account: AccountView, country: str | None, postcode_prefix: str | None) -> tuple[Terms, ...]:
    """The terms of each warehouse of the pool for parcels to there: worked out once a destination."""
    known = account.terms.get((country, postcode_prefix))
    if known is None:
        known = account.terms[(country, postcode_prefix)] = tuple(
            (
                WarehouseId(warehouse.warehouse_id),
                warehouse.rank,
                distance_km(warehouse.country, warehouse.postcode, country, postcode_prefix),
                *(zone_rate(warehouse.rates, warehouse.country, country, postcode_prefix) or _NO_RATE),
            )
            for warehouse in account.pool
        )
    return known


def explain(made: Plan, lines: Sequence[LineBook], book: OrderBook, account: AccountView) -> dict[str, Any]:
    """The decision with its inputs, as one compact row: enough to derive it again, and nothing of the buyer."""
    return {
        "to": [book.country, book.postcode_prefix],
        "lines": [
            [line.channel_line_id, line.quantity, [list(component) for component in line.components]] for line in lines
        ],
        "warehouses": {str(warehouse.warehouse_id): warehouse.key for warehouse in account.pool},
        "plan": made.to_json(),
    }

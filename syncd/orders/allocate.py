"""Put an order's wants to the allocation policy, and keep why it chose as it did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from allocation import Candidate, Demand, DemandLine, Plan, SkuId, WarehouseId, plan
from syncd.geography import distance_km, zone_rate
from syncd.orders.book import AccountView, LineBook, OrderBook
from syncd.stock.ledger import Ledger

_NO_RATE: Final = (None, None)


def allocate(
    lines: Sequence[LineBook], units: Sequence[int], book: OrderBook, account: AccountView, ledger: Ledger
) -> Plan:
    """A plan for so many units of each line, from the pool as the ledger has it now.

    A line's number in the plan is its position in `lines`.
    """
    demand = Demand(
        tuple(
            DemandLine(number, wanted, tuple((SkuId(sku_id), pieces) for sku_id, pieces in line.components))
            for number, (line, wanted) in enumerate(zip(lines, units, strict=True))
            if wanted > 0
        )
    )
    skus = sorted({sku_id for line in lines for sku_id, _ in line.components})
    candidates = []
    for warehouse in account.pool:
        place = warehouse.warehouse_id
        per_parcel, per_unit = (
            zone_rate(warehouse.rates, warehouse.country, book.country, book.postcode_prefix) or _NO_RATE
        )
        candidates.append(
            Candidate(
                WarehouseId(place),
                warehouse.rank,
                {SkuId(sku): ledger.level(sku, place).available for sku in skus},
                distance_km(warehouse.country, warehouse.postcode, book.country, book.postcode_prefix),
                per_parcel,
                per_unit,
            )
        )
    return plan(account.policy, demand, candidates)


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

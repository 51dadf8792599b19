"""Who takes part, by name: each runs once a round, on tables of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Final

from benchmarks.book.core import Pace, run_core
from benchmarks.book.front import CONNECTIONS, FEW, Front, run_front
from benchmarks.book.ground import Ground
from benchmarks.book.peers import inside, lite, medusa, saleor
from benchmarks.book.planning import run_planning
from benchmarks.book.runs import Run
from benchmarks.book.shoppers import Demand
from benchmarks.book.soundness import Kept
from benchmarks.book.whole import run_whole

Contender = Callable[[Ground], Run]
_WHOLE_S: Final = 3.0  # some batches must begin and end while all is busy


def _peer(peer: ModuleType, demand: Demand, ground: Ground) -> Run:
    def run(url: str) -> Run:
        return ground.workers.run(url, peer.take_order, demand, ground.size.skus, ground.seed, ground.seconds)

    return ground.on_postgresql(run, Kept(peer.STOCK, peer.HELD))


def _function(demand: Demand, ground: Ground) -> Run:
    return ground.on_postgresql(
        lambda url: inside.call_a_function(
            url, ground.server.programs, demand, ground.size.skus, ground.seed, ground.seconds
        )
    )


def _looped(demand: Demand, ground: Ground) -> Run:
    return ground.on_postgresql(
        lambda url: inside.loop_in_the_server(url, demand, ground.size.skus, ground.seed, ground.seconds)
    )


def _core(demand: Demand, pace: Pace, ground: Ground) -> Run:
    return ground.on_postgresql(
        lambda url: ground.apart(run_core, url, demand, ground.size.skus, ground.seed, ground.seconds, pace)
    )


def _core_lite(demand: Demand, pace: Pace, ground: Ground) -> Run:
    return ground.on_sqlite(
        lambda url: ground.apart(run_core, url, demand, ground.size.skus, ground.seed, ground.seconds, pace)
    )


def _awaited(producers: int, ground: Ground) -> Run:
    return ground.on_sqlite(
        lambda url: ground.apart(
            lite.run_awaited, url, Demand.SPREAD, ground.size.skus, ground.seed, ground.seconds, producers
        )
    )


def _raw(ground: Ground) -> Run:
    return ground.apart(lite.run_raw, ground.folder, ground.seed, ground.seconds)


def _front(front: Front, connections: int, ground: Ground) -> Run:
    def run(url: str) -> Run:
        return ground.apart(run_front, url, front, ground.size.skus, ground.seed, ground.seconds, connections)

    return ground.on_sqlite(run) if front is Front.SQLITE else ground.on_postgresql(run)


def _whole(ground: Ground) -> Run:
    return ground.on_postgresql(
        lambda url: ground.apart(run_whole, url, ground.size.skus, ground.seed, max(_WHOLE_S, ground.seconds))
    )


def _planning(ground: Ground) -> Run:
    return ground.on_postgresql(
        lambda url: ground.apart(run_planning, url, ground.size.skus, ground.seed, ground.seconds)
    )


_ONE = Pace(producers=16, most=1)
CONTENDERS: Final[dict[str, Contender]] = {
    "saleor, spread": partial(_peer, saleor, Demand.SPREAD),
    "saleor, hot": partial(_peer, saleor, Demand.HOT),
    "medusa, spread": partial(_peer, medusa, Demand.SPREAD),
    "medusa, hot": partial(_peer, medusa, Demand.HOT),
    "function an order, spread": partial(_function, Demand.SPREAD),
    "function an order, hot": partial(_function, Demand.HOT),
    "batch in the server, spread": partial(_looped, Demand.SPREAD),
    "batch in the server, hot": partial(_looped, Demand.HOT),
    "one order a transaction, spread": partial(_core, Demand.SPREAD, _ONE),
    "core, spread, 1 producer": partial(_core, Demand.SPREAD, Pace(1)),
    "core, spread, 16 producers": partial(_core, Demand.SPREAD, Pace(16)),
    "core, spread, 256 producers": partial(_core, Demand.SPREAD, Pace(256)),
    "core, hot, 256 producers": partial(_core, Demand.HOT, Pace(256)),
    "core, spread, 200 orders/s by chance": partial(_core, Demand.SPREAD, Pace(orders_per_s=200.0)),
    "whole, spread": _whole,
    "sqlite, awaited, 256 producers": partial(_awaited, 256),
    "sqlite, raw two rows": _raw,
    "sqlite core, spread, 256 producers": partial(_core_lite, Demand.SPREAD, Pace(256)),
    "sqlite core, hot, 256 producers": partial(_core_lite, Demand.HOT, Pace(256)),
    "webhook in memory": partial(_front, Front.MEMORY, CONNECTIONS),
    "webhook, durable on postgresql": partial(_front, Front.POSTGRESQL, CONNECTIONS),
    "webhook, durable on sqlite": partial(_front, Front.SQLITE, CONNECTIONS),
    "webhook in memory, few": partial(_front, Front.MEMORY, FEW),
    "webhook, durable on postgresql, few": partial(_front, Front.POSTGRESQL, FEW),
    "planning": _planning,
}

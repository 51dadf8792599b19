"""What needs a million of something: SKUs, ledger rows, orders. `--skus` and `--orders` make it smaller."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from benchmarks.book.audited import run_audit
from benchmarks.book.contenders import Contender
from benchmarks.book.core import Pace, run_core
from benchmarks.book.figures import Better, Figure
from benchmarks.book.ground import Ground
from benchmarks.book.runs import Run
from benchmarks.book.sellable import derive_all, derive_changed
from benchmarks.book.seller import Size
from benchmarks.book.shoppers import Demand
from benchmarks.book.soundness import check
from benchmarks.book.started import run_daemon

MILLION: Final = 1_000_000
CHANNELS: Final = 3
_SMALL: Final = 10_000
_PACE: Final = Pace(256)
_DEPTH: Final = 41  # of 50,000 levels: two million movements


def _core(size: Size, ground: Ground) -> Run:
    return ground.on_postgresql(
        lambda url: ground.apart(run_core, url, Demand.SPREAD, size.skus, ground.seed, ground.seconds, _PACE), size=size
    )


def _core_on_many(skus: int, ground: Ground) -> Run:
    """On the one large book, round after round: it is too large to be copied for each."""
    url = ground.furnished(Size(skus, CHANNELS))
    who = f"core{ground.seed}"
    return check(url, ground.apart(run_core, url, Demand.SPREAD, skus, ground.seed, ground.seconds, _PACE, who))


def _derive_all(skus: int, ground: Ground) -> Run:
    return ground.apart(derive_all, ground.furnished(Size(skus, CHANNELS)))


def _derive_changed(skus: int, ground: Ground) -> Run:
    return ground.apart(derive_changed, ground.furnished(Size(skus, CHANNELS)), skus, ground.seed)


def _daemon(skus: int, ground: Ground) -> Run:
    return run_daemon(ground.furnished(Size(skus, CHANNELS)), ground.folder, CHANNELS)


def _audit(orders: int, ground: Ground) -> Run:
    """Once filled, the same book is proved in every round."""
    return run_audit(ground.furnished(Size(_SMALL, depth=3)), orders, _SMALL)


def large(skus: int, orders: int) -> Mapping[str, Contender]:
    """Those who take part, with a seller of so many SKUs and a book of so many orders."""
    return {
        "core, empty ledger": partial(_core, Size(_SMALL)),
        "core, long ledger": partial(_core, Size(_SMALL, depth=_DEPTH)),
        "core, few SKUs": partial(_core, Size(_SMALL, CHANNELS)),
        "core, many SKUs": partial(_core_on_many, skus),
        "sellable, all": partial(_derive_all, skus),
        "sellable, 100 SKUs": partial(_derive_changed, skus),
        "daemon": partial(_daemon, skus),
        "audit": partial(_audit, orders),
    }


def _mib(ours: Run, _: Run) -> float:
    return ours.mib


def _own(ours: Run, _: Run) -> float:
    return ours.rate


_LESS: Final = Better.LESS
LARGE_FIGURES: Final = (
    Figure(
        "ledger_2m_vs_empty", "2 million ledger rows there already", "core, long ledger", "core, empty ledger", 0.95, 1
    ),
    Figure("skus_1m_vs_10k", "a million SKUs to 10,000", "core, many SKUs", "core, few SKUs", 0.8, 0.9),
    Figure("sellable_all_s", "every sellable quantity", "sellable, all", None, 12, 5, _LESS, "s", _own),
    Figure("sellable_100_ms", "sellable of 100 changed SKUs", "sellable, 100 SKUs", None, 10, 5, _LESS, "ms", _own),
    Figure("daemon_rss_mib", "daemon's resident memory", "daemon", None, 250, 150, _LESS, "MiB", _mib),
    Figure("daemon_ready_vs_imports", "daemon answers, to its imports", "daemon", None, 2, None, _LESS, number=_own),
    Figure(
        "audit_orders_per_s", "audit of a million orders", "audit", None, 50_000, None, unit="orders/s", number=_own
    ),
    Figure("audit_rss_mib", "audit's resident memory", "audit", None, 300, None, _LESS, "MiB", _mib),
)

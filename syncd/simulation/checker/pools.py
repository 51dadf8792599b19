"""What a listing shows can be sent from its own account's warehouses, keeps the buffer back and stays under the cap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from syncd.simulation.checker.pieces import Pieces
from syncd.simulation.checker.truth import Listing, SoldOrder, Truth
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.scene import Scene
from syncd.simulation.true_stock import claims_of


def numbers_fit_their_pools(
    scene: Scene, truth: Truth, written: Collection[Listing], pieces: Pieces, verdict: Verdict
) -> None:
    """`written` are the listings that are ours to write.

    Which warehouse sent what the truth does not tell: what is left of a pool is at most what came into each union of
    pools around it, less what the accounts sold that can be served from nowhere else.
    """
    plans = {each.key: each for each in scene.world.channels}
    left = _left(scene, truth, pieces)
    for one in sorted(written):
        plan, article = plans[one[0]], truth.skus[one]
        can_be_made = min(left[plan.key][sku] // units for sku, units in pieces.parts[article])
        most = max(0, can_be_made - plan.buffer)
        if plan.cap is not None:
            most = min(most, plan.cap)
        if truth.shown[one] > most:
            told = f"it shows {truth.shown[one]}; its pool can make {can_be_made}, buffer {plan.buffer}, cap {plan.cap}"
            verdict.find("shown.pool", f"{plan.key} {article}", truth.at, told)


def _left(scene: Scene, truth: Truth, pieces: Pieces) -> Mapping[str, Counter[str]]:
    """By account and SKU, what can be left for it at most."""
    sold: dict[str, Counter[str]] = {each.key: _sold(truth, each.key, pieces) for each in scene.world.channels}
    left: dict[str, Counter[str]] = {}
    for account, claims in claims_of({each.key: each.warehouses for each in scene.world.channels}).items():
        left[account] = Counter(
            {
                sku: min(
                    sum(pieces.came_in[(sku, each)] for each in claim.warehouses)
                    - sum(sold[each][sku] for each in claim.accounts)
                    for claim in claims
                )
                for sku in {sku for sku, _ in pieces.came_in}
            }
        )
    return left


def _sold(truth: Truth, account: str, pieces: Pieces) -> Counter[str]:
    sold: Counter[str] = Counter()
    for order in truth.orders.values():
        if order.account == account:
            sold.update(_pieces_of(order, pieces))
    return sold


def _pieces_of(order: SoldOrder, pieces: Pieces) -> Counter[str]:
    """What an order has taken, or still will."""
    taken: Counter[str] = Counter()
    for line in order.lines:
        if line.sku is not None and not line.by_channel:
            kept = line.fulfilled if order.cancelled else max(line.current, line.fulfilled)
            taken.update(pieces.of(line.sku, kept))
    return taken

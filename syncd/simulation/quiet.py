"""Whether everything has come to rest: nothing on its way anywhere, and every listing right."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, func, or_, select

from syncd.db.tables import dirty_listing, hold, inbox, push_batch
from syncd.insight.store import read_tallies
from syncd.publishing.store.queue import TAKES_EFFECT
from syncd.simulation.checker.moves import read_movable
from syncd.simulation.scene import Scene, differing, truths

HOLDS = "holds"
HELD_PATIENCE_S = 1500.0
"""Nothing else has been on its way for so long: what is held by now waits for a purchase, not for us."""

LOOK_EVERY_REAL_S = 0.5
_LEAST_REAL_S = 60.0


async def wait_for_quiet(
    scene: Scene,
    within_s: float,
    progress: Callable[[str], None] | None = None,
    give_up: asyncio.Event | None = None,
    look_every_s: float = LOOK_EVERY_REAL_S,
) -> bool:
    """Wait until nothing is on its way anywhere and every listing is right.

    Units held back for a purchase that no order explains may stay so for days, as they are meant to: once nothing else
    has been on its way for long, that counts as rest too.

    At most so many seller's seconds, though never less than a real minute: however fast the seller's time runs, the
    processes need theirs. `give_up` ends it at once; `look_every_s` is real.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + max(scene.clock.real_seconds(within_s), _LEAST_REAL_S)
    held_since: float | None = None
    while loop.time() < ends and not (give_up and give_up.is_set()):
        waiting = await _waiting(scene)
        if not any(waiting.values()):
            return True
        only_held = not any(n for what, n in waiting.items() if what != HOLDS)
        held_since = (held_since or loop.time()) if only_held else None
        if held_since is not None and loop.time() - held_since > scene.clock.real_seconds(HELD_PATIENCE_S):
            return True
        if progress:
            progress(", ".join(f"{n} {what}" for what, n in waiting.items() if n))
        await asyncio.sleep(look_every_s)
    return False


async def _waiting(scene: Scene) -> dict[str, int]:
    """How much of what still waits; the sandboxes are asked only when the book has come to rest."""
    waiting = await scene.setup.db.read(in_flight)
    if any(n for what, n in waiting.items() if what != HOLDS):
        return waiting
    truth = await truths(scene)
    return {HOLDS: waiting[HOLDS]} | await unfinished(scene, truth)


async def unfinished(scene: Scene, truth: dict[str, dict[str, Any]]) -> dict[str, int]:
    taken = await scene.setup.db.read(read_tallies)
    orders = sum(n for (_, name), n in taken.items() if name.startswith("orders_in."))
    return {
        "deliveries": sum(int(told["deliveries_pending"]) for told in truth.values()),
        "late writes": sum(int(told.get("writes_pending", 0)) for told in truth.values()),
        "orders": sum(int(told["orders_accepted"]) for told in truth.values()) - orders,
        "wrong numbers": len(await differing(scene, truth)),
    }


def in_flight(connection: Connection) -> dict[str, int]:
    """What still waits: events, writes, holds that have not ended, numbers that are to change, units to be moved."""

    def count(statement: Any) -> int:
        return int(connection.execute(select(func.count()).select_from(statement.subquery())).scalar_one())

    return {
        "events": count(select(inbox.c.id).where(inbox.c.state.in_(("new", "hinted")))),
        "writes": count(select(push_batch.c.key).where(push_batch.c.state == "in_flight")),
        HOLDS: count(select(hold.c.id).where(hold.c.closed_at.is_(None))),
        "listings": count(
            select(dirty_listing.c.listing_id).where(
                or_(dirty_listing.c.waits_for.is_(None), dirty_listing.c.waits_for.in_(("certification", TAKES_EFFECT)))
            )
        ),
        "reservations to move": len(read_movable(connection)),
    }

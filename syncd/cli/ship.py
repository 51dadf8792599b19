"""`syncd ship`: book an order as shipped."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from syncd import config as settings
from syncd.bootstrap import visit_world
from syncd.fulfilment.ship import ship_order


def ship_and_tell(path: Path, order: str, account: str | None, console: Console) -> None:
    world = visit_world(settings.load(path))
    try:
        if account is not None:
            world.account_id(account)
        shipped = world.db.transact_now(ship_order, order, account, world.views, world.clock.now())
    finally:
        world.db.close()
    places = ", ".join(f"{units} from {key}" for key, units in sorted(shipped.units.items()))
    console.print(f"order {shipped.order} of {shipped.account}: shipped {places}", markup=False)
    if shipped.left:
        console.print(f"{shipped.left} units of it are still to go", style="yellow")

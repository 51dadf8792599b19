"""What every dealing with one outside warehouse needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from adapters.contract import Clock
from adapters.warehouse import Fulfiller, ShipmentState
from syncd.db.database import Transactor
from syncd.db.lease import Lease
from syncd.fulfilment.due import Due
from syncd.fulfilment.settle import note_shipment
from syncd.fulfilment.survey import Outside

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """A warehouse, our book, and the lease under which we act."""

    place: Outside
    fulfiller: Fulfiller
    db: Transactor
    clock: Clock
    lease: Callable[[], Lease]

    def has_settled(self, due: Due, at: datetime) -> bool:
        """Whether what was sent had arrived at that instant, or never will."""
        settle = timedelta(seconds=self.fulfiller.traits.settle_s)
        return due.submitted_at is None or at - due.submitted_at >= settle

    async def note(self, told: ShipmentState, read_at: datetime) -> bool:
        """Book what the warehouse says of a shipment. Returns whether that was news."""
        changed = await self.db.transact(note_shipment, self.lease(), self.place, told, read_at, self.clock.now())
        if changed:
            log.info("shipment.noted", warehouse=self.place.key, reference=told.reference, status=told.status.value)
        return changed

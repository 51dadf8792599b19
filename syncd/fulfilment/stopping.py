"""Ask a warehouse not to ship after all. Only what it says is cancelled is free."""

from __future__ import annotations

import structlog

from adapters.contract import AdapterError, OutcomeUnknown, Rejected
from adapters.warehouse import Cancelled
from syncd.fulfilment.desk import Desk
from syncd.fulfilment.due import Cancelling, Due, mark_cancelling, unmark_cancelling
from syncd.fulfilment.settle import note_cancelled, note_never_arrived, note_too_late

log = structlog.get_logger(__name__)


async def stop(desk: Desk, due: Due) -> bool:
    """See how far a shipment has come, then cancel it.

    Returns whether the book has changed. Raises AdapterError when nothing was found out.
    """
    read_at = desk.clock.now()
    there = await desk.fulfiller.find(due.reference)
    changed = await desk.note(there, read_at) if there is not None else False
    if there is None and due.state == "submitted":
        if not desk.has_settled(due, read_at):
            return False
        return await desk.db.transact(
            note_never_arrived, desk.lease(), desk.place, due.reference, due.submitted_at, desk.clock.now()
        )
    settle_s = desk.fulfiller.traits.settle_s
    cancelling = await desk.db.transact(
        mark_cancelling, desk.lease(), desk.place, due.reference, settle_s, desk.clock.now()
    )
    if cancelling is None:
        return changed
    outcome = await _send(desk, due.reference, cancelling)
    return await _note(desk, due.reference, outcome) or changed


async def _send(desk: Desk, reference: str, cancelling: Cancelling) -> Cancelled:
    try:
        return await desk.fulfiller.cancel(cancelling.warehouse_shipment_id)
    except OutcomeUnknown:
        raise  # it stays as sent: the next round sees what became of it
    except Rejected as err:
        return Cancelled(False, str(err))
    except AdapterError:
        if cancelling.first:
            await desk.db.transact(unmark_cancelling, desk.lease(), desk.place, reference)
        raise


async def _note(desk: Desk, reference: str, outcome: Cancelled) -> bool:
    now = desk.clock.now()
    if outcome.done:
        log.info("shipment.cancelled", warehouse=desk.place.key, reference=reference)
        return await desk.db.transact(note_cancelled, desk.lease(), desk.place, reference, now)
    reason = outcome.reason or "it does not say why"
    log.warning("shipment.too_late", warehouse=desk.place.key, reference=reference, reason=reason)
    return await desk.db.transact(note_too_late, desk.lease(), desk.place, reference, reason, now)

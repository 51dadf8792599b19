"""Ask a warehouse to ship, once."""

from __future__ import annotations

import structlog

from adapters.contract import AdapterError, OutcomeUnknown, Rejected
from syncd.fulfilment.desk import Desk
from syncd.fulfilment.due import Due, NotSent, mark_sending
from syncd.fulfilment.settle import note_refused, note_unsent

log = structlog.get_logger(__name__)


async def ask(desk: Desk, due: Due) -> bool:
    """Send a request, or look for one that was sent before and see whether it must be sent again.

    Returns whether the book has changed. Raises AdapterError when nothing was found out.
    """
    if due.state == "submitted":
        read_at = desk.clock.now()
        there = await desk.fulfiller.find(due.reference)
        if there is not None:
            return await desk.note(there, read_at)
        if not desk.has_settled(due, read_at):
            return False
    order = await desk.db.transact(mark_sending, desk.lease(), desk.place, due.reference, desk.clock.now())
    if isinstance(order, NotSent):
        return order.dropped
    sent_at = desk.clock.now()
    try:
        state = await desk.fulfiller.submit(order)
    except OutcomeUnknown:
        raise  # it stays as sent: it is looked for before anything else
    except Rejected as err:
        log.warning(
            "shipment.refused", warehouse=desk.place.key, reference=due.reference, field=err.field, reason=err.reason
        )
        now = desk.clock.now()
        return await desk.db.transact(note_refused, desk.lease(), desk.place, due.reference, str(err), now)
    except AdapterError:
        await desk.db.transact(note_unsent, desk.lease(), desk.place, due.reference, desk.clock.now())
        raise
    return await desk.note(state, sent_at)

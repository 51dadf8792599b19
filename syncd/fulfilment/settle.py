"""Book what a warehouse says of a shipment: accepted, left, held up, cancelled, refused. Each is safe to repeat."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Executable, select

from adapters.warehouse import ShipmentState, ShipmentStatus
from syncd.db.lease import Lease, guard
from syncd.db.statements import Given, statement
from syncd.db.tables import shipment_request
from syncd.fulfilment import alerts
from syncd.fulfilment.booking import Booking
from syncd.fulfilment.leaving import missing_pieces
from syncd.fulfilment.request import Request, can_be_sent, load_request, save_request
from syncd.fulfilment.survey import Outside


@dataclass(frozen=True, slots=True)
class Known:
    """What we last heard of a shipment."""

    digest: str
    unheard: bool  # no answer to our request has been booked yet


def load_known(connection: Connection, warehouse_id: int, references: Collection[str]) -> dict[str, Known]:
    """Those of these shipments that are ours, by reference."""
    found = _known(connection, wanted=[(each,) for each in sorted(set(references))], warehouse_id=warehouse_id)
    return {row.reference: Known(row.digest, bool(row.unheard)) for row in found}


@statement
def _known(given: Given) -> Executable:
    table = shipment_request
    wanted = given.rows("wanted", reference=str)
    return (
        select(table.c.reference, table.c.digest, table.c.state.in_(("planned", "submitted")).label("unheard"))
        .join(wanted, wanted.c.reference == table.c.reference)
        .where(table.c.warehouse_id == given.value("warehouse_id", int))
    )


def is_news(told: ShipmentState, known: Known | None) -> bool:
    """Whether a state says more than the one booked last."""
    return known is not None and (known.unheard or known.digest != digest_of(told))


def digest_of(told: ShipmentState) -> str:
    parcels = [
        (each.carrier, each.tracking_number, each.tracking_url, each.shipped_at, sorted(each.pieces.items()))
        for each in told.parcels
    ]
    said = (told.warehouse_shipment_id, told.status.value, sorted(told.shipped.items()), parcels, told.reason)
    return hashlib.sha256(repr(said).encode()).hexdigest()


def note_shipment(
    connection: Connection, lease: Lease, place: Outside, told: ShipmentState, read_at: datetime, now: datetime
) -> bool:
    """Book a shipment as the warehouse has it; whether anything is new. `read_at`: it is of that instant or later."""
    guard(connection, lease)
    request = load_request(connection, place.warehouse_id, told.reference)
    if request is None:
        return False
    if not is_news(told, Known(request.digest, request.state in ("planned", "submitted"))):
        return False
    if not request.is_open:
        return _note_afterwards(Booking(connection, place, request, now), told, read_at)
    booking = Booking(connection, place, request, now)
    booking.note(digest=digest_of(told))
    booking.accept(told.warehouse_shipment_id)
    booking.ship(told)
    if told.status is ShipmentStatus.CANCELLED:
        _end_cancelled(booking, told.reason)
    elif not missing_pieces(request) or (told.status is ShipmentStatus.SHIPPED and not request.open_units):
        booking.end("shipped")
    elif told.status is ShipmentStatus.SHIPPED:
        _end_incomplete(booking)
    elif told.status is ShipmentStatus.EXCEPTION:
        reason = told.reason or "it does not say why"
        booking.note(reason=reason)
        booking.tell(alerts.exception, reason)
    else:
        booking.note(reason=None)
        booking.untell(alerts.EXCEPTION)
    booking.record()
    return True


def _end_cancelled(booking: Booking, reason: str | None) -> None:
    """The warehouse has cancelled it, because we asked or by itself: then a person must look at the order."""
    wanted = booking.request.cancel_wanted_at is not None
    booking.free()
    booking.end("cancelled" if wanted else "refused", reason)
    if wanted:
        booking.untell(alerts.TOO_LATE)
    else:
        booking.tell(alerts.refused, reason or alerts.BY_ITSELF)


def _end_incomplete(booking: Booking) -> None:
    """The warehouse is done, and not all was in its parcels: what it does not send stays with the order."""
    booking.free()
    if booking.holds_some:
        reason = f"it is done with it, but {missing_pieces(booking.request)} pieces are in no parcel"
        booking.end("refused", reason)
        booking.tell(alerts.refused, reason)
    else:
        booking.end("shipped")


def _note_afterwards(booking: Booking, told: ShipmentState, read_at: datetime) -> bool:
    """News of what is over: tracking that comes late; or goods that leave though we were told they would not."""
    request = booking.request
    if request.settled_at is None or read_at <= request.settled_at:
        return False  # it may be older than what ended it
    booking.note(digest=digest_of(told))
    booking.ship(told)
    if request.state in ("cancelled", "refused") and told.status is not ShipmentStatus.CANCELLED:
        booking.tell(alerts.too_late, f"it has the shipment after all, as {told.status.value}")
    booking.record()
    return True


def note_refused(
    connection: Connection, lease: Lease, place: Outside, reference: str, reason: str, now: datetime
) -> bool:
    """The warehouse will never ship it: its units are reserved as before, and a person is told.

    When the order has changed meanwhile, it has refused what nobody wants any more: the rest is planned anew.
    """
    booking = _open_booking(connection, lease, place, reference, ("submitted",), now)
    if booking is None:
        return False
    booking.free()
    if booking.request.cancel_wanted_at is None and booking.holds_some:
        booking.end("refused", reason)
        booking.tell(alerts.refused, reason)
    else:
        booking.end("cancelled", reason)
    booking.record()
    return True


def note_stuck(
    connection: Connection, lease: Lease, place: Outside, reference: str, reason: str, now: datetime
) -> None:
    """It has been sent again and again, and nothing was heard of it: a person is told."""
    booking = _open_booking(connection, lease, place, reference, ("planned", "submitted"), now)
    if booking is not None:
        booking.note(reason=reason)
        booking.tell(alerts.exception, reason)
        booking.record()


def note_unsent(connection: Connection, lease: Lease, place: Outside, reference: str, now: datetime) -> bool:
    """The request surely had no effect: it is as before it was sent, or over when its order has changed since."""
    guard(connection, lease)
    request = load_request(connection, place.warehouse_id, reference)
    if request is None or request.state != "submitted":
        return False
    if request.cancel_wanted_at is None and can_be_sent(connection, request):
        save_request(connection, request, state="planned")
    else:
        drop_unsent(connection, place, request, now)
    return True


def drop_unsent(connection: Connection, place: Outside, request: Request, now: datetime) -> None:
    """End a request that the warehouse surely does not have: what its order still wants is planned anew."""
    booking = Booking(connection, place, request, now)
    booking.free()
    booking.end("cancelled", "the order changed before it was sent")
    booking.record()


def note_never_arrived(
    connection: Connection, lease: Lease, place: Outside, reference: str, sent_at: datetime | None, now: datetime
) -> bool:
    """The warehouse has never got what was last sent at `sent_at`, and the order does not want it any more."""
    booking = _open_booking(connection, lease, place, reference, ("submitted",), now)
    if booking is None or booking.request.cancel_wanted_at is None or booking.request.submitted_at != sent_at:
        return False
    booking.free()
    booking.end("cancelled", "it never arrived")
    booking.record()
    return True


def note_cancelled(connection: Connection, lease: Lease, place: Outside, reference: str, now: datetime) -> bool:
    """The warehouse has cancelled it as we asked: only now its goods are free."""
    booking = _open_booking(connection, lease, place, reference, ("accepted",), now)
    if booking is None:
        return False
    booking.free()
    booking.end("cancelled")
    booking.untell(alerts.TOO_LATE)
    booking.record()
    return True


def note_too_late(
    connection: Connection, lease: Lease, place: Outside, reference: str, reason: str, now: datetime
) -> bool:
    """The warehouse does not cancel it: its goods stay reserved until they leave, and a person is told."""
    booking = _open_booking(connection, lease, place, reference, ("accepted",), now)
    if booking is None:
        return False
    booking.note(too_late_at=now, cancel_sent_at=None)
    booking.tell(alerts.too_late, reason)
    booking.count("shipments_too_late")
    booking.record()
    return True


def _open_booking(
    connection: Connection, lease: Lease, place: Outside, reference: str, states: tuple[str, ...], now: datetime
) -> Booking | None:
    guard(connection, lease)
    request = load_request(connection, place.warehouse_id, reference)
    if request is None or request.state not in states:
        return None
    return Booking(connection, place, request, now)

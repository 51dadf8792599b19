"""A shipment request without an answer is sent again, without looking first whether the warehouse has it.

In real life: a retry around the call, and a refusal that nobody reads. The warehouse knows the reference already and
refuses the second one; we call the shipment refused, and it leaves all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

from adapters.contract import Rejected
from adapters.shipbob.shipments import Shipments
from adapters.warehouse import ShipmentOrder, ShipmentState
from syncd.fulfilment.asking import ask
from syncd.fulfilment.desk import Desk
from syncd.fulfilment.due import Due


async def _ask_at_once(desk: Desk, due: Due) -> bool:
    return await ask(desk, replace(due, state="planned"))


async def _as_refused(shipments: Shipments, order: ShipmentOrder, err: Rejected) -> ShipmentState:
    raise err


@contextmanager
def planted() -> Iterator[None]:
    sent_at_once = mock.patch("syncd.fulfilment.outside.ask", _ask_at_once)
    with sent_at_once, mock.patch.object(Shipments, "_known", _as_refused):
        yield

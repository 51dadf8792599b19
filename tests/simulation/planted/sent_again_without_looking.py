"""A shipment request without an answer is sent again, without looking first whether the warehouse has it.

In real life: a retry around the call. The warehouse knows the reference already and refuses the second one; we call
the shipment refused, and it leaves all the same.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from unittest import mock

from syncd.fulfilment.asking import ask
from syncd.fulfilment.desk import Desk
from syncd.fulfilment.due import Due


async def _ask_at_once(desk: Desk, due: Due) -> bool:
    return await ask(desk, replace(due, state="planned"))


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.fulfilment.outside.ask", _ask_at_once)

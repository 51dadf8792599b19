"""News that nobody has heard yet: what it explains at rest is asked again, and every other rule must hold at once.

A webhook may be lost for good, and a 3PL goes on packing: their next poll tells, and until then the book is behind what
truly is. Nothing else has an excuse to be wrong at rest for a while.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from syncd.simulation.checker.verdict import Finding

HEARD_LATER: Final = MappingProxyType(
    {
        "orders.missing": "the order's webhook was lost: a poll brings it",
        "orders.state": "a cancellation, a payment or a parcel of it was told by a webhook that was lost",
        "shipments.state": "a 3PL has packed, or called off, since it was asked last",
        "stock.physical": "a 3PL's shelf is known as of the last poll (of own shelves see FOLLOWS)",
    }
)
"""Rules that hold the book against what others have, and why it may not know that yet."""

FOLLOWS: Final = MappingProxyType(
    {
        "stock.demand": "what buyers are owed, as the channels and the 3PLs have it",
        "stock.physical": "what has left own shelves, as the channels have it",
        "stock.reserved_twice": "what is there, as the channels and the 3PLs have it",
        "stock.missing": "what buyers are owed beyond what is there",
        "shown.too_high": "what nobody has bought",
        "shown.pool": "what the account's own warehouses have left",
        "shown.too_low": "what nobody has bought, and what has arrived at a 3PL",
    }
)
"""Rules that reckon with the same news, and with what: excused while one of those above is not met, never alone."""

_VENDOR_ALERTS: Final = ("channel_down", "warehouse_down", "queue_down", "auth_expired", "warehouse_auth")
"""That a vendor answers again is heard with the next request to it, so that these alerts close with that."""


def may_be_unheard(findings: Iterable[Finding]) -> list[Finding]:
    """Those of a look's findings that the next polls may mend."""
    found = list(findings)
    unheard = any(_is_heard_later(each) for each in found)
    return [each for each in found if _is_heard_later(each) or (unheard and each.rule in FOLLOWS)]


def _is_heard_later(finding: Finding) -> bool:
    if finding.rule == "stock.physical":
        return " in " in finding.subject  # a place of its own: nobody but its 3PL tells what stands there
    if finding.rule == "alerts.over":
        return finding.subject.partition(":")[0] in _VENDOR_ALERTS
    return finding.rule in HEARD_LATER

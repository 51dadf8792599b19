"""Every kind of alert: how bad it is, and how long people can wait to hear of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Severity(IntEnum):
    """How bad an alert is. Critical: units, orders or the book are at stake, and somebody should get up."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Kind:
    """`wait_s`: how long more causes are collected before people are told, in the seller's seconds.

    `single`: an account, a warehouse or the whole has it or not, so that there is never one more to tell of.
    """

    name: str
    severity: Severity
    wait_s: float
    single: bool = False


AT_ONCE_S: Final = 2.0
COLLECTED_S: Final = 25.0


_SINGLE: Final = frozenset(
    (
        "channel_down",
        "auth_expired",
        "queue_down",
        "warehouse_down",
        "warehouse_auth",
        "audit_violation",
        "intake_late",
        "polls_late",
        "drift",
        "unnamed_levels",
        "unknown_codes",
        "unreadable_levels",
        "orders_not_sent",
    )
)


def _kinds(severity: Severity, wait_s: float, names: str) -> dict[str, Kind]:
    return {name: Kind(name, severity, wait_s, name in _SINGLE) for name in names.split()}


KINDS: Final = (
    _kinds(
        Severity.CRITICAL,
        AT_ONCE_S,
        "oversold short channel_down auth_expired warehouse_down warehouse_auth audit_violation disk_low intake_late"
        " polls_late loop_failing",
    )
    | _kinds(
        Severity.WARNING,
        COLLECTED_S,
        "unmapped parked_line parked_event order_in_review listing_refused listing_unreadable listing_unheeded drift"
        " queue_down unnamed_levels unknown_codes unreadable_levels shipment_waits shipment_refused shipment_exception"
        " shipment_too_late route_down messages_lost job_failing reload_refused audit_failing",
    )
    | _kinds(Severity.INFO, COLLECTED_S, "orders_not_sent")
)

_UNKNOWN: Final = Kind("", Severity.WARNING, COLLECTED_S)


def kind_of(name: str) -> Kind:
    """A kind by its name. One that a newer version left in the database counts as a warning."""
    return KINDS.get(name, _UNKNOWN)


def severity_called(word: str) -> Severity:
    return Severity[word.upper()]

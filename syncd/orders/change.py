"""What applying one order changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adapters.contract import OrderState
from syncd.orders.book import OrderBook, OrderStanding
from syncd.publishing.cells import Sale


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert to open or, with no message, to close."""

    key: str
    kind: str
    impact: str = ""
    message: str | None = None
    subject: str = ""
    detail: str = ""
    units: int | None = None
    orders: int | None = None


@dataclass(slots=True)
class OrderChange:
    """Everything that applying one order changes; `book` is the order afterwards."""

    book: OrderBook
    state: OrderState | None  # None when the order itself did not change, only what covers it
    standing: OrderStanding | None  # None: as it was
    is_new: bool
    review: str | None = None
    sales: list[Sale] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    decision: dict[str, Any] | None = None
    reserved: dict[int, int] = field(default_factory=dict)  # pieces newly reserved, by warehouse
    oversold_units: int = 0
    shipped_units: int = 0
    had_requests: bool = False  # warehouses were asked to ship units of it that had not left
    recalled: set[int] = field(default_factory=set)  # warehouses that must be asked not to ship what they were asked to
    withdrawn: set[int] = field(default_factory=set)  # warehouses whose shipment request is never to be sent

    @property
    def is_cancelled(self) -> bool:
        return (self.standing or self.book.standing) is OrderStanding.CANCELLED

    @property
    def is_over(self) -> bool:
        """Whether the order wants nothing more, and no unit is kept for it."""
        over = (self.standing or self.book.standing) is not OrderStanding.OPEN
        return over and not any(line.open_units for line in self.book.lines.values())

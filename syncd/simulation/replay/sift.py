"""What a row means: a line of an order, a cancellation of one, or neither, with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from syncd.catalogue.codes import normalise
from syncd.simulation.replay.columns import Columns
from syncd.simulation.replay.dates import DayOrder, read_instant
from syncd.simulation.replay.reasons import Reason

# Codes that stand for no goods, and beginnings of descriptions that do where the code does not tell.
_NO_GOODS: Final = frozenset(
    (
        *(
            "adjust",
            "adjust2",
            "amazonfee",
            "b",
            "bank charges",
            "c2",
            "c3",
            "carriage",
            "cruk",
            "d",
            "discount",
            "dot",
        ),
        *("dot", "fee", "fees", "gift card", "handling", "m", "manual", "p&p", "post", "postage", "s", "sample"),
        *("samples", "shipping", "test", "test001", "test002"),
    )
)
_VOUCHER: Final = re.compile(r"gift_\d")
_SERVICE: Final = re.compile(
    r"(dotcom |next day )?"
    r"(postage|carriage|bank charges|amazon fee|adjust bad debt|manual$|discount$|samples?$|shipping)"
)
_LONGEST_SKU: Final = 40  # Amazon's
_MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order; `quantity` is below 0 where it takes one back. `cancelled_at`: the whole order's end."""

    order: str
    sku: str
    quantity: int
    at: datetime
    customer: str
    country: str
    channel: str
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a row is no line of an order; `detail` is for the report's examples."""

    reason: Reason
    detail: str = ""


@dataclass(slots=True)
class Shared:
    """What the lines of an order share, of the last order seen: some exports tell it in the first line alone."""

    order: str = ""
    at: str = ""
    customer: str = ""
    country: str = ""


class Sieve:
    """Reads rows of one file. Instants without an offset are of the zone."""

    def __init__(
        self,
        columns: Columns,
        zone: tzinfo,
        order: DayOrder | None = None,
        wanted: Callable[[datetime], bool] = lambda at: True,
    ) -> None:
        """`order`: what dates begin with; `wanted` says of an instant whether it lies in the slice asked for."""
        self._columns = columns
        self._zone = zone
        self._order = order
        self._wanted = wanted
        self._shared = Shared()

    def sift(self, cells: list[str]) -> Line | LeftOut:
        order, sku = self._cell(cells, "order"), self._cell(cells, "sku")
        at_text, customer, country = self._carried(cells, order)
        if not order:
            return LeftOut(Reason.BROKEN, "no order")
        if not sku or len(sku) > _LONGEST_SKU:
            return LeftOut(Reason.BROKEN, "no code" if not sku else f"a code of {len(sku)} characters")
        quantity, at = _whole(self._cell(cells, "quantity")), read_instant(at_text, self._zone, self._order)
        if quantity is None:
            return LeftOut(Reason.BROKEN, f"quantity {self._cell(cells, 'quantity')!r}")
        if at is None:
            return LeftOut(Reason.BROKEN, f"instant {at_text!r}")
        if not self._wanted(at):
            return LeftOut(Reason.OUTSIDE)
        price_text = self._cell(cells, "price")
        price = _number(price_text)
        if price is None and price_text:
            return LeftOut(Reason.BROKEN, f"price {price_text!r}")
        if _is_no_goods(sku, self._cell(cells, "description")):
            return LeftOut(Reason.NO_GOODS)
        takes_back = order[0] in "Cc" and order[1:].isdigit()
        if quantity == 0:
            return LeftOut(Reason.NO_QUANTITY)
        if quantity < 0 and not takes_back:
            return LeftOut(Reason.NEGATIVE)
        if price is not None and price <= 0:
            return LeftOut(Reason.NO_PRICE)
        ends = read_instant(self._cell(cells, "cancelled_at"), self._zone, self._order)
        quantity = -abs(quantity) if takes_back else quantity
        return Line(order, sku, quantity, at, customer, country, self._cell(cells, "channel"), ends)

    def _cell(self, cells: list[str], field: str) -> str:
        return self._columns.cell(cells, field)

    def _carried(self, cells: list[str], order: str) -> tuple[str, str, str]:
        told = (self._cell(cells, "at"), self._cell(cells, "customer"), self._cell(cells, "country"))
        if not self._columns.carries_down:
            return told
        if order != self._shared.order:
            self._shared = Shared(order, *told)
        shared = self._shared
        shared.at, shared.customer, shared.country = (
            told[0] or shared.at,
            told[1] or shared.customer,
            told[2] or shared.country,
        )
        return shared.at, shared.customer, shared.country


def _is_no_goods(sku: str, description: str) -> bool:
    code = normalise(sku)
    return code in _NO_GOODS or bool(_VOUCHER.match(code)) or bool(_SERVICE.match(normalise(description)))


def _whole(text: str) -> int | None:
    if not re.fullmatch(r"-?\d{1,9}(\.0+)?", text):
        return None
    number = int(float(text))
    return number if abs(number) <= _MOST else None


def _number(text: str) -> float | None:
    """An amount, with a currency's sign or not."""
    match = re.fullmatch(r"[^\d\-]*(-?\d[\d,]*(?:\.\d+)?)[^\d]*", text)
    return float(match[1].replace(",", "")) if match else None

"""Whether an alert that a person wants to close still has its cause, and what would open it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, Select, literal_column, select

from syncd.db.tables import alert, inbox, level, order_line, sales_order, shipment_request, shortage

_TRIED: Final = "it opens again with the next try that fails"
_ORDER: Final = "it opens again when the order is taken in anew"
_MINUTE: Final = "it opens again within two minutes if that is still so"
OPENS_AGAIN: Final = {
    "oversold": _ORDER,
    "unmapped": _ORDER,
    "parked_line": _ORDER,
    "order_in_review": _ORDER,
    "short": "it opens again when the level changes",
    "channel_down": _TRIED,
    "auth_expired": _TRIED,
    "warehouse_down": _TRIED,
    "warehouse_auth": _TRIED,
    "listing_refused": _TRIED,
    "listing_unreadable": _TRIED,
    "listing_unheeded": _TRIED,
    "shipment_waits": _TRIED,
    "shipment_exception": _TRIED,
    "unnamed_levels": "it opens again when the warehouse is read the next time and still does so",
    "unknown_codes": "it opens again when the warehouse is read the next time and still has them",
    "unreadable_levels": "it opens again when the warehouse is read the next time and still does so",
    "queue_down": "it opens again only when the queue has worked in between, or after a restart",
    "route_down": "it opens again only when the route has worked in between, or after a restart",
    "messages_lost": "it opens again with the next message that is given up",
    "drift": "it opens again with the next such number",
    "audit_violation": "it opens again within minutes, when the audit looks again and finds it",
    "audit_failing": "it opens again within the hour, when the audit tries that rule again and it still cannot run",
    "disk_low": _MINUTE,
    "intake_late": _MINUTE,
    "polls_late": _MINUTE,
    "loop_failing": _MINUTE,
    "job_failing": _MINUTE,
    "reload_refused": "it opens again with the next reload that is refused",
}
NEVER: Final = "it does not open again by itself"


@dataclass(frozen=True, slots=True)
class Standing:
    """`stands`: whether its cause is there just now; None: the database cannot tell."""

    stands: bool | None
    opens_again: str


def standing(connection: Connection, row: Row[tuple[object, ...]]) -> Standing:
    """How it stands with an open alert."""
    question = _QUESTIONS.get(row.kind)
    opens_again = OPENS_AGAIN.get(row.kind, NEVER)
    if question is None:
        return Standing(None, opens_again)
    parts = row.key.split(":", 2)
    found = None if len(parts) < 2 else connection.execute(question(parts).limit(1)).scalar_one_or_none()
    return Standing(found is not None, opens_again)


def find_open(connection: Connection, key: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(alert).where(alert.c.key == key, alert.c.closed_at.is_(None))).one_or_none()


def open_keys(connection: Connection, limit: int) -> list[str]:
    """The newest open keys."""
    newest = select(alert.c.key).where(alert.c.closed_at.is_(None)).order_by(alert.c.opened_at.desc()).limit(limit)
    return list(connection.execute(newest).scalars())


Found = Select[tuple[int]]


def _one(*conditions: ColumnElement[bool]) -> Found:
    return select(literal_column("1")).where(*conditions)


def _of_order(parts: list[str], *conditions: ColumnElement[bool]) -> Found:
    mine = (sales_order.c.account_id == int(parts[1]), sales_order.c.channel_order_id == parts[2])
    joined = _one(*mine, *conditions).select_from(sales_order)
    return joined.join(order_line, order_line.c.order_id == sales_order.c.id)


def _of_line(parts: list[str], *conditions: ColumnElement[bool]) -> Found:
    order_id, _, line_id = parts[2].rpartition(":")
    return _of_order([parts[0], parts[1], order_id], order_line.c.channel_line_id == line_id, *conditions)


def _short_of(reason: str) -> tuple[ColumnElement[bool], ...]:
    return shortage.c.closed_at.is_(None), shortage.c.quantity > 0, shortage.c.reason == reason


def _with_shortage(found: Found) -> Found:
    return found.join(shortage, shortage.c.order_line_id == order_line.c.id)


_QUESTIONS: Final[dict[str, Callable[[list[str]], Found]]] = {
    "oversold": lambda parts: _with_shortage(_of_order(parts, *_short_of("oversold"))),
    "unmapped": lambda parts: _with_shortage(_of_line(parts, *_short_of("unmapped"))),
    "parked_line": lambda parts: _of_line(parts, order_line.c.parked.is_not(None)),
    "order_in_review": lambda parts: _of_order(parts, sales_order.c.review.is_not(None)),
    "parked_event": lambda parts: _one(
        inbox.c.id == int(parts[1]), inbox.c.state == "parked", inbox.c.body.is_not(None)
    ),
    "short": lambda parts: _one(
        level.c.warehouse_id == int(parts[1]), level.c.sku_id == int(parts[2]), level.c.short > 0
    ),
    "shipment_refused": lambda parts: _one(
        shipment_request.c.warehouse_id == int(parts[1]),
        shipment_request.c.order_id == int(parts[2]),
        shipment_request.c.state == "refused",
    ),
}

"""News of an order whose buyer was erased: what it says of the buyer is erased too, once it is taken in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Executable, exists, update

from syncd.db.statements import Given, statement
from syncd.db.tables import inbox, recipient


def ask_to_erase(connection: Connection, news: Collection[tuple[int, int]], now: datetime) -> None:
    """Mark these (inbox id, order id) whose order's recipient was erased: their bodies go when all is tidied."""
    if news:
        _ask(connection, news=sorted(news), now=now)


@statement
def _ask(given: Given) -> Executable:
    news = given.rows("news", id=int, order_id=int)
    erased = exists().where(recipient.c.order_id == news.c.order_id, recipient.c.erased_at.is_not(None))
    return (
        update(inbox)
        .values(erase_asked_at=given.value("now", datetime))
        .where(inbox.c.id == news.c.id, inbox.c.body.is_not(None), inbox.c.erase_asked_at.is_(None), erased)
    )

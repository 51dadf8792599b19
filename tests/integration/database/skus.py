"""What these tests write and read: SKUs by their codes."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from syncd.db.tables import sku


def add_sku(connection: Connection, code: str) -> str:
    connection.execute(insert(sku).values(code=code))
    return code


def codes(connection: Connection) -> list[str]:
    return list(connection.execute(select(sku.c.code).order_by(sku.c.code)).scalars())

"""Codes as people write them: one SKU may have many, and no two SKUs share one."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from sqlalchemy import Connection, select

from syncd.db.rows import rows
from syncd.db.tables import sku, sku_alias


def normalise(code: str) -> str:
    """A code without what people do not see as a difference: case, width of letters, runs of blanks."""
    composed = unicodedata.normalize("NFKC", code).casefold()
    return " ".join(unicodedata.normalize("NFKC", composed).split())


def find_skus(connection: Connection, normalised: Collection[str]) -> dict[str, int]:
    """sku_id by normalised code, of those that name a SKU."""
    if not normalised:
        return {}
    wanted = rows(connection, "wanted", [("code", str)], [(code,) for code in sorted(set(normalised))])
    found = connection.execute(
        select(sku_alias.c.normalised_code, sku_alias.c.sku_id).join(
            wanted, wanted.c.code == sku_alias.c.normalised_code
        )
    )
    return {row.normalised_code: row.sku_id for row in found}


def find_exact(connection: Connection, codes: Collection[str]) -> dict[str, int]:
    """sku_id by code, exactly as the SKU has it."""
    if not codes:
        return {}
    wanted = rows(connection, "wanted", [("code", str)], [(code,) for code in sorted(set(codes))])
    found = connection.execute(select(sku.c.code, sku.c.id).join(wanted, wanted.c.code == sku.c.code))
    return {row.code: row.id for row in found}


def codes_of(connection: Connection, sku_ids: Collection[int]) -> dict[int, str]:
    """The code people see, by sku_id."""
    if not sku_ids:
        return {}
    wanted = rows(connection, "wanted", [("id", int)], [(sku_id,) for sku_id in sorted(set(sku_ids))])
    found = connection.execute(select(sku.c.id, sku.c.code).join(wanted, wanted.c.id == sku.c.id))
    return {row.id: row.code for row in found}

"""Codes as people write them: one SKU may have many, and no two SKUs share one."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from sqlalchemy import Connection, Executable, select

from syncd.db.statements import Given, statement
from syncd.db.tables import sku, sku_alias


def normalise(code: str) -> str:
    """A code without what people do not see as a difference: case, width of letters, runs of blanks."""
    composed = unicodedata.normalize("NFKC", code).casefold()
    return " ".join(unicodedata.normalize("NFKC", composed).split())


def find_skus(connection: Connection, normalised: Collection[str]) -> dict[str, int]:
    """sku_id by normalised code, of those that name a SKU."""
    found = _by_normalised(connection, wanted=[(code,) for code in sorted(set(normalised))]) if normalised else ()
    return {row.normalised_code: row.sku_id for row in found}


@statement
def _by_normalised(given: Given) -> Executable:
    wanted = given.rows("wanted", code=str)
    same = wanted.c.code == sku_alias.c.normalised_code
    return select(sku_alias.c.normalised_code, sku_alias.c.sku_id).join(wanted, same)


def find_exact(connection: Connection, codes: Collection[str]) -> dict[str, int]:
    """sku_id by code, exactly as the SKU has it."""
    found = _by_code(connection, wanted=[(code,) for code in sorted(set(codes))]) if codes else ()
    return {row.code: row.id for row in found}


@statement
def _by_code(given: Given) -> Executable:
    wanted = given.rows("wanted", code=str)
    return select(sku.c.code, sku.c.id).join(wanted, wanted.c.code == sku.c.code)


def codes_of(connection: Connection, sku_ids: Collection[int]) -> dict[int, str]:
    """The code people see, by sku_id."""
    found = _by_id(connection, wanted=[(sku_id,) for sku_id in sorted(set(sku_ids))]) if sku_ids else ()
    return {row.id: row.code for row in found}


@statement
def _by_id(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(sku.c.id, sku.c.code).join(wanted, wanted.c.id == sku.c.id)

"""GTINs: the same number however many digits it is printed with, and the SKUs and listings that carry it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, Executable, select

from syncd.db.statements import Given, statement
from syncd.db.tables import listing, sku

_LENGTHS: Final = (8, 12, 13, 14)  # GTIN-8, UPC-A, EAN-13, GTIN-14


def read_gtin(text: str | None) -> str | None:
    """A GTIN as 14 digits; None when it is none: wrong length, letters, a wrong check digit, nothing but zeros."""
    digits = "".join((text or "").split()).replace("-", "")
    if not digits.isascii() or not digits.isdecimal() or len(digits) not in _LENGTHS or not digits.strip("0"):
        return None
    padded = digits.zfill(14)
    weighed = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(padded[:13]))
    return padded if (10 - weighed % 10) % 10 == int(padded[13]) else None


def printed_forms(gtin: str) -> tuple[str, ...]:
    """Every way the same number is printed."""
    number = gtin.lstrip("0")
    return tuple(number.zfill(length) for length in _LENGTHS if length >= len(number))


def find_by_gtin(connection: Connection, gtins: Collection[str]) -> dict[str, tuple[int, ...]]:
    """sku_ids by GTIN as 14 digits; more than one when the catalogue says so."""
    found: dict[str, tuple[int, ...]] = {}
    wanted = _forms(gtins)
    if not wanted:
        return found
    for row in _carriers(connection, wanted=[(form,) for form in sorted(wanted)]):
        gtin = wanted[row.gtin]
        found[gtin] = (*found.get(gtin, ()), row.id)
    return found


@statement
def _carriers(given: Given) -> Executable:
    wanted = given.rows("wanted", gtin=str)
    return select(sku.c.id, sku.c.gtin).join(wanted, wanted.c.gtin == sku.c.gtin).order_by(sku.c.id)


def carriers_in_account(connection: Connection, account_id: int, gtins: Collection[str]) -> Mapping[str, int]:
    """How many of the account's items (whatever their locations) carry each GTIN."""
    wanted = _forms(gtins)
    if not wanted:
        return {}
    items: dict[str, set[str]] = {}
    for row in _carrying_items(connection, wanted=[(form,) for form in sorted(wanted)], account_id=account_id):
        items.setdefault(wanted[row.gtin], set()).add(row.channel_sku)
    return {gtin: len(carriers) for gtin, carriers in items.items()}


@statement
def _carrying_items(given: Given) -> Executable:
    wanted = given.rows("wanted", gtin=str)
    return (
        select(listing.c.channel_sku, listing.c.gtin)
        .join(wanted, wanted.c.gtin == listing.c.gtin)
        .where(listing.c.account_id == given.value("account_id", int))
        .distinct()
    )


def _forms(gtins: Iterable[str]) -> dict[str, str]:
    return {form: gtin for gtin in gtins for form in printed_forms(gtin)}

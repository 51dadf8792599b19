"""Bills of materials in the database, loaded level by level: a few statements however many kits there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, Executable, delete, select, text

from syncd.catalogue.bills import DEEPEST, Bills, Components, flatten
from syncd.db.rows import insert_rows
from syncd.db.statements import Given, statement
from syncd.db.tables import bill_of_materials


def components_of(connection: Connection, sku_ids: Collection[int]) -> dict[int, Components]:
    """What one unit of each SKU takes off the shelves, in at most eight statements.

    A SKU that has no bill is made of itself; one whose bills form a loop or lie too deep is absent.
    """
    bills = load_bills(connection, sku_ids)
    made = {sku_id: flatten(bills, sku_id) for sku_id in sku_ids}
    return {sku_id: components for sku_id, components in made.items() if components is not None}


def load_bills(connection: Connection, sku_ids: Collection[int], levels: int = DEEPEST) -> dict[int, dict[int, int]]:
    """The bills of these SKUs and of everything in them, `levels` deep."""
    bills: dict[int, dict[int, int]] = {}
    asked: set[int] = set()
    level = set(sku_ids)
    for _ in range(levels):
        level -= asked
        if not level:
            break
        asked |= level
        found = _load_level(connection, level)
        bills |= found
        level = {component for bill in found.values() for component in bill}
    return bills


def containing(connection: Connection, sku_ids: Collection[int]) -> set[int]:
    """Every kit that contains one of these SKUs, directly or in another kit."""
    above: set[int] = set()
    level = set(sku_ids)
    for _ in range(DEEPEST + 1):
        if not level:
            break
        owners = _owners(connection, wanted=[(sku_id,) for sku_id in sorted(level)]).scalars()
        level = set(owners) - above
        above |= level
    return above


@statement
def _owners(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    inside = wanted.c.id == bill_of_materials.c.component_sku_id
    return select(bill_of_materials.c.sku_id).join(wanted, inside).distinct()


def load_around(connection: Connection, sku_ids: Collection[int]) -> dict[int, dict[int, int]]:
    """Every bill below and above these SKUs: all that tells whether new bills for them can be made."""
    return load_bills(connection, {*sku_ids, *containing(connection, sku_ids)}, DEEPEST + 1)


def lock_bills(connection: Connection) -> None:
    """Let nobody else change bills until the transaction ends: two halves of a loop never come in side by side."""
    if connection.dialect.name == "postgresql":  # SQLite lets only one write anyway
        connection.execute(text("SELECT pg_advisory_xact_lock('bill_of_materials'::regclass::oid::bigint)"))


def replace_bills(connection: Connection, bills: Bills) -> None:
    """Make these the bills of their SKUs."""
    if not bills:
        return
    _delete(connection, made=[(sku_id,) for sku_id in sorted(bills)])
    insert_rows(
        connection,
        bill_of_materials,
        [("sku_id", int), ("component_sku_id", int), ("units", int)],
        [(sku_id, component, units) for sku_id, bill in sorted(bills.items()) for component, units in bill.items()],
    )


@statement
def _delete(given: Given) -> Executable:
    made = given.rows("made", id=int)
    return delete(bill_of_materials).where(bill_of_materials.c.sku_id.in_(select(made.c.id)))


def changed_bills(connection: Connection, bills: Bills) -> dict[int, Mapping[int, int]]:
    """Of these bills, the ones that are not known exactly so."""
    known = _load_level(connection, bills)
    return {sku_id: bill for sku_id, bill in bills.items() if known.get(sku_id) != bill}


def _load_level(connection: Connection, sku_ids: Collection[int]) -> dict[int, dict[int, int]]:
    bills: dict[int, dict[int, int]] = {}
    for row in _bills(connection, wanted=[(sku_id,) for sku_id in sorted(sku_ids)]):
        bills.setdefault(row.sku_id, {})[row.component_sku_id] = row.units
    return bills


@statement
def _bills(given: Given) -> Executable:
    wanted = given.rows("wanted", id=int)
    return select(bill_of_materials.c.sku_id, bill_of_materials.c.component_sku_id, bill_of_materials.c.units).join(
        wanted, wanted.c.id == bill_of_materials.c.sku_id
    )

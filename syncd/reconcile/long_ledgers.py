"""Prove levels with long ledgers from where each was proved before: that costs what is new, not its history.

A fold is what the movements of a level sum up to, up to a seq. What came after it is added, at most so much at once,
and when it has reached its level it must be that level. Movements that are edited or deleted below it afterwards are
for the slow pass, which folds every ledger from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Executable, Row, and_, func, select

from syncd.db.statements import Given, statement
from syncd.db.tables import archived_level, level, movement
from syncd.reconcile.pages import plan_for_few
from syncd.stock.ledger import LevelKey

KEPT: Final = 2_000
"""Folds that are kept, those that changed last; what has none is folded anew or left to the slow pass."""

Sums = tuple[int, int, int]
"""(on_hand, unavailable, reserved)"""


@dataclass(frozen=True, slots=True)
class Fold:
    """What a level's movements up to `seq` sum up to. `waits`: its level has changed and is not proved since."""

    key: LevelKey
    seq: int = 0
    sums: Sums = (0, 0, 0)
    waits: bool = True

    def to_json(self) -> list[int]:
        return [*self.key, self.seq, *self.sums, int(self.waits)]

    @staticmethod
    def from_json(told: Sequence[int]) -> Fold:
        sku_id, warehouse_id, seq, on_hand, unavailable, reserved, waits = told
        return Fold((sku_id, warehouse_id), seq, (on_hand, unavailable, reserved), bool(waits))


@dataclass(frozen=True, slots=True)
class Proved:
    """The folds as they are now, and levels that are not what theirs says; `more`: some wait for another read."""

    folds: tuple[Fold, ...]
    doubtful: tuple[LevelKey, ...]

    @property
    def more(self) -> bool:
        return any(fold.waits for fold in self.folds)


def prove_long(connection: Connection, folds: Iterable[Fold], changed: Iterable[LevelKey], budget: int) -> Proved:
    """Carry the folds of what has changed on by some `budget` movements, those first that wait longest.

    What is doubtful has no fold any more: it begins anew when the level changes again.
    """
    kept = {fold.key: fold for fold in folds}
    for key in changed:
        fold = kept.pop(key, Fold(key))
        kept[key] = replace(fold, waits=True)
    kept = {fold.key: fold for fold in list(kept.values())[-KEPT:]}
    waiting = [fold for fold in kept.values() if fold.waits]
    if not waiting:
        return Proved(tuple(kept.values()), ())

    levels = {row[:2]: row for row in _levels(connection, wanted=[fold.key for fold in waiting])}
    steps, doubtful = _steps(waiting, levels, budget)
    plan_for_few(connection)
    windows = [(*step.begin.key, step.begin.seq, step.last) for step in steps]
    added = {row[:2]: row[2:] for row in _added(connection, windows=windows)} if windows else {}
    for step in steps:
        taken = step.taken(*added[step.begin.key])
        if taken is None:
            doubtful.append(step.begin.key)
        else:
            kept[taken.key] = taken
    for key in doubtful:
        del kept[key]
    return Proved(tuple(kept.values()), tuple(doubtful))


@dataclass(frozen=True, slots=True)
class _Step:
    """A fold that is carried on up to `upto`, towards its level as it is now."""

    begin: Fold
    upto: int
    seq: int
    sums: Sums

    @property
    def last(self) -> int:
        """The seq up to which movements are read: at the end one more than there may be."""
        return self.upto + 1 if self.upto == self.seq else self.upto

    def taken(self, movements: int, *added: int) -> Fold | None:
        """The fold with what was added; None where movements are missing, or it is not what its level is."""
        on_hand, unavailable, reserved = (a + b for a, b in zip(self.begin.sums, added, strict=True))
        fold = Fold(self.begin.key, self.upto, (on_hand, unavailable, reserved), waits=self.upto < self.seq)
        if movements != self.upto - self.begin.seq or not (fold.waits or fold.sums == self.sums):
            return None
        return fold


def _steps(
    waiting: Sequence[Fold], levels: Mapping[LevelKey, Row[Any]], budget: int
) -> tuple[list[_Step], list[LevelKey]]:
    """How far each fold is carried on within the budget, and the levels that cannot be right."""
    steps: list[_Step] = []
    doubtful: list[LevelKey] = []
    for fold in waiting:
        if budget <= 0:
            break
        row = levels.get(fold.key)
        begin = None if row is None else _begin(fold, row)
        if row is None or begin is None:
            doubtful.append(fold.key)
            continue
        upto = min(row.seq, begin.seq + budget)
        steps.append(_Step(begin, upto, row.seq, (row.on_hand, row.unavailable, row.reserved)))
        budget -= upto - begin.seq + 1
    return steps, doubtful


def _begin(fold: Fold, row: Row[Any]) -> Fold | None:
    """Where to go on: at the fold, or at the sums of what is archived where those are further; None: neither fits."""
    if fold.seq < row.archived_seq:
        if row.based != row.archived_seq:
            return None
        fold = Fold(fold.key, row.archived_seq, (row.base_on_hand, row.base_unavailable, row.base_reserved))
    return fold if fold.seq <= row.seq else None


@statement
def _levels(given: Given) -> Executable:
    wanted = given.rows("wanted", sku_id=int, warehouse_id=int)
    base = archived_level.c
    return (
        select(
            level.c.sku_id,
            level.c.warehouse_id,
            *(level.c[name] for name in ("seq", "archived_seq", "on_hand", "unavailable", "reserved")),
            base.seq.label("based"),
            *(base[name].label(f"base_{name}") for name in ("on_hand", "unavailable", "reserved")),
        )
        .select_from(wanted)
        .join(level, and_(level.c.sku_id == wanted.c.sku_id, level.c.warehouse_id == wanted.c.warehouse_id))
        .outerjoin(archived_level, and_(base.sku_id == level.c.sku_id, base.warehouse_id == level.c.warehouse_id))
    )


@statement
def _added(given: Given) -> Executable:
    windows = given.rows("windows", sku_id=int, warehouse_id=int, after=int, upto=int)
    key = (windows.c.sku_id, windows.c.warehouse_id)
    inside = and_(
        movement.c.sku_id == windows.c.sku_id,
        movement.c.warehouse_id == windows.c.warehouse_id,
        movement.c.seq > windows.c.after,
        movement.c.seq <= windows.c.upto,
    )
    sums = (func.coalesce(func.sum(movement.c[name]), 0) for name in ("d_on_hand", "d_unavailable", "d_reserved"))
    return (
        select(*key, func.count(movement.c.seq), *sums).select_from(windows).outerjoin(movement, inside).group_by(*key)
    )

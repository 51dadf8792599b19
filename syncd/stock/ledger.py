"""The book in memory: levels that move only by movements, so that a level is always their fold."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from syncd.errors import SyncdError

LevelKey = tuple[int, int]
"""(sku_id, warehouse_id)"""


class MovementKind(StrEnum):
    RECEIPT = "receipt"
    RESERVATION = "reservation"
    RELEASE = "release"
    SHIPMENT = "shipment"
    ADJUSTMENT = "adjustment"
    COUNT = "count"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"
    RETURN = "return"
    DAMAGE = "damage"
    SNAPSHOT = "snapshot"


class NotAvailable(SyncdError):
    """A reservation asked for more than a level has: the plan was made from another level than the one locked."""


class Level(msgspec.Struct, frozen=True, gc=False):
    """Pieces of one SKU in one warehouse after `seq` movements."""

    on_hand: int = 0
    unavailable: int = 0
    reserved: int = 0
    short: int = 0
    seq: int = 0
    as_of: datetime | None = None

    @property
    def available(self) -> int:
        return self.on_hand - self.unavailable - self.reserved


class Cause(msgspec.Struct, frozen=True, gc=False):
    """Why a movement happened; becomes its unique cause_key once `subject` has its row id."""

    subject: Hashable
    application: int


class Movement(msgspec.Struct, frozen=True, gc=False):
    sku_id: int
    warehouse_id: int
    seq: int
    kind: MovementKind
    d_on_hand: int
    d_unavailable: int
    d_reserved: int
    cause: Cause
    actor: str
    at: datetime


_EMPTY: Final = Level()


class Ledger:
    """Levels as loaded under lock, and the movements that a decision makes to them."""

    def __init__(self, levels: Mapping[LevelKey, Level], actor: str, now: datetime) -> None:
        self._before = dict(levels)
        self._levels = dict(levels)
        self._actor = actor
        self._now = now
        self._truths: set[LevelKey] = set()
        self.movements: list[Movement] = []

    def level(self, sku_id: int, warehouse_id: int) -> Level:
        return self._levels.get((sku_id, warehouse_id), _EMPTY)

    def free(self, skus: Iterable[int], warehouse_id: int) -> dict[int, int]:
        """Available pieces of each of these SKUs in a warehouse."""
        levels = self._levels
        return {
            sku_id: level.on_hand - level.unavailable - level.reserved
            if (level := levels.get((sku_id, warehouse_id))) is not None
            else 0
            for sku_id in skus
        }

    def known(self, sku_id: int, warehouse_id: int) -> bool:
        return (sku_id, warehouse_id) in self._levels

    def reserve(self, key: LevelKey, pieces: int, cause: Cause) -> None:
        """Promise pieces. Raises NotAvailable: a reservation never makes a level short."""
        if self._levels.get(key, _EMPTY).available < pieces:
            raise NotAvailable(f"{pieces} pieces of sku {key[0]} are not available in warehouse {key[1]}")
        self._post(key, MovementKind.RESERVATION, cause, d_reserved=pieces)

    def release(self, key: LevelKey, pieces: int, cause: Cause) -> None:
        self._post(key, MovementKind.RELEASE, cause, d_reserved=-pieces)

    def ship(self, key: LevelKey, pieces: int, reserved: int, cause: Cause, left_at: datetime | None = None) -> None:
        """Book pieces as gone, `reserved` of them from a reservation. Truth: never refused, may leave others short.

        What left before the level was last counted is in that count already: then only the reservation ends.
        """
        as_of = self.level(*key).as_of
        if left_at is not None and as_of is not None and left_at <= as_of:
            if reserved:
                self.release(key, reserved, cause)
            return
        self._truths.add(key)
        self._post(key, MovementKind.SHIPMENT, cause, d_on_hand=-pieces, d_reserved=-reserved, at=left_at)

    def count(self, key: LevelKey, d_on_hand: int, d_unavailable: int, as_of: datetime, cause: Cause) -> None:
        """Book what a count found. Truth: what it takes away from reservations becomes `short`."""
        self._truths.add(key)
        self._post(key, MovementKind.COUNT, cause, d_on_hand=d_on_hand, d_unavailable=d_unavailable)
        self._levels[key] = replace(self._levels[key], as_of=as_of)

    def snapshot(self, key: LevelKey, d_on_hand: int, d_unavailable: int, as_of: datetime, cause: Cause) -> None:
        """Book what a warehouse says of its own stock. Truth, as a count is."""
        self._truths.add(key)
        self._post(key, MovementKind.SNAPSHOT, cause, d_on_hand=d_on_hand, d_unavailable=d_unavailable)
        self._levels[key] = replace(self._levels[key], as_of=as_of)

    def book(
        self,
        key: LevelKey,
        kind: MovementKind,
        cause: Cause,
        d_on_hand: int = 0,
        d_unavailable: int = 0,
        *,
        truth: bool = False,
    ) -> None:
        """Book goods that came, went or broke. Truth may leave reservations short.

        Raises NotAvailable where what is none takes what is promised.
        """
        if truth:
            self._truths.add(key)
        elif d_on_hand - d_unavailable < 0 and self.level(*key).available < d_unavailable - d_on_hand:
            raise NotAvailable(f"{d_unavailable - d_on_hand} pieces of sku {key[0]} are not free in {key[1]}")
        self._post(key, kind, cause, d_on_hand=d_on_hand, d_unavailable=d_unavailable)

    def changed(self) -> Iterable[tuple[LevelKey, Level, Level, bool]]:
        """(key, before, after, whether truth moved it) of every level that moved, in key order."""
        for key in sorted({(m.sku_id, m.warehouse_id) for m in self.movements}):
            yield key, self._before.get(key, Level()), self._levels[key], key in self._truths

    def _post(
        self,
        key: LevelKey,
        kind: MovementKind,
        cause: Cause,
        d_on_hand: int = 0,
        d_unavailable: int = 0,
        d_reserved: int = 0,
        at: datetime | None = None,
    ) -> None:
        before = self._levels.get(key, _EMPTY)
        on_hand = before.on_hand + d_on_hand
        unavailable = before.unavailable + d_unavailable
        reserved = before.reserved + d_reserved
        short = max(0, reserved + unavailable - on_hand)
        self._levels[key] = Level(on_hand, unavailable, reserved, short, before.seq + 1, before.as_of)
        self.movements.append(
            Movement(
                key[0],
                key[1],
                before.seq + 1,
                kind,
                d_on_hand,
                d_unavailable,
                d_reserved,
                cause,
                self._actor,
                at or self._now,
            )
        )

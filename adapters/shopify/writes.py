"""The body of a batched write, and what each row's fate was. Pure.

Every row carries `changeFromQuantity`: since 2026-04 the key must be present, and a null would skip the check that
keeps a sold unit from being relisted.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adapters.contract import ListingRef, QuantityWrite, Rejected, RowOutcome, RowResult
from adapters.reading import shaped
from adapters.shopify.refusals import PreviousAttemptFailed, key_refusal

WRITE_BATCH = 250  # the cap on any array input
UNNAMED = "unnamed"
"""Reason of NOT_WRITTEN rows when the vendor refused the batch without naming a row: halve it, with new keys."""
PREVIOUS_ATTEMPT_FAILED = "previous_attempt_failed"
"""Reason of NOT_WRITTEN rows when this key is spent: send the same rows under a new key."""
PARTIAL = "partial"
"""Reason of STALE rows of a batch that changed something and failed nonetheless: read them first."""

_STALE = frozenset(("CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"))
_WHOLE_CALL = frozenset(("INVALID_NAME", "INVALID_REASON", "INVALID_REFERENCE_DOCUMENT"))


class Row(msgspec.Struct, frozen=True, rename="camel"):
    inventory_item_id: str
    location_id: str
    quantity: int
    change_from_quantity: int  # never optional: a forgotten one would be sent as no check at all

    @property
    def ref(self) -> ListingRef:
        return ListingRef(self.inventory_item_id, self.location_id)


class SetInput(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    reason: str
    reference_document_uri: str
    quantities: list[Row]


class Id(msgspec.Struct, frozen=True):
    id: str


class Change(msgspec.Struct, frozen=True):
    name: str
    item: Id | None = None
    location: Id | None = None


class AdjustmentGroup(msgspec.Struct, frozen=True):
    changes: list[Change] = []


class UserError(msgspec.Struct, frozen=True):
    message: str = ""
    field: list[str | int] | None = None  # list indexes come as strings
    code: str | None = None


class SetPayload(msgspec.Struct, frozen=True):
    user_errors: list[UserError] = msgspec.field(name="userErrors")
    group: object = msgspec.field(name="inventoryAdjustmentGroup", default=None)  # only read beside errors


class SetData(msgspec.Struct, frozen=True):
    payload: SetPayload = msgspec.field(name="inventorySetQuantities")


def compose(push_id: str, rows: Sequence[QuantityWrite]) -> str:
    """The canonical JSON of the mutation's `input`: the same rows always give the same bytes."""
    if not 1 <= len(rows) <= WRITE_BATCH:
        raise ValueError(f"a write has 1 to {WRITE_BATCH} rows")
    composed = SetInput(
        name="available",
        reason="correction",
        reference_document_uri=f"gid://syncd/Push/{push_id}",
        quantities=[Row(row.ref.channel_sku, row.ref.channel_location, row.quantity, row.expected) for row in rows],
    )
    return msgspec.json.encode(composed, order="sorted").decode()


def rows_of(body: str) -> list[Row]:
    """The rows of a composed body."""
    try:
        return msgspec.json.decode(body, type=SetInput).quantities
    except ValueError as err:
        raise Rejected("body", "not a composed write") from err


def judge(data: SetData) -> None:
    """Raise what concerns the call and not a row."""
    errors = data.payload.user_errors
    codes = {error.code for error in errors}
    what = "SyncdSetQuantities: " + ", ".join(sorted(code or "no code" for code in codes))
    if (keyed := key_refusal(codes, what)) is not None:
        raise keyed
    for error in errors:
        if error.code in _WHOLE_CALL:
            raise Rejected(".".join(map(str, error.field or ("input",))), what)


def results(rows: Sequence[Row], data: SetData) -> tuple[RowResult, ...]:
    """One result a row. No error at all means applied, with or without an adjustment group (a no-op has none)."""
    errors, group = data.payload.user_errors, shaped(data.payload.group, AdjustmentGroup)
    if not errors:
        return tuple(RowResult(row.ref, RowOutcome.APPLIED) for row in rows)
    named = _named(rows, errors)
    if group is not None and group.changes:  # contrary to "a failing entry fails the whole call"
        return tuple(named.get(index) or _partial(row, group) for index, row in enumerate(rows))
    reason = None if named else UNNAMED
    return tuple(
        named.get(index) or RowResult(row.ref, RowOutcome.NOT_WRITTEN, reason=reason) for index, row in enumerate(rows)
    )


def previous_attempt_failed(rows: Sequence[Row], err: PreviousAttemptFailed) -> tuple[RowResult, ...]:
    """Nothing was written under that key and nothing ever will be."""
    return tuple(RowResult(row.ref, RowOutcome.NOT_WRITTEN, err.field, PREVIOUS_ATTEMPT_FAILED) for row in rows)


def _named(rows: Sequence[Row], errors: Sequence[UserError]) -> dict[int, RowResult]:
    """Results of the rows that errors name; a row that can never work outweighs one that was stale."""
    named: dict[int, RowResult] = {}
    for error in errors:
        index = 0 if len(rows) == 1 else _index(error.field, len(rows))
        if index is None:
            continue
        outcome = RowOutcome.STALE if error.code in _STALE else RowOutcome.REJECTED
        if index in named and (outcome is RowOutcome.STALE or named[index].outcome is RowOutcome.REJECTED):
            continue
        leaf = str(error.field[-1]) if error.field else None
        named[index] = RowResult(rows[index].ref, outcome, leaf, error.code or error.message[:200])
    return named


def _index(field: Sequence[str | int] | None, count: int) -> int | None:
    """The row in a path such as ["input", "quantities", "17", "locationId"]."""
    path = [str(part) for part in field or ()]
    if path[:2] != ["input", "quantities"] or len(path) < 3 or not (path[2].isascii() and path[2].isdigit()):
        return None
    return int(path[2]) if len(path[2]) < 6 and int(path[2]) < count else None


def _partial(row: Row, group: AdjustmentGroup) -> RowResult:
    for change in group.changes:
        at = (change.item and change.item.id, change.location and change.location.id)
        if change.name == "available" and at == (row.inventory_item_id, row.location_id):
            return RowResult(row.ref, RowOutcome.APPLIED)
    return RowResult(row.ref, RowOutcome.STALE, reason=PARTIAL)

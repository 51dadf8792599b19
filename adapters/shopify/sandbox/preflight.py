"""What the vendor refuses at run time although its schema allows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, get_location

from adapters.shopify.sandbox.documents import sent_arguments
from adapters.shopify.sandbox.errors import Json
from adapters.shopify.sandbox.mutations import NEEDS_KEY

MAX_INPUT = 250


@dataclass(frozen=True, slots=True)
class Objection:
    """An error, and whether the answer still has a `data` in which the field is null."""

    error: Json
    with_data: bool


def objection(fields: Sequence[FieldNode], variables: Json) -> Objection | None:
    """The first thing wrong with the request's fields, in the order the vendor looks: key, compared value, size."""
    for field in fields:
        found = _missing_key(field, variables) or _missing_comparison(field, variables) or _too_long(field, variables)
        if found is not None:
            return found
    return None


def _missing_key(field: FieldNode, variables: Json) -> Objection | None:
    if field.name.value not in NEEDS_KEY:
        return None
    for directive in field.directives or ():
        if directive.name.value == "idempotent":
            key = sent_arguments(directive, variables).get("key")
            blank = not isinstance(key, str) or not key.strip()
            return _refuse(field, "The idempotency key can't be blank.", "BAD_REQUEST") if blank else None
    message = "The @idempotent directive is required for this mutation but was not provided."
    return _refuse(field, message, "BAD_REQUEST")


def _missing_comparison(field: FieldNode, variables: Json) -> Objection | None:
    """The schema calls changeFromQuantity nullable; since 2026-04 its key must be there all the same."""
    if field.name.value != "inventorySetQuantities":
        return None
    request = sent_arguments(field, variables).get("input") or {}
    if all("changeFromQuantity" in row for row in request.get("quantities") or ()):
        return None
    message = "InventoryQuantityInput must include the following argument: changeFromQuantity."
    return _refuse(field, message, "INVALID_FIELD_ARGUMENTS")


def _too_long(field: FieldNode, variables: Json) -> Objection | None:
    for path, length in _lists(sent_arguments(field, variables), (field.name.value,)):
        if length > MAX_INPUT:
            message = f"The input array size of {length} is greater than the maximum allowed of {MAX_INPUT}."
            error = _refuse(field, message, "MAX_INPUT_SIZE_EXCEEDED").error
            return Objection({**error, "path": list(path)}, with_data=False)
    return None


def _lists(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(value, list):
        yield path, len(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _lists(inner, (*path, name))


def _refuse(field: FieldNode, message: str, code: str) -> Objection:
    error: Json = {"message": message, "extensions": {"code": code}}
    if field.loc is not None:
        at = get_location(field.loc.source, field.loc.start)
        error["locations"] = [{"line": at.line, "column": at.column}]
    error["path"] = [field.alias.value if field.alias else field.name.value]
    return Objection(error, with_data=True)

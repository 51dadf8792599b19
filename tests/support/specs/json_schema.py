"""Swagger 2.0 and OpenAPI 3 schemas as JSON Schema, closed: a field that the vendor does not name is wrong too.

An adapter must not depend on a field that only our sandbox has, nor send one that the vendor never promised to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError  # type: ignore[import-untyped]

Schema = Mapping[str, Any]
_PLAIN = (
    "type",
    "enum",
    "format",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "required",
    "multipleOf",
)
_COMPOSED = ("allOf", "anyOf", "oneOf")


def _is_instant(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return "T" in value and datetime.fromisoformat(value).tzinfo is not None


def _is_date(value: object) -> bool:
    return not isinstance(value, str) or date.fromisoformat(value) is not None


def _fits_32_bits(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


def _fits_64_bits(value: object) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**63


FORMATS = FormatChecker(formats=())
FORMATS.checkers = {
    "date-time": (_is_instant, ValueError),
    "date": (_is_date, ValueError),
    "int32": (_fits_32_bits, ()),
    "int64": (_fits_64_bits, ()),
}


class Schemas:
    """The named schemas of one document, and what a value does wrong by one of them."""

    def __init__(self, named: Mapping[str, Schema]) -> None:
        self._named = named
        self._defs: dict[str, Any] = {}
        for name, schema in named.items():
            self._defs[f"open:{name}"] = self._converted(schema, closed=False)
            self._defs[f"closed:{name}"] = self._converted(schema, closed=True)

    def __contains__(self, name: str) -> bool:
        return name in self._named

    def named(self, name: str) -> Schema:
        """A reference to a named schema, in the document's own words."""
        assert name in self, name
        return {"$ref": f"#/schemas/{name}"}

    def wrongs(self, schema: Schema, value: object) -> list[str]:
        """What is wrong with a value, each with its place; empty when nothing is."""
        whole = {"$defs": self._defs, "allOf": [self._converted(schema, closed=True)]}
        validator = Draft202012Validator(whole, format_checker=FORMATS)
        return [_told(error) for error in validator.iter_errors(value)]

    def _converted(self, schema: Schema | object, *, closed: bool) -> dict[str, Any]:
        if not isinstance(schema, Mapping):  # eBay has a few words in the place of a schema
            return {}
        if "$ref" in schema:  # what stands beside a reference is a description
            return {"$ref": f"#/$defs/{'closed' if closed else 'open'}:{_name(schema)}"}
        made: dict[str, Any] = {key: schema[key] for key in _PLAIN if key in schema}
        if not made.get("format"):
            made.pop("format", None)
        if "properties" in schema:
            made["properties"] = {key: self._converted(one, closed=True) for key, one in schema["properties"].items()}
        if isinstance(schema.get("items"), Mapping) and made.get("type") != "string":
            made["items"] = self._converted(schema["items"], closed=True)
        more = schema.get("additionalProperties")
        if more:
            made["additionalProperties"] = self._converted(more, closed=True) if isinstance(more, Mapping) else True
        for word in _COMPOSED:
            if word in schema:  # the generators of these documents say `oneOf` of shapes that overlap
                members = [self._converted(one, closed=False) for one in schema[word]]
                made["allOf" if word == "allOf" else "anyOf"] = members
        if closed and self._names_its_fields(schema):
            made["unevaluatedProperties"] = False
        return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") else made

    def _names_its_fields(self, schema: Schema) -> bool:
        if "$ref" in schema:
            return self._names_its_fields(self._named[_name(schema)])
        if schema.get("properties"):
            return not schema.get("additionalProperties")
        if "allOf" in schema:
            return any(self._names_its_fields(one) for one in schema["allOf"])
        members = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        return bool(members) and all(self._names_its_fields(one) for one in members)


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rsplit("/", 1)[1]


def _told(error: ValidationError) -> str:
    deepest = max(_within(error), key=lambda one: len(one.absolute_path))
    return f"{deepest.json_path}: {deepest.message[:300]}"


def _within(error: ValidationError) -> Iterator[ValidationError]:
    yield error
    for inner in error.context or ():
        yield from _within(inner)

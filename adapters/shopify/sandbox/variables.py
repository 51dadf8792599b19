"""Refuses variables that don't fit their types, in the vendor's INVALID_VARIABLE shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_location,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    print_ast,
    type_from_ast,
)
from graphql.language import VariableDefinitionNode

from adapters.shopify.sandbox.errors import Json
from adapters.shopify.sandbox.ids import read_gid

_PYTHON_TYPES = {"Int": (int,), "Float": (int, float), "String": (str,), "Boolean": (bool,), "ID": (str, int)}
_INT_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class Problem:
    path: tuple[str | int, ...]
    explanation: str


def variable_errors(schema: GraphQLSchema, operation: OperationDefinitionNode, values: Json) -> list[Json]:
    """One error for each variable that doesn't fit; every problem in it is listed."""
    errors = []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if name not in values and definition.default_value is not None:
            continue
        found = list(_problems(values.get(name), type_from_ast(schema, definition.type), ()))
        if found:
            errors.append(_error(definition, values.get(name), found))
    return errors


def _problems(value: Any, type_: Any, path: tuple[str | int, ...]) -> Iterator[Problem]:
    if is_non_null_type(type_):
        if value is None:
            yield Problem(path, "Expected value to not be null")
            return
        type_ = type_.of_type
    if value is None:
        return
    if is_list_type(type_):
        for at, item in enumerate(value if isinstance(value, list) else [value]):
            yield from _problems(item, type_.of_type, (*path, at))
    elif is_input_object_type(type_):
        yield from _object_problems(value, type_, path)
    elif is_enum_type(type_):
        if value not in type_.values:
            yield Problem(path, f'Expected "{value}" to be one of: {", ".join(type_.values)}')
    else:
        yield from _scalar_problems(value, type_.name, path)


def _object_problems(value: Any, type_: GraphQLInputObjectType, path: tuple[str | int, ...]) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(path, f'Expected "{value}" to be a key-value object.')
        return
    for name in value:
        if name not in type_.fields:
            yield Problem((*path, name), f"Field is not defined on {type_.name}")
    for name, field in type_.fields.items():
        yield from _problems(value.get(name), field.type, (*path, name))


def _scalar_problems(value: Any, type_name: str, path: tuple[str | int, ...]) -> Iterator[Problem]:
    expected = _PYTHON_TYPES.get(type_name)
    if expected is None:
        return
    wrong_bool = isinstance(value, bool) and type_name != "Boolean"
    too_big = type_name == "Int" and isinstance(value, int) and not -_INT_LIMIT <= value < _INT_LIMIT
    if wrong_bool or too_big or not isinstance(value, expected):
        yield Problem(path, f"Could not coerce value {value!r} to {type_name}")
    elif type_name == "ID" and read_gid(str(value)) is None:
        yield Problem(path, f"Invalid global id '{value}'")


def _error(definition: VariableDefinitionNode, value: Any, problems: list[Problem]) -> Json:
    start = (
        f"Variable ${definition.variable.name.value} of type {print_ast(definition.type)} was provided invalid value"
    )
    places = [
        f"{'.'.join(str(step) for step in problem.path)} ({problem.explanation})"
        for problem in problems
        if problem.path
    ]
    error: Json = {
        "message": f"{start} for {', '.join(places)}" if places else start,
        "extensions": {
            "code": "INVALID_VARIABLE",
            "value": value,
            "problems": [{"path": list(one.path), "explanation": one.explanation} for one in problems],
        },
    }
    if definition.loc is not None:
        at = get_location(definition.loc.source, definition.loc.start)
        error["locations"] = [{"line": at.line, "column": at.column}]
    return error

"""Recorded exchanges against the operations of a Swagger 2.0 or OpenAPI 3 document."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.support.specs.exchange import Exchange
from tests.support.specs.json_schema import Schema, Schemas

_METHODS = ("get", "put", "post", "patch", "delete")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    place: str  # path, query or header
    required: bool
    schema: Schema
    csv: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. A body or response without a schema is None: the vendor does not say."""

    method: str
    template: str
    schemas: Schemas = field(repr=False)
    parameters: tuple[Parameter, ...]
    body: Schema | None
    takes_body: bool
    needs_body: bool
    responses: Mapping[int, Schema | None]

    @property
    def pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{[^}]*\}", self.template)
        return re.compile("([^/]+)".join(re.escape(part) for part in parts))


ErrorShape = Callable[[Operation], Schema | None]


@dataclass(frozen=True)
class Vendor:
    """How one vendor is judged.

    `outside`: (method, path pattern) of what no document of ours describes: tokens, mostly. `common`: statuses that
    every operation may answer though its document does not list them. `error`: the vendor's one shape of an error,
    where the documents do not tell it, or tell it wrongly.
    """

    operations: Sequence[Operation]
    outside: Sequence[tuple[str, str]]
    token_header: str
    common: frozenset[int]
    error: ErrorShape

    def violations(self, exchanges: Sequence[Exchange]) -> list[str]:
        """Everything in these exchanges that the vendor's own words forbid."""
        found: list[str] = []
        links: set[str] = set()  # the vendor's own addresses of further pages are not ours to judge
        for exchange in exchanges:
            found += [f"{exchange.what}: {wrong}" for wrong in self._judged(exchange, links)]
            links |= set(_links(exchange))
        return found

    def _judged(self, exchange: Exchange, links: set[str]) -> Iterator[str]:
        if any(exchange.method == m and re.fullmatch(path, exchange.path) for m, path in self.outside):
            return
        operation = self._operation(exchange)
        if operation is None:
            yield "no such operation in the vendor's documents"
            return
        if self.token_header not in exchange.request_headers:
            yield f"request: no header {self.token_header}"
        yield from _request_wrongs(operation, exchange, linked=_target(exchange) in links)
        if exchange.status is not None:
            yield from (f"response {exchange.status}: {wrong}" for wrong in self._response_wrongs(operation, exchange))

    def _operation(self, exchange: Exchange) -> Operation | None:
        fitting = [
            each
            for each in self.operations
            if each.method == exchange.method and each.pattern.fullmatch(exchange.path) is not None
        ]
        return max(fitting, key=lambda each: len(re.sub(r"\{[^}]*\}", "", each.template)), default=None)

    def _response_wrongs(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        status = exchange.status
        assert status is not None
        value = _json(exchange.response_body)
        if value is _MISSING and status >= 500:
            return  # a gateway's page in place of the vendor's answer
        if status not in operation.responses and status not in self.common:
            yield "no such status in the vendor's documents"
            return
        schema = self.error(operation) if status >= 400 else None
        if schema is None:
            schema = operation.responses.get(status)
        if schema is None:
            return
        if value is _MISSING:
            yield f"not JSON: {exchange.response_body[:80]!r}"
            return
        if "json" not in exchange.response_headers.get("content-type", ""):
            yield f"JSON under content-type {exchange.response_headers.get('content-type')}"
        yield from operation.schemas.wrongs(schema, value)


def read_swagger(document: Mapping[str, Any]) -> list[Operation]:
    """Swagger 2.0, as Amazon writes it."""
    schemas = Schemas(document["definitions"])
    made = []
    for path, method, told in _told(document):
        given = told["parameters"]
        bodies = [each for each in given if each["in"] == "body"]
        parameters = tuple(_swagger_parameter(each) for each in given if each["in"] != "body")
        responses = {int(status): each.get("schema") for status, each in told["responses"].items()}
        body = bodies[0]["schema"] if bodies else None
        needed = any(each.get("required") for each in bodies)
        made.append(Operation(method, path, schemas, parameters, body, bool(bodies), needed, responses))
    return made


def read_openapi(document: Mapping[str, Any], base: str = "") -> list[Operation]:
    """OpenAPI 3, as eBay and ShipBob write it; `base` is the path of the server."""
    schemas = Schemas(document["components"]["schemas"])
    made = []
    for path, method, told in _told(document):
        parameters = tuple(
            Parameter(each["name"], each["in"], bool(each.get("required")), each.get("schema", {}))
            for each in told["parameters"]
        )
        body = told.get("requestBody") or {}
        responses = {int(status): _content(each) for status, each in told["responses"].items()}
        needed = bool(body.get("required"))
        made.append(Operation(method, base + path, schemas, parameters, _content(body), bool(body), needed, responses))
    return made


def _told(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        if "x-amzn-api-sandbox-only" in item:
            continue
        for method in _METHODS:
            told = item.get(method)
            if isinstance(told, Mapping) and "responses" in told:
                parameters = [*item.get("parameters", ()), *told.get("parameters", ())]
                yield path, method.upper(), {**told, "parameters": parameters}


def _swagger_parameter(told: Mapping[str, Any]) -> Parameter:
    csv = told.get("type") == "array" and told.get("collectionFormat", "csv") == "csv"
    return Parameter(told["name"], told["in"], bool(told.get("required")), told, csv)


def _content(told: Mapping[str, Any]) -> Schema | None:
    schema: Schema | None = told.get("content", {}).get("application/json", {}).get("schema")
    return None if schema == {"type": "object"} else schema  # which is how eBay says that there is no body


# --- requests ----------------------------------------------------------------------------------------------------


def _request_wrongs(operation: Operation, exchange: Exchange, *, linked: bool) -> Iterator[str]:
    yield from _path_wrongs(operation, exchange)
    if not linked:
        yield from _query_wrongs(operation, exchange)
    for header in (each for each in operation.parameters if each.place == "header"):
        if header.required and header.name not in exchange.request_headers:
            yield f"request: no header {header.name}"
    yield from (f"request: {wrong}" for wrong in _body_wrongs(operation, exchange))


def _path_wrongs(operation: Operation, exchange: Exchange) -> Iterator[str]:
    values = operation.pattern.fullmatch(exchange.path)
    assert values is not None
    for name, raw in zip(re.findall(r"\{([^}]*)\}", operation.template), values.groups(), strict=True):
        told = next((each for each in operation.parameters if (each.place, each.name) == ("path", name)), None)
        if told is not None:
            for wrong in operation.schemas.wrongs(told.schema, _typed(unquote(raw), told.schema)):
                yield f"path parameter {name}: {wrong}"


def _query_wrongs(operation: Operation, exchange: Exchange) -> Iterator[str]:
    known = {each.name: each for each in operation.parameters if each.place == "query"}
    sent: dict[str, list[str]] = {}
    for name, value in parse_qsl(exchange.query, keep_blank_values=True):
        sent.setdefault(name, []).append(value)
    for name, parameter in known.items():
        if parameter.required and name not in sent:
            yield f"query parameter {name}: missing"
    for name, values in sent.items():
        told = known.get(name)
        if told is None:
            yield f"query parameter {name}: unknown"
        elif len(values) > 1 and (told.csv or told.schema.get("type") != "array"):
            yield f"query parameter {name}: sent {len(values)} times"
        else:
            for wrong in operation.schemas.wrongs(told.schema, _parsed(values, told)):
                yield f"query parameter {name}: {wrong}"


def _parsed(values: Sequence[str], parameter: Parameter) -> object:
    if parameter.schema.get("type") != "array":
        return _typed(values[0], parameter.schema)
    parts = values[0].split(",") if parameter.csv else values
    return [_typed(part, parameter.schema.get("items", {})) for part in parts]


def _typed(text: str, schema: Schema) -> object:
    """A piece of a URL as the value that the schema speaks of; text that is none stays text."""
    match schema.get("type"):
        case "integer" | "number" if re.fullmatch(r"-?\d+", text):
            return int(text)
        case "number" if re.fullmatch(r"-?\d+\.\d+", text):
            return float(text)
        case "boolean" if text in ("true", "false"):
            return text == "true"
    return text


def _body_wrongs(operation: Operation, exchange: Exchange) -> Iterator[str]:
    if not exchange.request_body:
        if operation.needs_body:
            yield "no body"
        return
    if not operation.takes_body:
        yield "a body where the operation takes none"
        return
    if "application/json" not in exchange.request_headers.get("content-type", ""):
        yield f"content-type {exchange.request_headers.get('content-type')} instead of application/json"
    value = _json(exchange.request_body)
    if value is _MISSING:
        yield "not JSON"
    elif operation.body is not None:
        yield from operation.schemas.wrongs(operation.body, value)


# --- pieces ------------------------------------------------------------------------------------------------------


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return _MISSING


def _target(exchange: Exchange) -> str:
    return f"{exchange.path}?{exchange.query}"


def _links(exchange: Exchange) -> Iterator[str]:
    value = _json(exchange.response_body)
    if isinstance(value, dict):
        for link in (value.get(name) for name in ("next", "prev", "first", "last")):
            if isinstance(link, str):
                yield re.sub(r"^https?://[^/]+", "", link)

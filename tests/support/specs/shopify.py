"""Shopify's GraphQL schema: documents, variables and the shape of what came back."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    get_variable_values,
    parse,
    validate,
)

from tests.support.specs.exchange import Exchange
from tests.support.specs.shelf import spec

_OUTSIDE = (("POST", r"/admin/oauth/access_token"),)
_ENDPOINT = re.compile(r"/admin/api/\d{4}-\d{2}/graphql\.json")
_STATUSES = frozenset((200, 400, 401, 402, 403, 404, 423, 429, 500, 502, 503, 504))
_TOKEN = "x-shopify-access-token"
_COST = {"requestedQueryCost", "actualQueryCost", "throttleStatus"}
_THROTTLE = {"maximumAvailable", "currentlyAvailable", "restoreRate"}

Json = Mapping[str, Any]


class Shopify:
    """Judges what was sent to one version of the Admin API."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._documents: dict[str, DocumentNode | list[str]] = {}

    def violations(self, exchanges: Sequence[Exchange]) -> list[str]:
        """Everything in these exchanges that the vendor's own schema forbids."""
        found: list[str] = []
        for exchange in exchanges:
            found += [f"{_what(exchange)}: {wrong}" for wrong in self._judged(exchange)]
        return found

    def _judged(self, exchange: Exchange) -> Iterator[str]:
        if any(exchange.method == m and re.fullmatch(path, exchange.path) for m, path in _OUTSIDE):
            return
        if exchange.method != "POST" or _ENDPOINT.fullmatch(exchange.path) is None:
            yield "no such operation at the vendor"
            return
        if _TOKEN not in exchange.request_headers:
            yield f"request: no header {_TOKEN}"
        sent = json.loads(exchange.request_body)
        document = self._document(sent["query"])
        if not isinstance(document, DocumentNode):
            yield from (f"document: {wrong}" for wrong in document)
            return
        operation = _operation(document, sent.get("operationName"))
        coerced = get_variable_values(self._schema, operation.variable_definitions or (), sent.get("variables") or {})
        if isinstance(coerced, list):
            yield from (f"variables: {error.message}" for error in coerced)
            return
        if exchange.status is not None:
            yield from (f"response {exchange.status}: {wrong}" for wrong in self._answered(exchange, document, sent))

    def _document(self, query: str) -> DocumentNode | list[str]:
        if query not in self._documents:
            document = parse(query)
            errors = validate(self._schema, document)
            self._documents[query] = [error.message for error in errors] if errors else document
        return self._documents[query]

    def _answered(self, exchange: Exchange, document: DocumentNode, sent: Json) -> Iterator[str]:
        if exchange.status not in _STATUSES:
            yield "no such status at the vendor"
        try:
            answer = json.loads(exchange.response_body)
        except ValueError:
            if exchange.status is not None and exchange.status < 500:  # else a page in place of the vendor's answer
                yield f"not JSON: {exchange.response_body[:80]!r}"
            return
        if exchange.status != 200:
            if "errors" not in answer:
                yield "an error without errors"
            return
        yield from _extension_wrongs(answer)
        yield from _error_wrongs(answer)
        if answer.get("data") is not None:
            yield from self._shape_wrongs(document, sent, answer)

    def _shape_wrongs(self, document: DocumentNode, sent: Json, answer: Json) -> Iterator[str]:
        """Execute the document over its own answer: what the schema would not let through, or adds, is wrong."""
        result = execute_sync(
            self._schema,
            document,
            answer["data"],
            variable_values=dict(sent.get("variables") or {}),
            operation_name=sent.get("operationName"),
            field_resolver=_from_answer,
            type_resolver=_type_of,
        )
        refused = bool(answer.get("errors"))  # fields of which the answer itself says that it refused them
        for error in result.errors or ():
            if not (refused and "non-nullable" in error.message):
                yield f"{'.'.join(str(part) for part in error.path or ())}: {error.message}"
        if not result.errors and result.data != answer["data"]:
            yield f"data: {_difference(result.data, answer['data'])}"


@cache
def shopify() -> Shopify:
    text = gzip.decompress(spec("shopify/admin_2026-10.graphql.gz").read_bytes()).decode()
    return Shopify(build_schema(text, assume_valid=True))


def _what(exchange: Exchange) -> str:
    try:
        return f"{exchange.what} {json.loads(exchange.request_body).get('operationName')}"
    except ValueError:
        return exchange.what


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return next(each for each in operations if name is None or (each.name and each.name.value == name))


def _from_answer(source: Any, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
    key = info.path.key
    if not isinstance(source, Mapping) or key not in source:
        raise GraphQLError("missing in the answer")
    return source[key]


def _type_of(value: Any, info: GraphQLResolveInfo[Any], abstract: GraphQLAbstractType) -> str:
    if isinstance(value, Mapping) and "__typename" in value:
        return str(value["__typename"])
    gid = re.match(r"gid://shopify/(\w+)/", str(value.get("id", ""))) if isinstance(value, Mapping) else None
    if gid is not None:
        return gid.group(1)
    raise GraphQLError(f"nothing tells which {abstract.name} this is")


def _extension_wrongs(answer: Mapping[str, Any]) -> Iterator[str]:
    if "data" not in answer:
        return  # refused before it was costed
    cost = answer.get("extensions", {}).get("cost", {})
    missing = (_COST - set(cost)) | (_THROTTLE - set(cost.get("throttleStatus", {})))
    if missing:
        yield f"extensions.cost: no {', '.join(sorted(missing))}"


def _error_wrongs(answer: Mapping[str, Any]) -> Iterator[str]:
    if "data" not in answer and "errors" not in answer:
        yield "neither data nor errors"
    errors = answer.get("errors", [])
    if not isinstance(errors, list) or not all(isinstance(each, dict) and "message" in each for each in errors):
        yield "errors: not a list of objects with a message"


def _difference(wanted: Any, got: Any, place: str = "$") -> str:
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        for key in {**wanted, **got}:
            if key not in wanted:
                return f"{place}.{key} was not asked for"
            if wanted[key] != got.get(key):
                return _difference(wanted[key], got.get(key), f"{place}.{key}")
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for index, pair in enumerate(zip(wanted, got, strict=True)):
            if pair[0] != pair[1]:
                return _difference(*pair, f"{place}[{index}]")
    return f"{place} is {got!r}, the schema's {wanted!r}"

"""Answers GraphQL requests: checked, charged, executed."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    execute,
    get_variable_values,
)

from adapters.shopify.sandbox.context import Context
from adapters.shopify.sandbox.cost import MUTATION, actual_cost, requested_cost
from adapters.shopify.sandbox.documents import Documents, operation_in, root_fields
from adapters.shopify.sandbox.errors import Json, VendorError, shaped
from adapters.shopify.sandbox.idempotency import IdempotencyStore
from adapters.shopify.sandbox.outbox import Outbox
from adapters.shopify.sandbox.preflight import Objection, objection
from adapters.shopify.sandbox.schema import load_schema
from adapters.shopify.sandbox.shop import Shop
from adapters.shopify.sandbox.stats import Stats
from adapters.shopify.sandbox.subscriptions import Subscriptions
from adapters.shopify.sandbox.throttle import MAX_COST, Bucket, throttled, too_costly
from adapters.shopify.sandbox.variables import variable_errors


@dataclass(frozen=True, slots=True)
class Call:
    """A request that reads as GraphQL."""

    document: DocumentNode
    operation: OperationDefinitionNode
    fields: tuple[FieldNode, ...]
    variables: Json

    @property
    def root_names(self) -> list[str]:
        return [field.name.value for field in self.fields]


class GraphQlApi:
    """Executes requests against the shop, within the app's bucket of points."""

    def __init__(self, shop: Shop, outbox: Outbox, subscriptions: Subscriptions, stats: Stats) -> None:
        self._schema = load_schema()
        self._documents = Documents(self._schema)
        self._shop = shop
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._stats = stats
        self._idempotency = IdempotencyStore(shop.clock)
        self.bucket = Bucket(shop.seed.bucket_size, shop.seed.restore_per_s, shop.clock)

    def read(self, query: str, variables: Json, operation_name: str | None) -> Call | Json:
        """The request taken apart, or the answer that refuses it."""
        checked = self._documents.check(query)
        if checked.errors or checked.document is None:
            return {"errors": [shaped(error) for error in checked.errors]}
        operation = operation_in(checked.document, operation_name)
        if operation is None:
            return {"errors": [{"message": "An operation name is required"}]}
        wrong = variable_errors(self._schema, operation, variables)
        if wrong:
            return {"errors": wrong}
        fields = tuple(root_fields(checked.document, operation))
        return Call(checked.document, operation, fields, variables)

    async def answer(self, call: Call, read_at: datetime | None) -> Json:
        """Run the request; what it is charged depends on what it asks and, in the end, on what it gets."""
        coerced = self._coerced(call)
        requested = requested_cost(self._schema, call.document, call.operation, coerced)
        if requested > MAX_COST:
            return {"errors": [too_costly(requested)], **self._extensions(requested, None)}
        if not self.bucket.take(requested):
            self._stats.throttled += 1
            return {"errors": [throttled()], **self._extensions(requested, None)}
        refused = objection(call.fields, call.variables)
        if refused is not None:
            return self._refused(call, refused, requested)
        result = await self._execute(call, read_at)
        actual = actual_cost(self._schema, call.document, call.operation, coerced, result.data)
        self.bucket.give_back(requested - actual)
        answer: Json = {"errors": [shaped(error) for error in result.errors]} if result.errors else {}
        return {**answer, "data": result.data, **self._extensions(requested, actual)}

    def _coerced(self, call: Call) -> Json:
        values = get_variable_values(self._schema, call.operation.variable_definitions or (), call.variables)
        assert not isinstance(values, list), "the variables were checked when the request was read"
        coerced: Json = values.coerced
        return coerced

    async def _execute(self, call: Call, read_at: datetime | None) -> ExecutionResult:
        context = Context(
            self._shop, self._outbox, self._subscriptions, self._idempotency, self._stats, read_at, call.variables
        )
        name = call.operation.name.value if call.operation.name else None
        pending: Any = execute(
            self._schema, call.document, None, context, variable_values=call.variables, operation_name=name
        )
        result: ExecutionResult = await pending if inspect.isawaitable(pending) else pending
        for error in result.errors or ():
            _raise_if_ours(error)
        return result

    def _refused(self, call: Call, refused: Objection, requested: int) -> Json:
        actual = MUTATION if refused.with_data else None
        self.bucket.give_back(requested - (actual or 0))
        data = {"data": dict.fromkeys(call.root_names)} if refused.with_data else {}
        return {"errors": [refused.error], **data, **self._extensions(requested, actual)}

    def _extensions(self, requested: int, actual: int | None) -> Json:
        return {"extensions": {"cost": self.bucket.cost(requested, actual)}}


def _raise_if_ours(error: GraphQLError) -> None:
    """A resolver that broke is a bug of the sandbox and must not look like an answer of the vendor."""
    cause = error.original_error
    if cause is not None and not isinstance(cause, VendorError):
        raise cause

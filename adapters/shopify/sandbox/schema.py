"""The schema with its resolvers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from graphql import GraphQLSchema, build_schema

from adapters.shopify.sandbox.context import Info
from adapters.shopify.sandbox.mutations import MUTATIONS
from adapters.shopify.sandbox.queries import QUERIES, Resolver
from adapters.shopify.sandbox.scopes import ROOT_SCOPES, require


@cache
def load_schema() -> GraphQLSchema:
    """Our subset of the vendor's schema, ready to execute; the same for every shop."""
    schema = build_schema(files(__package__).joinpath("schema.graphql").read_text(encoding="utf-8"))
    _attach(schema, "QueryRoot", QUERIES)
    _attach(schema, "Mutation", MUTATIONS)
    return schema


def _attach(schema: GraphQLSchema, root: str, resolvers: Mapping[str, Resolver]) -> None:
    fields: Mapping[str, Any] = schema.type_map[root].fields  # type: ignore[attr-defined]  # roots are object types
    assert fields.keys() == resolvers.keys(), "every root field has a resolver"
    for name, field in fields.items():
        field.resolve = _guarded(resolvers[name], ROOT_SCOPES.get(name))


def _guarded(resolver: Resolver, scope: str | None) -> Resolver:
    def resolve(source: object, info: Info, **arguments: Any) -> Any:
        require(info.context.shop, scope)
        return resolver(source, info, **arguments)

    return resolve

"""Query documents: parsed and validated once, picked apart for each request."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    parse,
    validate,
    value_from_ast_untyped,
)

from adapters.shopify.sandbox.errors import Json

KEPT = 256


@dataclass(frozen=True, slots=True)
class Checked:
    """A document and what the schema has against it. Without a document the text isn't even GraphQL."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]


class Documents:
    """The last documents seen, so that a client's fixed queries cost their parsing once."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[str, Checked] = OrderedDict()

    def check(self, text: str) -> Checked:
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._read(text)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return known

    def _read(self, text: str) -> Checked:
        try:
            document = parse(text)
        except GraphQLError as error:
            return Checked(None, (error,))
        return Checked(document, tuple(validate(self._schema, document)))


def operation_in(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """The operation to run: the named one, or the only one."""
    found = [
        one
        for one in document.definitions
        if isinstance(one, OperationDefinitionNode) and (name is None or (one.name and one.name.value == name))
    ]
    return found[0] if len(found) == 1 else None


def fragments_in(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}


def root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> list[FieldNode]:
    """The fields asked of the root, fragments opened."""
    fragments = fragments_in(document)

    def opened(selections: SelectionSetNode) -> list[FieldNode]:
        found: list[FieldNode] = []
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                found.append(selection)
            elif isinstance(selection, InlineFragmentNode):
                found += opened(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                found += opened(fragments[selection.name.value].selection_set)
        return found

    return opened(operation.selection_set)


def sent_arguments(node: FieldNode | DirectiveNode, variables: Json) -> Json:
    """The arguments of a field or directive as they were sent, before any coercion; those left out are absent."""
    sent = {one.name.value: value_from_ast_untyped(one.value, variables) for one in node.arguments or ()}
    found: Json = _without_undefined(sent)
    return found


def _without_undefined(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_undefined(inner) for name, inner in value.items() if inner is not Undefined}
    return [_without_undefined(inner) for inner in value] if isinstance(value, list) else value

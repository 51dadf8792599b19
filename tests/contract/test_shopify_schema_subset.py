"""The sandbox's schema promises nothing that Shopify's own 2026-10 schema does not."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLNamedType,
    GraphQLSchema,
    build_schema,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_introspection_type,
    is_non_null_type,
    is_object_type,
    is_specified_directive,
    is_specified_scalar_type,
    parse,
    print_ast,
    validate,
)

from adapters.shopify.operations import ALL, Operation
from adapters.shopify.sandbox.schema import load_schema

CHECKOUT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SYNCD_SHARED", CHECKOUT.parent / "shared"))
VENDOR_SDL = SHARED / "specs" / "shopify" / "admin_2026-10.graphql.gz"

OPERATIONS = {
    "poll": """query Poll($first: Int!, $after: String, $query: String!) {
      orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id name createdAt updatedAt processedAt cancelledAt cancelReason closed closedAt test edited
          sourceName sourceIdentifier displayFinancialStatus displayFulfillmentStatus currencyCode
          shippingAddress { countryCodeV2 provinceCode zip city address1 address2 name latitude longitude }
          lineItems(first: 20) {
            pageInfo { hasNextPage endCursor }
            nodes {
              id sku quantity currentQuantity unfulfilledQuantity nonFulfillableQuantity refundableQuantity
              requiresShipping originalUnitPriceSet { shopMoney { amount currencyCode } }
              variant { id inventoryItem { id tracked } }
            }
          }
          refunds(first: 5) {
            id createdAt
            refundLineItems(first: 20) { nodes { quantity restockType lineItem { id } } }
          }
          fulfillments(first: 20) { createdAt status }
        }
      }
    }""",
    "levels": """query Levels($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on InventoryItem {
      sku tracked
      inventoryLevels(first: 10) { pageInfo { hasNextPage endCursor } nodes {
        id isActive updatedAt location { id } quantities(names: ["available", "on_hand"]) { name quantity updatedAt }
      } }
    } } }""",
    "variants": """query Variants($first: Int!, $after: String, $query: String) {
      productVariants(first: $first, after: $after, query: $query) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id sku barcode updatedAt inventoryPolicy requiresComponents
          inventoryItem { id sku tracked } product { id status }
        }
      }
    }""",
    "locations": """query Locations($first: Int!) {
      locations(first: $first, includeInactive: true, includeLegacy: true) { nodes {
        id name isActive fulfillsOnlineOrders shipsInventory isFulfillmentService
        fulfillmentService { id handle serviceName type inventoryManagement }
        address { countryCode provinceCode zip city }
      } }
    }""",
    "install": """query Install {
      currentAppInstallation { id accessScopes { handle } }
      publicApiVersions { handle supported displayName }
      shop { id myshopifyDomain ianaTimezone plan { publicDisplayName shopifyPlus partnerDevelopment } }
    }""",
    "set": """mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
      inventorySetQuantities(input: $input) @idempotent(key: $key) {
        inventoryAdjustmentGroup {
          id createdAt reason referenceDocumentUri
          changes { name delta quantityAfterChange item { id } location { id } }
        }
        userErrors { field message code }
      }
    }""",
    "activate": """mutation Activate($item: ID!, $loc: ID!, $key: String!) {
      inventoryActivate(inventoryItemId: $item, locationId: $loc) @idempotent(key: $key) {
        inventoryLevel { id isActive quantities(names: ["available", "on_hand"]) { name quantity } }
        userErrors { field message }
      }
    }""",
    "hook": """mutation Hook($topic: WebhookSubscriptionTopic!, $sub: WebhookSubscriptionInput!) {
      webhookSubscriptionCreate(topic: $topic, webhookSubscription: $sub) {
        webhookSubscription { id topic uri format includeFields filter apiVersion { handle } }
        userErrors { field message }
      }
    }""",
    "hooks": """query Hooks($first: Int!, $after: String) {
      webhookSubscriptions(first: $first, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { id topic uri format filter includeFields apiVersion { handle } }
      }
    }""",
    "unhook": """mutation Unhook($id: ID!) {
      webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
    }""",
}


@pytest.fixture(scope="module")
def vendor() -> GraphQLSchema:
    if not VENDOR_SDL.is_file():
        pytest.skip(f"the vendor's schema is not here: {VENDOR_SDL} (set SYNCD_SHARED)")
    with gzip.open(VENDOR_SDL, "rt", encoding="utf-8") as sdl:
        return build_schema(sdl.read(), assume_valid=True)


@pytest.fixture(scope="module")
def ours() -> GraphQLSchema:
    return load_schema()


def test_every_type_field_argument_and_value_of_ours_is_the_vendors(ours: GraphQLSchema, vendor: GraphQLSchema) -> None:
    differences: list[str] = []
    for name, type_ in ours.type_map.items():
        if is_specified_scalar_type(type_) or is_introspection_type(type_):
            continue
        theirs = vendor.type_map.get(name)
        if type(theirs) is not type(type_):
            differences.append(f"{name} is not the same kind of type")
        else:
            differences += compare(type_, theirs)

    assert differences == []


def test_the_roots_and_the_directives_are_the_vendors(ours: GraphQLSchema, vendor: GraphQLSchema) -> None:
    theirs = {directive.name: directive for directive in vendor.directives}
    own = [directive for directive in ours.directives if not is_specified_directive(directive)]

    assert str(ours.query_type) == str(vendor.query_type)
    assert str(ours.mutation_type) == str(vendor.mutation_type)
    assert [directive.name for directive in own] == ["idempotent"]
    for directive in own:
        assert directive.locations == theirs[directive.name].locations
        assert compare_inputs(directive.name, directive.args, theirs[directive.name].args) == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_a_client_may_ask_of_the_vendor_it_may_ask_of_the_sandbox(
    name: str, ours: GraphQLSchema, vendor: GraphQLSchema
) -> None:
    document = parse(OPERATIONS[name])

    assert validate(vendor, document) == []
    assert validate(ours, document) == []


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
def test_the_sandbox_serves_every_document_of_the_adapter(operation: Operation, ours: GraphQLSchema) -> None:
    assert validate(ours, parse(operation.document)) == []


def compare(ours: GraphQLNamedType, theirs: Any) -> list[str]:
    """What a type of ours has that the vendor's type of that name has not, or has otherwise."""
    if is_enum_type(ours):
        return [f"{ours}.{value} does not exist" for value in ours.values if value not in theirs.values]
    if is_input_object_type(ours):
        return compare_inputs(str(ours), ours.fields, theirs.fields)
    if not (is_object_type(ours) or is_interface_type(ours)):
        return []
    known = {interface.name for interface in theirs.interfaces}
    found = [f"{ours} does not implement {one.name}" for one in ours.interfaces if one.name not in known]
    for name, field in ours.fields.items():
        their_field = theirs.fields.get(name)
        if their_field is None:
            found.append(f"{ours}.{name} does not exist")
            continue
        if str(field.type) != str(their_field.type):
            found.append(f"{ours}.{name} is {their_field.type}, not {field.type}")
        found += compare_inputs(f"{ours}.{name}", field.args, their_field.args)
    return found


Inputs = Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField]


def compare_inputs(place: str, ours: Inputs, theirs: Inputs) -> list[str]:
    """Arguments or input fields: ours exist there with the same type and default, and no required one is missing."""
    found = []
    for name, value in ours.items():
        their_value = theirs.get(name)
        if their_value is None:
            found.append(f"{place}({name}) does not exist")
        elif shape(value) != shape(their_value):
            found.append(f"{place}({name}) is {shape(their_value)}, not {shape(value)}")
    for name, their_value in theirs.items():
        if name not in ours and is_non_null_type(their_value.type) and their_value.default is None:
            found.append(f"{place}({name}) is required and missing")
    return found


def shape(value: GraphQLArgument | GraphQLInputField) -> tuple[str, str | None]:
    default = value.default.literal if value.default is not None else None
    return str(value.type), print_ast(default) if default is not None else None

"""Our documents against the vendor's own schema, where a copy of it is at hand."""

from __future__ import annotations

import gzip
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLSchema, build_schema, parse, validate

from adapters.iso import COUNTRIES, EXPONENTS
from adapters.shopify.operations import ALL, Operation
from adapters.shopify.order_state import _NEVER_LEFT

CHECKOUT = Path(__file__).resolve().parents[2]
SPECS = Path(os.environ.get("SYNCD_SHARED", CHECKOUT.parent / "shared")) / "specs" / "shopify"
SCHEMA = SPECS / "admin_2026-10.graphql.gz"
COST_MODEL = SPECS / "query_cost_model.py"
MOST_A_QUERY = 1000

# Not ISO 4217: the pounds of Jersey, the dollar of Kiribati, a stablecoin and "no currency".
NO_CURRENCIES = {"JEP", "KID", "USDC", "XXX"}
# No longer a country, and "unknown".
NO_COUNTRIES = {"AN", "ZZ"}

pytestmark = pytest.mark.skipif(not SCHEMA.exists(), reason=f"no copy of the vendor's schema at {SCHEMA}")


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(gzip.decompress(SCHEMA.read_bytes()).decode(), assume_valid=True)


@pytest.fixture(scope="module")
def cost() -> Callable[..., int]:
    if not COST_MODEL.exists():
        pytest.skip(f"no cost model at {COST_MODEL}")
    spec = importlib.util.spec_from_file_location("query_cost_model", COST_MODEL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model: Callable[..., int] = module.cost
    return model


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
def test_a_document_is_valid_and_named_as_it_says(operation: Operation, schema: GraphQLSchema) -> None:
    document = parse(operation.document)

    assert validate(schema, document) == []
    assert operation.document.split("(")[0].split("{")[0].split() == [
        "mutation" if operation.effect else "query",
        operation.name,
    ]


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
def test_no_deprecated_field_is_asked_for(operation: Operation, schema: GraphQLSchema) -> None:
    from graphql.validation import NoDeprecatedCustomRule

    assert validate(schema, parse(operation.document), [NoDeprecatedCustomRule]) == []


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
def test_even_the_largest_page_fits_under_the_cap(
    operation: Operation, schema: GraphQLSchema, cost: Callable[..., int]
) -> None:
    modelled = cost(schema, operation.document, {"first": 250})

    assert modelled <= operation.cost * 1.1
    assert modelled < MOST_A_QUERY / 2  # the model is within 10 % on most, not on all


def test_every_currency_and_country_of_the_vendor_is_known(schema: GraphQLSchema) -> None:
    currencies, countries = schema.type_map["CurrencyCode"], schema.type_map["CountryCode"]
    assert isinstance(currencies, GraphQLEnumType)
    assert isinstance(countries, GraphQLEnumType)

    assert set(currencies.values) - set(EXPONENTS) == NO_CURRENCIES
    assert set(countries.values) - COUNTRIES == NO_COUNTRIES


def test_the_statuses_of_parcels_that_never_left_are_the_vendors(schema: GraphQLSchema) -> None:
    statuses = schema.type_map["FulfillmentStatus"]
    assert isinstance(statuses, GraphQLEnumType)

    assert set(statuses.values) - _NEVER_LEFT == {"OPEN", "PENDING", "SUCCESS"}
    assert set(statuses.values) >= _NEVER_LEFT


def test_the_idempotency_directive_is_one_of_the_schema(schema: GraphQLSchema) -> None:
    directive = schema.get_directive("idempotent")

    assert directive is not None
    assert list(directive.args) == ["key"]

"""Errors in the vendor's shape."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

RATE_LIMIT_PAGE = "https://shopify.dev/api/usage/rate-limits"
SCOPES_PAGE = "https://shopify.dev/api/usage/access-scopes"

Json = dict[str, Any]  # a JSON object on its way in or out; shaped by the vendor, not by us


class VendorError(Exception):
    """A GraphQL error with a code. graphql-core copies `extensions` into the answer."""

    def __init__(self, message: str, code: str, **more: object) -> None:
        super().__init__(message)
        self.extensions: Json = {"code": code, **more}


def access_denied() -> VendorError:
    """The refusal of a field that the app has no scope for, as captured live, April to July 2026."""
    return VendorError("access denied", "ACCESS_DENIED", documentation=SCOPES_PAGE)


def user_error(field: list[str] | None, message: str, code: str | None = None) -> Json:
    """A business error inside a payload. `code` is not shown by payloads that have none."""
    return {"field": field, "message": message, "code": code}


def shaped(error: GraphQLError) -> Json:
    """A GraphQL error as the vendor prints it."""
    printed: Json = {"message": error.message}
    if error.locations:
        printed["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.extensions:
        printed["extensions"] = dict(error.extensions)
    if error.path:
        printed["path"] = list(error.path)
    return printed

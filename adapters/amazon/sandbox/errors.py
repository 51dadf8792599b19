"""Refusals in the vendor's shape."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]  # a JSON object on its way in or out; shaped by the vendor, not by us

# The opaque text that every invalid input gets (a report of the historic API; the newer one is no clearer).
INVALID_INPUT = "The input you have submitted is not valid. Please check your input and try again."
ACCESS_DENIED = "Access to requested resource is denied."


class Refusal(Exception):
    """An answer that is an error: a status and one entry of the `errors` envelope."""

    def __init__(self, status: int, code: str, message: str, details: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def body(self) -> Json:
        error = {"code": self.code, "message": self.message}
        return {"errors": [error if self.details is None else {**error, "details": self.details}]}


def invalid_input(details: str) -> Refusal:
    return Refusal(400, "InvalidInput", INVALID_INPUT, details)


def bad_request(details: str) -> Refusal:
    """The Listings API's word for it."""
    return Refusal(400, "BAD_REQUEST", "Invalid input", details)


def denied(status: int, details: str) -> Refusal:
    return Refusal(status, "Unauthorized", ACCESS_DENIED, details)


def quota_exceeded() -> Refusal:
    return Refusal(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")


def internal_failure() -> Refusal:
    return Refusal(500, "InternalFailure", "We encountered an internal error. Please try again.")

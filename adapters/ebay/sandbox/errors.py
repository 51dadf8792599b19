"""Errors in the vendor's shape."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]  # a JSON object on its way in or out; shaped by the vendor, not by us

REQUEST = "REQUEST"
APPLICATION = "APPLICATION"


class ApiError(Exception):
    """A refusal of a whole call, or of one row: a status and one error object."""

    def __init__(self, status: int, error: Json) -> None:
        super().__init__(error["message"])
        self.status = status
        self.error = error


def inventory_error(status: int, error_id: int, message: str, **parameters: str) -> ApiError:
    return ApiError(status, _error(error_id, "API_INVENTORY", message, _category(status), parameters, "Selling"))


def fulfillment_error(status: int, error_id: int, message: str, **parameters: str) -> ApiError:
    return ApiError(status, _error(error_id, "API_FULFILLMENT", message, _category(status), parameters))


def notification_error(status: int, error_id: int, message: str, **parameters: str) -> ApiError:
    return ApiError(status, _error(error_id, "API_NOTIFICATION", message, _category(status), parameters))


def account_error(status: int, error_id: int, message: str, **parameters: str) -> ApiError:
    return ApiError(status, _error(error_id, "API_ACCOUNT", message, _category(status), parameters))


def too_many_requests() -> ApiError:
    """As copied from a live reply; it carries no Retry-After."""
    told = _error(2001, "ACCESS", "Too many requests.", REQUEST, {})
    return ApiError(429, {**told, "longMessage": "The request limit has been reached for the resource."})


def invalid_token() -> ApiError:
    told = _error(1001, "OAuth", "Invalid access token", REQUEST, {})
    long = "Invalid access token. Check the value of the Authorization HTTP request header."
    return ApiError(401, {**told, "longMessage": long})


def access_denied() -> ApiError:
    told = _error(1100, "ACCESS", "Access denied", REQUEST, {})
    return ApiError(403, {**told, "longMessage": "Insufficient permissions to fulfill the request."})


def unreadable_request(where: str) -> ApiError:
    told = _error(2004, "ACCESS", "Invalid request", REQUEST, {"reason": where})
    long = "The request has errors. For help, see the documentation for this API."
    return ApiError(400, {**told, "longMessage": long})


def _category(status: int) -> str:
    return APPLICATION if status >= 500 else REQUEST


def _error(
    error_id: int, domain: str, message: str, category: str, parameters: dict[str, str], subdomain: str | None = None
) -> Json:
    told: Json = {"errorId": error_id, "domain": domain, "category": category, "message": message}
    if subdomain is not None:
        told["subdomain"] = subdomain
    if parameters:
        told["parameters"] = [{"name": name, "value": value} for name, value in parameters.items()]
    return told

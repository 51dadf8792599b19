"""What a refusal of eBay's means: which of the five errors, told with its error ids. Pure.

eBay answers `{"errors": [{errorId, message, parameters}]}`, its OAuth part `{"error", "error_description"}`; what
comes from Akamai in front of both is no JSON at all. Branches on ids only; texts change.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from adapters.contract import AdapterError, AuthExpired, OutcomeUnknown, Rejected, Transient
from adapters.ebay.wire import Wire
from adapters.reading import entries, shaped

# Error ids, Inventory 1.18.5, Fulfillment 1.20.7 and Notification 1.6.7 specifications.
SYSTEM_ERROR = 25001
CONCURRENT_ACCESS = 25025  # another change of the same item or item group is under way
OWN_FAULT = frozenset((SYSTEM_ERROR, CONCURRENT_ACCESS))  # eBay's; worth trying again
OFFER_UNAVAILABLE = 25713
INSUFFICIENT_SCOPE = 1100
NOT_CONFIGURED = 195026
CHALLENGE_FAILED = 195020
ALREADY_SUBSCRIBED = 195012
_STOPPED_DOMAINS = frozenset(("OAuth", "ACCESS"))
_OAUTH_CODE = re.compile(r"[a-z_]{1,40}")
_REMEDIES = {
    "invalid_grant": "the refresh token is no longer accepted: the seller must consent again",
    "invalid_client": "client_id and client_secret are not accepted",
    "invalid_scope": "a scope was asked for that the seller has not granted",
}


class Parameter(Wire, frozen=True):
    name: object = None
    value: object = None


class VendorError(Wire, frozen=True):
    error_id: int = 0
    domain: str = ""
    message: str = ""
    long_message: str = ""
    parameters: object = None

    @property
    def told(self) -> str:
        return f"{self.error_id} {self.long_message or self.message}"[:200].strip()

    @property
    def about(self) -> tuple[Parameter, ...]:
        found = (shaped(raw, Parameter) for raw in entries(self.parameters))
        return tuple(parameter for parameter in found if parameter is not None)

    @property
    def field(self) -> str | None:
        return next((parameter.name for parameter in self.about if isinstance(parameter.name, str)), None)


class Refused(Rejected):
    """A refusal with eBay's own errors; `status` is the HTTP one."""

    def __init__(self, field: str, reason: str, status: int, errors: Sequence[VendorError]) -> None:
        super().__init__(field, reason)
        self.status = status
        self.errors = tuple(errors)

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(error.error_id for error in self.errors)


class MissingScope(AuthExpired):
    """The token is good and not enough: another one of the same consent would not help."""


class _Body(Wire, frozen=True):
    errors: object = None
    error: object = None


def vendor_errors(raw: object) -> list[VendorError]:
    """The readable ones of an `errors` array."""
    found = (shaped(entry, VendorError) for entry in entries(raw))
    return [error for error in found if error is not None]


def refusal(plain: AdapterError, what: str, status: int, content: bytes) -> AdapterError:
    """`plain`, the meaning of the status alone, sharpened by what the body says."""
    body = _decoded(content)
    if isinstance(body.error, str):
        return _oauth_refusal(plain, what, body.error)
    errors = vendor_errors(body.errors)
    told = f"{what}: HTTP {status}: {errors[0].told if errors else 'no readable reason'}"
    if status == 403 and not errors:
        return Transient(f"{what}: turned away in front of the API (HTTP 403 without a reason)")
    if status == 403 and any(e.error_id == INSUFFICIENT_SCOPE or e.domain in _STOPPED_DOMAINS for e in errors):
        return MissingScope(f"{told}: the consent lacks a scope; the seller must consent again with all scopes")
    match plain:
        case AuthExpired():
            return AuthExpired(told)
        case Rejected():
            return Refused((errors[0].field if errors else None) or "request", told, status, errors)
        case Transient():
            return Transient(told)
        case OutcomeUnknown() if {error.error_id for error in errors} == {CONCURRENT_ACCESS}:
            return Transient(told)  # turned away before it changed anything
        case OutcomeUnknown():
            return OutcomeUnknown(told)
        case _:
            return plain


def _decoded(content: bytes) -> _Body:
    try:
        return msgspec.json.decode(content, type=_Body)
    except (ValueError, RecursionError):
        return _Body()


def _oauth_refusal(plain: AdapterError, what: str, code: str) -> AdapterError:
    """A person must act on every refusal of a token; only trouble on eBay's side passes by itself."""
    if not isinstance(plain, Rejected | AuthExpired):
        return plain
    shown = code if _OAUTH_CODE.fullmatch(code) else "refused"
    return AuthExpired(f"{what}: {shown}: {_REMEDIES.get(shown, 'no token is granted')}")

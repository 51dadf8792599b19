"""What an `errors` array means: which of the five errors, for a read and for a write. Pure.

Branches on `extensions.code` only; texts change. Codes: recorded answers of 2026-04 and the 2026-10 schema.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adapters.contract import AdapterError, AuthExpired, RateLimited, Rejected
from adapters.http import uncertain
from adapters.reading import shaped
from adapters.shopify.operations import Operation

CONCURRENT_REQUEST_S = 2.0  # the first request with that key is still running
_STOPPED = frozenset(("ACCESS_DENIED", "SHOP_INACTIVE"))
_FAILED = frozenset(("INTERNAL_SERVER_ERROR", "TIMEOUT"))
_INVALID = frozenset(("INVALID_VARIABLE", "INVALID_FIELD_ARGUMENTS", "BAD_REQUEST", "MAX_INPUT_SIZE_EXCEEDED"))


class CostTooHigh(Rejected):
    """The query may cost more than a single query may: ask for a smaller page."""


class KeyConflict(Rejected):
    """The idempotency key was used before, with other variables."""


class PreviousAttemptFailed(Rejected):
    """The first request with this key failed: nothing was written, and a new key is needed."""


class Extensions(msgspec.Struct, frozen=True):
    code: str | None = None


class GraphqlError(msgspec.Struct, frozen=True):
    message: str = ""
    path: list[str | int] = []
    extensions: Extensions = Extensions()


def refusal(errors: object, operation: Operation, throttled_s: float) -> AdapterError:
    """The one error that `errors` stands for; the gravest where there are several."""
    found = shaped(errors, list[GraphqlError])
    if not found:
        return uncertain(operation.effect, f"{operation.name}: unreadable errors")
    codes = {error.extensions.code for error in found}
    what = f"{operation.name}: {_told(found)}"
    if "THROTTLED" in codes:  # refused before it ran, writes too
        return RateLimited(what, throttled_s)
    if (keyed := key_refusal(codes, what)) is not None:
        return keyed
    if codes & _FAILED:
        return uncertain(operation.effect, what)
    if codes & _STOPPED:
        return AuthExpired(what)
    if "MAX_COST_EXCEEDED" in codes:
        return CostTooHigh("cost", what)
    if operation.effect and not codes <= _INVALID:
        return uncertain(True, what)  # an unknown code does not say that nothing was written
    return Rejected(_where(found), what)


def key_refusal(codes: set[str | None], what: str) -> AdapterError | None:
    """What the idempotency codes mean; they come among `errors` and among `userErrors`."""
    if "IDEMPOTENCY_CONCURRENT_REQUEST" in codes:
        return RateLimited(what, CONCURRENT_REQUEST_S)
    if "IDEMPOTENCY_KEY_PARAMETER_MISMATCH" in codes:
        return KeyConflict("key", what)
    if "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" in codes:
        return PreviousAttemptFailed("key", what)
    return None


def tolerable(errors: object, anywhere: bool) -> bool:
    """Whether only single fields were refused, such as an address without approval for buyers' data.

    A refused list entry or, unless `anywhere`, a refused root is not: something would be missing unseen.
    """
    found = shaped(errors, list[GraphqlError])
    return bool(found) and all(
        error.extensions.code == "ACCESS_DENIED"
        and len(error.path) > (0 if anywhere else 1)
        and isinstance(error.path[-1], str)
        for error in found or ()
    )


def _told(errors: Sequence[GraphqlError]) -> str:
    first = errors[0]
    return f"{first.extensions.code or 'no code'}: {first.message[:200]}"


def _where(errors: Sequence[GraphqlError]) -> str:
    return ".".join(str(part) for part in errors[0].path) or "request"

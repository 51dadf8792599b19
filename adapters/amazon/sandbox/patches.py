"""What a patch of `fulfillment_availability` makes of what was submitted before, and what is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.amazon.sandbox.errors import Json, bad_request
from adapters.amazon.sandbox.marketplaces import MFN_CHANNEL

ATTRIBUTE = "fulfillment_availability"
CODE = "fulfillment_channel_code"
PATH = f"/attributes/{ATTRIBUTE}"
OPERATIONS = ("add", "replace", "merge", "delete")
GENERIC_PRODUCT_TYPE = "PRODUCT"
LARGEST_QUANTITY = 2**31 - 1

Elements = Mapping[str, Json]  # what was submitted, by channel code


def read_patches(body: Any) -> tuple[str, list[Json]]:
    """(product type, patches) of a request. Raises a 400 for what the model does not allow."""
    if not isinstance(body, dict) or not isinstance(body.get("productType"), str) or not body["productType"]:
        raise bad_request("productType is required.")
    patches = body.get("patches")
    if not isinstance(patches, list) or not patches:
        raise bad_request("patches must hold at least one patch.")
    for patch in patches:
        if not isinstance(patch, dict) or patch.get("op") not in OPERATIONS or not isinstance(patch.get("path"), str):
            raise bad_request(f"A patch needs a path and an op that is one of {', '.join(OPERATIONS)}.")
        value = patch.get("value", [])
        if not isinstance(value, list) or not all(isinstance(element, dict) for element in value):
            raise bad_request("value must be an array of objects.")
    return body["productType"], patches


def issues_of(patch: Json, fba_channel: str) -> list[Json]:
    """Why the patch is INVALID; empty if it isn't. Codes and texts not reported by anybody are our guess."""
    if patch["path"] != PATH:
        name = patch["path"].rpartition("/")[2]
        return [issue("90000900", "The attributes are invalid.", name, "INVALID_ATTRIBUTE")]
    value = patch.get("value", [])
    if not value and patch["op"] != "delete":
        return [issue("90220", f"'{ATTRIBUTE}' is required but not supplied.", ATTRIBUTE, "MISSING_ATTRIBUTE")]
    return [found for element in value if (found := _issue_of(element, fba_channel)) is not None]


def patched(elements: Elements, patch: Json) -> dict[str, Json]:
    """The elements after the patch. The channel code selects which one it is about; the others stay."""
    after = {code: dict(element) for code, element in elements.items()}
    value: Sequence[Json] = patch.get("value", [])
    if patch["op"] == "delete" and not value:
        return {}
    for element in value:
        code = element[CODE]
        if patch["op"] == "delete":
            after.pop(code, None)
        elif patch["op"] == "merge":
            after[code] = _merged(after.get(code), element)
        else:
            after[code] = dict(element)
    return after


def offered_after(elements: Elements) -> int:
    """The number that shoppers will see on the merchant's offer: none without a quantity."""
    quantity: int = elements.get(MFN_CHANNEL, {}).get("quantity", 0)
    return quantity


def touches_offer(patch: Json) -> bool:
    value = patch.get("value", [])
    return not value or any(element[CODE] == MFN_CHANNEL for element in value)


def issue(code: str, message: str, attribute: str, category: str) -> Json:
    return {
        "code": code,
        "message": message,
        "severity": "ERROR",
        "attributeNames": [attribute],
        "categories": [category],
    }


def _merged(before: Json | None, sent: Json) -> Json:
    """A merge without a quantity changes nothing else either: nobody got a lead time through alone."""
    if before is not None and "quantity" not in sent:
        return before
    return {**(before or {}), **sent}


def _issue_of(element: Json, fba_channel: str) -> Json | None:
    code = element.get(CODE)
    if not isinstance(code, str) or not code:
        message = f"The field '{CODE}' in '{ATTRIBUTE}' does not have enough values. The required minimum is '1'."
        return issue("90220", message, ATTRIBUTE, "MISSING_ATTRIBUTE")
    if code not in (MFN_CHANNEL, fba_channel):
        message = f"'{code}' is not a valid value of '{CODE}'."
        return issue("90000900", message, ATTRIBUTE, "INVALID_ATTRIBUTE")
    quantity = element.get("quantity", 0)
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not 0 <= quantity <= LARGEST_QUANTITY:
        message = f"The value of 'quantity' in '{ATTRIBUTE}' is not a whole number of at least '0'."
        return issue("90000900", message, ATTRIBUTE, "INVALID_ATTRIBUTE")
    return None

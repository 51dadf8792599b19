"""Account v2: what the seller has chosen for all listings."""

from __future__ import annotations

from adapters.ebay.sandbox.calls import Answer, Call, Operation
from adapters.ebay.sandbox.errors import account_error
from adapters.ebay.sandbox.seed import ACCOUNT_READ_SCOPE, ACCOUNT_SCOPE, SellerSeed

_PATH = "/sell/account/v2/user_preferences"
_FIELDS = {
    "OUT_OF_STOCK_CONTROL": "outOfStockControlPreference",
    "PURCHASE_REMINDER_EMAIL": "purchaseReminderEmailPreferences",
    "REQUIRED_SHIP_PHONE_NUMBER": "requiredShipPhoneNumberPreference",
}


class AccountApi:
    """A few preferences that need no container. Any other field group is refused as one that there is not."""

    def __init__(self, seed: SellerSeed) -> None:
        self._preferences = {
            "OUT_OF_STOCK_CONTROL": seed.out_of_stock_control,
            "PURCHASE_REMINDER_EMAIL": True,
            "REQUIRED_SHIP_PHONE_NUMBER": False,
        }

    def operations(self) -> list[Operation]:
        scopes = (ACCOUNT_READ_SCOPE, ACCOUNT_SCOPE)
        return [Operation("get_user_preferences", "GET", _PATH, "sell.account", scopes, self.preferences)]

    async def preferences(self, call: Call) -> Answer:
        asked = call.query("fieldgroups") or "ALL"
        groups = list(_FIELDS) if asked == "ALL" else asked.split(",")
        if unknown := [group for group in groups if group not in _FIELDS]:
            raise account_error(400, 396502, "The specified field groups are invalid.", errorDetails=unknown[0])
        return Answer(200, {_FIELDS[group]: self._preferences[group] for group in groups})

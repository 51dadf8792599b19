"""Developer analytics: what is left of the day's quotas."""

from __future__ import annotations

from adapters.ebay.sandbox.calls import Answer, Call, Operation
from adapters.ebay.sandbox.quotas import Quotas
from adapters.ebay.sandbox.seed import BASE_SCOPE, INVENTORY_SCOPE

_BASE = "/developer/analytics/v1_beta"


class AnalyticsApi:
    """Quotas are the app's, so both methods tell the same numbers; the user's one wants a user's token."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas

    def operations(self) -> list[Operation]:
        api = "developer.analytics"
        return [
            Operation("get_rate_limits", "GET", f"{_BASE}/rate_limit/", api, (BASE_SCOPE,), self.limits, app_only=True),
            Operation("get_user_rate_limits", "GET", f"{_BASE}/user_rate_limit/", api, (INVENTORY_SCOPE,), self.limits),
        ]

    async def limits(self, call: Call) -> Answer:
        """204 where no API has the names asked for."""
        found = self._quotas.report(call.query("api_context"), call.query("api_name"))
        return Answer(200, {"rateLimits": found}) if found else Answer(204)

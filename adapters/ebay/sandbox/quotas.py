"""What an app may ask for in a day, whoever it asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date

from adapters.ebay.sandbox.day import Calendar
from adapters.ebay.sandbox.errors import Json, too_many_requests
from adapters.ebay.sandbox.instants import printed

# getRateLimits of production keysets, September and October 2026; sell.account and token limits as documented.
DAILY: Mapping[str, int] = {
    "sell.inventory": 2_000_000,
    "sell.fulfillment": 100_000,
    "sell.account": 25_000,
    "commerce.notification": 10_000,
    "developer.analytics": 5_000,
    "oauth.client_credentials": 1_000,
    "oauth.authorization_code": 10_000,
    "oauth.refresh_token": 50_000,
}
DAY_S = 86_400


class Quotas:
    def __init__(self, calendar: Calendar, instead: Mapping[str, int]) -> None:
        self._calendar = calendar
        self._limits = {**DAILY, **instead}
        self._day: date | None = None
        self._used: Counter[str] = Counter()

    def take(self, resource: str) -> None:
        """Count one request. Raises 429 with 2001 when the day's are used up."""
        self._turn_page()
        if self._used[resource] >= self._limits[resource]:
            raise too_many_requests()
        self._used[resource] += 1

    def report(self, context: str | None, api: str | None) -> list[Json]:
        """`rateLimits` of the developer analytics API."""
        self._turn_page()
        resources = [name.partition(".") for name in self._limits if not name.startswith("oauth.")]
        return [
            self._rate_limit(its_context, its_api)
            for its_context, _, its_api in resources
            if context in (None, its_context) and api in (None, its_api)
        ]

    def _rate_limit(self, context: str, api: str) -> Json:
        name = f"{context}.{api}"
        limit, used = self._limits[name], self._used[name]
        rate = {
            "count": used,
            "limit": limit,
            "remaining": limit - used,
            "reset": printed(self._calendar.next_day()),
            "timeWindow": DAY_S,
        }
        return {
            "apiContext": context,
            "apiName": api,
            "apiVersion": "v1",
            "resources": [{"name": name, "rates": [rate]}],
        }

    def _turn_page(self) -> None:
        today = self._calendar.today()
        if today != self._day:
            self._day = today
            self._used.clear()

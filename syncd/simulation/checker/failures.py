"""Requests of the daemon that failed, by vendor: what people are told of a vendor's trouble is held against them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import httpx

_TRIES: Final = timedelta(minutes=30)
"""A failure this long ago may be what an alert tells of: a request is tried again, and again, before it is given up."""
_CLOCKS_APART: Final = timedelta(seconds=2)
_MULTI_STATUS: Final = 207
_TROUBLE: Final = (b'"errors":[{', b'"errors": [{', b'"userErrors":[{', b'"userErrors": [{')


class FailedRequests:
    """Watches the wire and notes every request of the daemon that was answered badly, or not at all."""

    def __init__(
        self, vendors: Mapping[int, str], now: Callable[[], datetime], noted: dict[str, list[datetime]]
    ) -> None:
        """`vendors` by port; `noted`: where the instants go, by vendor."""
        self._vendors = vendors
        self._now = now
        self._noted = noted

    def begun(self, client: str | None, request: httpx.Request) -> None:
        """Nothing is known of it yet."""

    def over(self, client: str | None, request: httpx.Request, response: httpx.Response | None) -> None:
        vendor = self._vendors.get(request.url.port or 80)
        if client is not None and vendor is not None and (response is None or _tells_of_trouble(response)):
            self._noted.setdefault(vendor, []).append(self._now())


class Failures:
    """Instants at which something failed, by account or warehouse."""

    def __init__(self, instants: Mapping[str, Sequence[datetime]], run_by: Mapping[str, str]) -> None:
        """`run_by`: the account whose channel runs a warehouse, by the warehouse's key."""
        self._instants = instants
        self._run_by = run_by

    def met(self, owner: str, since: datetime | None, until: datetime) -> bool:
        """Whether something failed after `since`, and not long before `until`."""
        earliest = until - _TRIES if since is None else max(since, until - _TRIES)
        instants = self._instants.get(self._run_by.get(owner, owner), ())
        return any(earliest - _CLOCKS_APART < at <= until + _CLOCKS_APART for at in instants)


def _tells_of_trouble(response: httpx.Response) -> bool:
    """An error, a part of a batch that failed, or half an answer."""
    if not response.is_success or response.status_code == _MULTI_STATUS:
        return True
    body = response.read().rstrip()
    return bool(body) and (body[-1:] not in b"}]" or any(each in body for each in _TROUBLE))

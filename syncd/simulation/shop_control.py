"""What shoppers and staff do at a shop's counter: the sandbox's control face, from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from syncd.errors import SyncdError


class CounterClosed(SyncdError):
    """The sandbox's control face did not do what it was asked."""


@dataclass(frozen=True, slots=True)
class Placed:
    order_id: str
    name: str


class ShopCounter:
    """One shop's control face."""

    def __init__(self, key: str, address: str) -> None:
        self.key = key
        self._http = httpx.AsyncClient(base_url=f"{address}/_control", timeout=20.0)

    async def place(self, lines: Sequence[tuple[str, int]], ship_to: dict[str, str]) -> Placed | None:
        """Buy; None when the shop itself shows too little."""
        body = {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines], "ship_to": ship_to}
        answer = await self._http.post("/orders", json=body)
        if answer.status_code == httpx.codes.CONFLICT:
            return None
        told = self._told(answer)
        return Placed(told["id"], told["name"])

    async def cancel(self, order_id: str, *, restock: bool = True) -> None:
        self._told(await self._http.post(f"/orders/{order_id}/cancel", json={"restock": restock}))

    async def edit(self, order_id: str, sku: str, quantity: int) -> bool:
        """Change a line; False when the shop refuses."""
        answer = await self._http.post(f"/orders/{order_id}/edit", json={"sku": sku, "quantity": quantity})
        if answer.status_code == httpx.codes.CONFLICT:
            return False
        self._told(answer)
        return True

    async def fulfil(self, order_id: str) -> bool:
        """Ship everything; False when there is nothing to ship any more."""
        answer = await self._http.post(f"/orders/{order_id}/fulfil", json={})
        if answer.status_code == httpx.codes.CONFLICT:
            return False
        self._told(answer)
        return True

    async def faults(self, mix: dict[str, float]) -> None:
        self._told(await self._http.post("/faults", json=mix))

    async def truth(self) -> dict[str, Any]:
        return self._told(await self._http.get("/truth"))

    async def stats(self) -> dict[str, Any]:
        return self._told(await self._http.get("/stats"))

    async def close(self) -> None:
        await self._http.aclose()

    def _told(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.is_error:
            raise CounterClosed(f"{self.key}: {answer.request.url.path} answered {answer.status_code}: {answer.text}")
        told: dict[str, Any] = answer.json()
        return told

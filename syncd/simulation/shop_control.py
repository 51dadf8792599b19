"""What shoppers and staff do at a counter: a sandbox's control face, from outside, the same for every vendor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class Counter:
    """One sandbox's control face."""

    def __init__(self, key: str, address: str) -> None:
        self.key = key
        self._http = httpx.AsyncClient(base_url=f"{address}/_control", timeout=20.0)

    async def faults(self, mix: Mapping[str, float]) -> None:
        await self._post("faults", mix)

    async def truth(self) -> dict[str, Any]:
        return self._told(await self._http.get("/truth"))

    async def stats(self) -> dict[str, Any]:
        return self._told(await self._http.get("/stats"))

    async def close(self) -> None:
        await self._http.aclose()

    async def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._told(await self._http.post(f"/{path}", json=body))

    async def _try(self, path: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """What it answered; None when it would not do that."""
        answer = await self._http.post(f"/{path}", json=body)
        return None if answer.status_code == httpx.codes.CONFLICT else self._told(answer)

    def _told(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.is_error:
            raise CounterClosed(f"{self.key}: {answer.request.url.path} answered {answer.status_code}: {answer.text}")
        told: dict[str, Any] = answer.json()
        return told


class DockCounter(Counter):
    """The dock of somebody else's warehouse."""

    async def receive(self, sku: str, quantity: int) -> None:
        """Goods arrive."""
        await self._post("receive", {"sku": sku, "quantity": quantity})


class ShopCounter(Counter):
    """One channel account's counter."""

    async def place(
        self,
        lines: Sequence[tuple[str, int]],
        ship_to: Mapping[str, str],
        *,
        unpaid: bool = False,
        by_channel: bool = False,
    ) -> Placed | None:
        """Buy; None when the channel itself shows too little."""
        body = {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines], "ship_to": dict(ship_to)}
        told = await self._try("orders", body | {"unpaid": unpaid, "by_channel": by_channel})
        return None if told is None else Placed(str(told["id"]), str(told["name"]))

    async def shown(self, after: int) -> dict[str, Any]:
        """The next changes of its numbers after so many: {changes, more}."""
        return self._told(await self._http.get("/shown", params={"after": after}))

    async def pay(self, order_id: str) -> None:
        await self._post(f"orders/{order_id}/pay", {})

    async def cancel(self, order_id: str, *, restock: bool = True) -> bool:
        """End an order; False when the channel would not."""
        return await self._try(f"orders/{order_id}/cancel", {"restock": restock}) is not None

    async def edit(self, order_id: str, sku: str, quantity: int) -> bool:
        """Change a line; False when the channel would not."""
        return await self._try(f"orders/{order_id}/edit", {"sku": sku, "quantity": quantity}) is not None

    async def fulfil(self, order_id: str) -> bool:
        """Ship everything; False when there is nothing to ship any more."""
        return await self._try(f"orders/{order_id}/fulfil", {}) is not None

    async def set_level(self, sku: str, available: int) -> None:
        """A person types a new number."""
        await self._post("levels", {"sku": sku, "available": available})

    async def refund(self, order_id: str, sku: str, quantity: int) -> bool:
        """Give money back for shipped units, which stay with the buyer; False when the channel would not."""
        body = {"sku": sku, "quantity": quantity, "restock_type": "NO_RESTOCK"}
        return await self._try(f"orders/{order_id}/refund", body) is not None

    async def expire_tokens(self) -> None:
        """Every access token dies now."""
        await self._post("tokens/expire", {})

    async def receive_at_fba(self, sku: str, quantity: int) -> None:
        """Goods arrive where the channel keeps stock of ours: there its people tell what they count."""
        levels = {each["sku"]: int(each["fulfillable"]) for each in (await self.truth())["fba"]}
        await self._post("fba", {"sku": sku, "fulfillable": levels[sku] + quantity})

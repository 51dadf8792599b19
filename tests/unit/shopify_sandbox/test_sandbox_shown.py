"""The log of what listings have shown."""

from __future__ import annotations

from typing import Any

from tests.unit.shopify_sandbox.kit import App


async def shown(app: App, after: int) -> list[dict[str, Any]]:
    answer = await app.http.get("/_control/shown", params={"after": after})
    assert answer.status_code == 200, answer.text
    told: list[dict[str, Any]] = answer.json()["changes"]
    return told


async def test_every_change_of_an_available_number_is_kept_with_its_reason(app: App) -> None:
    opened = len(app.sandbox.shown_log.since(0))
    order = await app.buy("RED-CLOCK", 2)
    await app.set(await app.row("RED-CLOCK", 5, change_from=8))
    await app.control("levels", sku="RED-CLOCK", available=7)
    await app.control(f"orders/{order}/cancel", restock=True)

    changes = await shown(app, opened)
    told = [(each["why"], each["before"], each["after"]) for each in changes]
    assert told == [("sale", 10, 8), ("write", 8, 5), ("hand", 5, 7), ("cancellation", 7, 9)]
    assert changes[0]["ref"] == changes[3]["ref"] == order


async def test_a_write_is_kept_with_its_key(app: App) -> None:
    await app.set(await app.row("RED-CLOCK", 5, change_from=10), key="push-1")

    assert [each["ref"] for each in await shown(app, 0) if each["why"] == "write"] == ["push-1"]


async def test_shipping_changes_no_number(app: App) -> None:
    order = await app.buy("RED-CLOCK", 2)
    before = len(app.sandbox.shown_log.since(0))
    await app.control(f"orders/{order}/fulfil")

    assert await shown(app, before) == []

"""The log of what listings have shown."""

from __future__ import annotations

from typing import Any

from tests.contract.ebay_sandbox.kit import App, Opened


async def shown(app: App, sku: str) -> list[tuple[str, int, int]]:
    changes: list[dict[str, Any]] = (await app.report("shown"))["changes"]
    return [(each["why"], each["before"], each["after"]) for each in changes if each["channel_sku"] == sku]


async def test_the_smaller_of_the_two_numbers_is_what_was_shown(opened: Opened) -> None:
    app = await opened.app(write_latency_s=0.0)
    await app.buy("RED-CLOCK", 3)
    await app.write(await app.entry("RED-CLOCK", 9, 5))
    await app.write(await app.entry("RED-CLOCK", 4))

    assert await shown(app, "RED-CLOCK") == [("opening", 0, 10), ("sale", 10, 7), ("write", 7, 5), ("write", 5, 4)]


async def test_a_purchase_nobody_pays_is_kept_as_a_sale_and_its_end_as_a_cancellation(app: App) -> None:
    purchase = await app.buy("RED-CLOCK", 2, unpaid=True)
    await app.control(f"orders/{purchase}/cancel", restock=True)

    assert await shown(app, "RED-CLOCK") == [("opening", 0, 10), ("sale", 10, 8), ("cancellation", 8, 10)]


async def test_a_row_that_was_refused_is_not_kept(opened: Opened) -> None:
    app = await opened.app(write_latency_s=0.0)
    await app.write(await app.entry("RED-CLOCK", -1))

    assert await shown(app, "RED-CLOCK") == [("opening", 0, 10)]

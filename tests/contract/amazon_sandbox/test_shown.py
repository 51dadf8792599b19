"""The log of what listings have shown."""

from __future__ import annotations

from datetime import timedelta

from tests.contract.amazon_sandbox.kit import Account, quantity_patch


async def shown(account: Account, after: int = 0) -> list[tuple[str, int, int]]:
    answer = await account.http.get("/_control/shown", params={"after": after})
    assert answer.status_code == 200, answer.text
    return [(each["why"], each["before"], each["after"]) for each in answer.json()["changes"]]


async def test_every_change_of_a_merchants_number_is_kept_with_its_reason(account: Account) -> None:
    opened = len(account.sandbox.shown_log.since(0))
    order = await account.buy("RED-CLOCK", 2)
    await account.control(f"orders/{order}/cancel", restock=True)
    await account.control("levels", sku="RED-CLOCK", available=3)
    await account.buy("FBA-CLOCK")

    assert await shown(account, opened) == [("sale", 10, 8), ("cancellation", 8, 10), ("hand", 10, 3)]
    assert account.sandbox.shown_log.since(opened)[0].ref == order


async def test_a_write_is_kept_with_when_it_was_accepted_and_when_it_took_effect(account: Account) -> None:
    accepted_at = account.clock.now()
    await account.patch("RED-CLOCK", quantity_patch(4))
    await account.buy("RED-CLOCK")
    await account.clock.advance(61)

    assert (await shown(account))[-2:] == [("sale", 10, 9), ("write", 9, 4)]
    write = account.sandbox.shown_log.since(0)[-1]
    assert write.accepted_at == accepted_at
    assert timedelta(seconds=5) <= write.at - accepted_at <= timedelta(seconds=60)


async def test_a_write_of_what_is_shown_already_is_kept_too(account: Account) -> None:
    await account.patch("RED-CLOCK", quantity_patch(10))
    await account.clock.advance(61)

    assert (await shown(account))[-1] == ("write", 10, 10)


async def test_a_place_in_the_log_that_is_no_number_is_refused(account: Account) -> None:
    answer = await account.http.get("/_control/shown", params={"after": "-1"})

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "after")

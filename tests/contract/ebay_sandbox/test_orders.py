"""getOrders: the filter grammar, windows with both ends, pages counted in records."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.contract.ebay_sandbox.kit import ORDER, App, Opened, error_id, stamp, window

SECOND = timedelta(seconds=1)
MILLI = timedelta(milliseconds=1)


async def five_orders(app: App) -> list[str]:
    """One each second; the clock stands one second behind the last."""
    orders = []
    for _ in range(5):
        orders.append(await app.buy("RED-CLOCK"))
        await app.clock.advance(1)
    return orders


def ids(answer: httpx.Response) -> list[str]:
    return [order["orderId"] for order in answer.json()["orders"]]


async def test_offset_counts_records(app: App) -> None:
    orders = await five_orders(app)

    pages = [await app.get(ORDER, limit=2, offset=offset) for offset in (0, 1, 4)]

    assert [[order["orderId"] for order in page["orders"]] for page in pages] == [orders[:2], orders[1:3], orders[4:]]
    assert {page["total"] for page in pages} == {5}
    assert [("prev" in page, "next" in page) for page in pages] == [(False, True), (True, True), (True, False)]


async def test_next_is_a_whole_address_that_keeps_the_filter(app: App) -> None:
    orders = await five_orders(app)
    start = app.clock.now() - 60 * SECOND

    page = await app.get(ORDER, limit=3, filter=window("lastmodifieddate", start, None))
    assert page["next"].startswith(str(app.http.base_url))
    rest = await app.get(page["next"])

    assert [order["orderId"] for order in rest["orders"]] == orders[3:]
    assert "next" not in rest


async def test_no_orders_are_a_total_of_0(app: App) -> None:
    page = await app.get(ORDER)

    assert (page["total"], page["orders"], page["limit"], page["offset"]) == (0, [], 50, 0)


@pytest.mark.parametrize(
    ("before", "after", "times"),
    [(0, 0, 1), (1, 1, 1), (-1, 5, 0), (5, -1, 0)],
    ids=["exact", "around", "late", "early"],
)
async def test_both_ends_belong_to_the_window(app: App, before: int, after: int, times: int) -> None:
    at = app.clock.now()
    await app.buy("RED-CLOCK")
    await app.clock.advance(10)

    found = await app.orders(filter=window("lastmodifieddate", at - before * MILLI, at + after * MILLI))

    assert len(found) == times


async def test_the_filter_may_be_percent_encoded_or_not(app: App) -> None:
    order = await app.buy("RED-CLOCK")
    await app.clock.advance(1)
    text = f"{window('lastmodifieddate', app.clock.now() - 60 * SECOND, app.clock.now())},"
    text += "orderfulfillmentstatus:{NOT_STARTED|IN_PROGRESS}"

    encoded = await app.call("GET", f"{ORDER}?filter={quote(text, safe='')}")
    raw = await raw_get(app, f"{ORDER}?filter={text}")

    assert ids(encoded) == [order]
    assert f'"orderId": "{order}"' in raw


async def raw_get(app: App, target: str) -> str:
    """Send a request line byte for byte, as no careful client would."""
    host, port = app.http.base_url.host, app.http.base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {app.token}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    answer = (await reader.read()).decode()
    writer.close()
    return answer


async def test_creation_and_change_are_two_windows(app: App) -> None:
    start = app.clock.now()
    order = await app.buy("RED-CLOCK")
    await app.clock.advance(100)
    await app.control(f"orders/{order}/fulfil")
    await app.clock.advance(1)
    early, late = (start, start + 10 * SECOND), (start + 90 * SECOND, app.clock.now())

    assert len(await app.orders(filter=window("creationdate", *early))) == 1
    assert len(await app.orders(filter=window("creationdate", *late))) == 0
    assert len(await app.orders(filter=window("lastmodifieddate", *early))) == 0
    assert len(await app.orders(filter=window("lastmodifieddate", *late))) == 1


async def test_with_both_windows_the_one_of_changes_means_nothing(app: App) -> None:
    start = app.clock.now()
    await app.buy("RED-CLOCK")
    await app.clock.advance(100)
    both = [window("creationdate", start, start + SECOND), window("lastmodifieddate", start + 50 * SECOND, None)]

    assert len(await app.orders(filter=",".join(both))) == 1


async def test_orders_are_found_by_how_far_they_have_shipped(app: App) -> None:
    shipped, waiting = await app.buy("RED-CLOCK"), await app.buy("RED-CLOCK")
    await app.control(f"orders/{shipped}/fulfil")

    open_ones = await app.orders(filter="orderfulfillmentstatus:{NOT_STARTED|IN_PROGRESS}")
    done = await app.orders(filter="orderfulfillmentstatus:{FULFILLED|IN_PROGRESS}")

    assert [order["orderId"] for order in open_ones] == [waiting]
    assert [order["orderId"] for order in done] == [shipped]


async def test_without_a_filter_90_days_are_shown(app: App) -> None:
    await app.buy("RED-CLOCK")
    await app.clock.advance(91 * 86_400)
    await app.sign_in()

    assert await app.orders() == []
    assert len(await app.orders(filter=window("creationdate", app.clock.now() - timedelta(days=92), None))) == 1


@pytest.mark.parametrize(
    ("filter_text", "error"),
    [
        ("lastmodifieddate:[..2026-11-22T11:00:00.000Z]", 30820),
        ("lastmodifieddate:[2026-11-22T11:00:00.000Z..2026-11-22T10:00:00.000Z]", 30840),
        ("lastmodifieddate:[2026-11-22T11:00:00.000Z..2026-11-22T12:00:00.251Z]", 30850),
        ("creationdate:[2026-11-23T11:00:00.000Z..]", 30850),
        ("creationdate:[2024-11-20T11:00:00.000Z..]", 30830),
        ("creationdate:[2026-11-22T11:00:00.000..]", 30810),
        ("creationdate:[2026-11-22T11:00:00+01:00..]", 30810),
        ("creationdate:[yesterday..]", 30810),
        ("creationdate:[2026-13-45T11:00:00.000Z..]", 30810),
        ("creationdate:2026-11-22T11:00:00.000Z", 30800),
        ("creationdate:{NOT_STARTED|IN_PROGRESS}", 30800),
        ("orderfulfillmentstatus:{NOT_STARTED}", 30800),
        ("orderfulfillmentstatus:{FULFILLED|NOT_STARTED}", 30800),
        ("modificationdate:[2026-11-22T11:00:00.000Z..]", 30700),
        ("everything", 30700),
    ],
)
async def test_each_fault_of_a_filter_has_its_error(app: App, filter_text: str, error: int) -> None:
    assert error_id(await app.call("GET", ORDER, filter=filter_text)) == (400, error)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"limit": "201"}, 31100),
        ({"limit": "0"}, 31100),
        ({"limit": "many"}, 31100),
        ({"offset": "-1"}, 31000),
        ({"offset": "two"}, 31000),
        ({"fieldGroups": "EVERYTHING"}, 32800),
        ({"orderIds": ",".join(f"01-00000-{at:05d}" for at in range(51))}, 30900),
    ],
)
async def test_each_fault_of_a_page_has_its_error(app: App, query: dict[str, Any], error: int) -> None:
    assert error_id(await app.call("GET", ORDER, **query)) == (400, error)


async def test_200_a_page_is_not_too_many(app: App) -> None:
    assert (await app.call("GET", ORDER, limit=200)).status_code == 200


async def test_ids_override_everything_and_leave_strangers_out(app: App) -> None:
    orders = await five_orders(app)
    wanted = f"{orders[3]},00-00000-00000,{orders[1]}"

    found = await app.orders(orderIds=wanted, filter="nonsense", limit=999)

    assert [order["orderId"] for order in found] == [orders[3], orders[1]]


async def test_an_order_shows_up_after_the_indexs_lag(opened: Opened) -> None:
    app = await opened.app(index_lag_s=60.0)
    order = await app.buy("RED-CLOCK")

    at_once = [await app.orders(), await app.orders(orderIds=order)]
    alone = await app.call("GET", f"{ORDER}/{order}")
    await app.clock.advance(60)
    later = await app.orders()

    assert at_once == [[], []]
    assert error_id(alone) == (404, 32100)
    assert [one["orderId"] for one in later] == [order]


async def test_a_change_moves_the_order_in_the_index_after_its_lag(opened: Opened) -> None:
    app = await opened.app(index_lag_s=60.0)
    order = await app.buy("RED-CLOCK")
    await app.clock.advance(60)
    changed_at = app.clock.now()
    await app.control(f"orders/{order}/cancel")
    await app.clock.advance(1)
    news = window("lastmodifieddate", changed_at, app.clock.now())

    at_once, alone = await app.orders(filter=news), await app.order(order)
    await app.clock.advance(60)
    later = await app.orders(filter=news)

    assert (at_once, len(later)) == ([], 1)
    assert alone["lastModifiedDate"] == stamp(changed_at)

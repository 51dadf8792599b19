"""How a search finds orders: late, in pages, by what changed since."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import perf_counter

from adapters.shopify.sandbox import ItemSeed
from adapters.shopify.sandbox.order_index import OrderIndex
from tests.unit.shopify_sandbox.documents import ORDERS
from tests.unit.shopify_sandbox.kit import NOON, App, Opened, a_seed


async def names(app: App, query: str | None = None) -> list[str]:
    found = await app.data(ORDERS, first=250, query=query)
    return [one["name"] for one in found["orders"]["nodes"]]


async def test_instants_have_whole_seconds(app: App) -> None:
    order = await app.buy("RED-CLOCK")

    assert (await app.read_order(order))["createdAt"] == "2026-11-22T12:00:00Z"


async def test_a_search_learns_of_an_order_later_than_a_lookup(opened: Opened) -> None:
    app = await opened.app(a_seed(index_lag_s=20.0))
    order = await app.buy("RED-CLOCK")

    at_once = await names(app)
    looked_up = await app.read_order(order)
    await app.clock.advance(20)

    assert at_once == []
    assert looked_up["name"] == "#1001"
    assert await names(app) == ["#1001"]


async def test_a_change_not_yet_indexed_is_found_under_its_former_update(opened: Opened) -> None:
    app = await opened.app(a_seed(index_lag_s=20.0))
    order = await app.buy("RED-CLOCK")
    await app.clock.advance(60)
    await app.control(f"orders/{order}/cancel")
    since = "updated_at:>='2026-11-22T12:00:30Z'"

    early = await names(app, since)
    whole = await app.data(ORDERS, first=1)
    await app.clock.advance(20)

    assert early == []
    assert whole["orders"]["nodes"][0]["cancelledAt"] is not None  # found by the old entry, shown as it is now
    assert await names(app, since) == ["#1001"]


async def test_an_update_filter_finds_what_changed_since(app: App) -> None:
    first = await app.buy("RED-CLOCK")
    await app.clock.advance(10)
    await app.buy("RED-CLOCK")
    await app.clock.advance(10)
    await app.control(f"orders/{first}/fulfil")

    assert await names(app, "updated_at:>='2026-11-22T12:00:10Z'") == ["#1002", "#1001"]
    assert await names(app, "updated_at:>'2026-11-22T12:00:10Z'") == ["#1001"]
    assert await names(app, "updated_at:>='2026-11-22T12:00:00Z' AND updated_at:<'2026-11-22T12:00:15Z'") == ["#1002"]
    assert await names(app, "created_at:>='2026-11-22T12:00:05Z'") == ["#1002"]


async def test_orders_are_filtered_by_status_and_name(app: App) -> None:
    first = await app.buy("RED-CLOCK")
    await app.buy("BLUE-CLOCK")
    await app.control(f"orders/{first}/cancel")

    assert sorted(await names(app)) == ["#1001", "#1002"]
    assert await names(app, "status:open") == ["#1002"]
    assert await names(app, "status:cancelled") == ["#1001"]
    assert await names(app, "name:#1002") == ["#1002"]
    assert await names(app, f"id:{first}") == ["#1001"]
    assert await names(app, f"id:>{first}") == ["#1002"]
    assert await names(app, "sku:'BLUE-CLOCK'") == ["#1002"]


async def test_a_query_that_the_sandbox_cannot_read_is_refused(app: App) -> None:
    answers = [await app.ask(ORDERS, first=1, query=query) for query in ("tag:gift OR tag:wrap", "updated_at:>=12:00")]

    assert [one["errors"][0]["extensions"]["code"] for one in answers] == ["SANDBOX_LIMIT", "SANDBOX_LIMIT"]


async def test_pages_hold_every_order_once(opened: Opened) -> None:
    app = await opened.app(a_seed(items=(ItemSeed("RED-CLOCK", quantity=1000),)))
    for number in range(23):
        await app.buy("RED-CLOCK")
        if number % 3 == 0:
            await app.clock.advance(1)

    seen: list[str] = []
    after: str | None = None
    more = True
    while more:
        page = (await app.data(ORDERS, first=5, after=after))["orders"]
        seen += [one["name"] for one in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert seen == [f"#{1001 + number}" for number in range(23)]


async def test_an_order_changed_while_pages_are_read_comes_again_at_the_end(app: App) -> None:
    orders = []
    for _ in range(4):
        orders.append(await app.buy("RED-CLOCK"))
        await app.clock.advance(1)
    first = (await app.data(ORDERS, first=2))["orders"]

    await app.control(f"orders/{orders[0]}/fulfil")
    rest = (await app.data(ORDERS, first=5, after=first["pageInfo"]["endCursor"]))["orders"]

    assert [one["name"] for one in rest["nodes"]] == ["#1003", "#1004", "#1001"]


async def test_a_cursor_is_good_for_its_own_search_only(app: App) -> None:
    await app.buy("RED-CLOCK")
    cursor = (await app.data(ORDERS, first=1))["orders"]["pageInfo"]["endCursor"]

    answer = await app.ask(ORDERS, first=1, after=cursor, query="status:open")
    nonsense = await app.ask(ORDERS, first=1, after="nonsense")

    assert answer["errors"][0]["message"] == "Invalid cursor for current pagination sort."
    assert nonsense["errors"][0]["message"] == "Invalid cursor for current pagination sort."


async def test_the_default_order_is_by_age_and_can_be_reversed(app: App) -> None:
    first = await app.buy("RED-CLOCK")
    await app.buy("RED-CLOCK")
    await app.clock.advance(5)
    await app.control(f"orders/{first}/fulfil")

    by_age = await app.data("{ orders(first: 5) { nodes { name } } }")
    newest = await app.data("{ orders(first: 1, sortKey: UPDATED_AT, reverse: true) { nodes { name } } }")

    assert [one["name"] for one in by_age["orders"]["nodes"]] == ["#1001", "#1002"]
    assert [one["name"] for one in newest["orders"]["nodes"]] == ["#1001"]


async def test_orders_of_the_last_sixty_days_only_without_a_further_scope(opened: Opened) -> None:
    app = await opened.app(a_seed(scopes=("read_orders",)))
    order = await app.buy("RED-CLOCK")
    await app.clock.advance(61 * 86_400)

    assert await names(app) == []
    assert await app.read_order(order) is None


async def test_older_orders_are_shown_with_it(app: App) -> None:
    order = await app.buy("RED-CLOCK")
    await app.clock.advance(61 * 86_400)

    assert await names(app) == ["#1001"]
    assert await app.read_order(order) is not None


def test_a_poll_of_a_long_history_touches_only_its_page() -> None:
    index = OrderIndex()
    start = NOON.replace(microsecond=0)
    for number in range(100_000):
        index.note(number, start + timedelta(seconds=number), start)
    index.catch_up(start)
    since = start + timedelta(seconds=99_990)

    began = perf_counter()
    pages = [[entry[1] for entry in index.by_update(None, since)] for _ in range(1000)]
    took = perf_counter() - began

    assert pages[0] == list(range(99_990, 100_000))
    assert took < 1.0  # a scan of the history would take minutes


def test_an_older_change_that_is_indexed_late_does_not_undo_a_newer_one() -> None:
    index = OrderIndex()
    index.note(1, NOON, visible_at=NOON + timedelta(seconds=20))
    index.note(1, NOON + timedelta(seconds=5), visible_at=NOON + timedelta(seconds=6))

    index.catch_up(NOON + timedelta(seconds=30))

    entries: list[tuple[datetime, int]] = list(index.by_update(None, None))
    assert entries == [(NOON + timedelta(seconds=5), 1)]

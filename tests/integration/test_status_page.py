"""The status pages on both engines: what they say, to whom they say it again, and what they never tell."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Table, insert

import syncd.web
from syncd.accounts.store import set_state
from syncd.alerts.kinds import KINDS
from syncd.alerts.store import Alert, open_alerts
from syncd.db.database import Database
from syncd.db.tables import cursor, dirty_listing, hold, push_batch, sku_alias
from syncd.insight import at_risk
from syncd.insight.status import COUNTED_TO
from syncd.loops import Job
from syncd.orders.inbox import Arrived, insert_arrived
from tests.support.builders import NOW, Seller, a_seller, an_order
from tests.support.pages import Pages, a_job, serving

PARTS = ("now", "accounts", "stock", "warehouses", "events", "jobs")


@pytest.fixture
def seller(db: Database) -> Seller:
    found = a_seller(db, {"RED-CLOCK": 5, "BLUE-CLOCK": 400}, accounts=("shop", "market"))
    names = [{"normalised_code": code.casefold(), "sku_id": sku_id} for code, sku_id in found.skus.items()]
    db.transact_now(lambda connection: [connection.execute(insert(sku_alias).values(each)) for each in names])
    return found


@pytest.fixture
async def pages(seller: Seller) -> AsyncIterator[Pages]:
    async with serving(seller) as each:
        yield each


def put(pages: Pages, table: Table, **values: object) -> None:
    pages.seller.db.transact_now(lambda connection: connection.execute(insert(table).values(values)))


def alerts(pages: Pages, *found: Alert, minutes_ago: int = 4) -> None:
    pages.seller.db.transact_now(open_alerts, list(found), NOW - timedelta(minutes=minutes_ago))


# --- the verdict ----------------------------------------------------------------------------------------------


async def test_a_quiet_day_is_all_well(pages: Pages) -> None:
    page = await pages.shows()

    assert "<title>syncd</title>" in page
    assert "All is well." in page
    assert "2 accounts live, 0 orders taken in" in page
    assert "Every SKU is green" in page
    assert "None: every unit sold in the last seven days was there." in page
    assert "None: all news from channels could be read." in page


async def test_a_refused_configuration_is_told_with_its_problems(pages: Pages) -> None:
    pages.refused.append("http.port: only a restart changes it <b>")

    page = await pages.shows()

    assert "Look here: one thing needs a person today." in page
    assert "The changed configuration was refused" in page
    assert "http.port: only a restart changes it &lt;b&gt;" in page
    assert "Correct it and reload again" in page

    told = "refused because of http.port: only a restart changes it <b>"
    alerts(pages, Alert("reload_refused:http.port", "reload_refused", "none", told))
    page = await pages.shows()

    assert "Look here: one thing needs a person today." in page, "its alert says the same"
    assert "Refused because of http.port: only a restart changes it &lt;b&gt;" in page


async def test_what_needs_a_person_is_told_worst_first_and_with_what_to_do(pages: Pages) -> None:
    shop = pages.seller.accounts["shop"].account_id
    alerts(pages, Alert("parked_event:1", "parked_event", "none", "an event of shop cannot be read", shop))
    alerts(pages, *(Alert(f"o{n}", "oversold", f"{n} units", f"order {n} <b>", shop) for n in range(5)))

    page = await pages.shows("/status/parts/now")

    assert "Look here: one thing needs a person now." in page
    assert "1 more can wait till later today" in page
    assert "Oversold: 5 cases" in page
    assert "Find the stock and count it in, or cancel the units at the channel." in page
    assert "The newest 3 of them" in page
    assert "Order 4 &lt;b&gt;" in page
    assert page.index("Oversold: 5 cases") < page.index("An event of shop cannot be read")
    assert 'data-title="(2) syncd"' in page


async def test_every_kind_of_alert_brings_words_of_its_own(pages: Pages) -> None:
    alerts(pages, *(Alert(f"{kind}:1", kind, "some", f"{kind} message") for kind in KINDS))

    page = await pages.shows("/status/parts/now")

    assert "Something needs a look" not in page
    for kind in KINDS:
        assert f"details-kind-{kind}" in page, kind


async def test_a_daemon_that_is_stuck_says_so_first(pages: Pages) -> None:
    pages.problems.append("intake has not got round for 60 s")

    assert "syncd cannot do its work: intake has not got round for 60 s" in await pages.shows()


async def test_what_can_wait_leaves_all_well(pages: Pages) -> None:
    pages.seller.db.transact_now(set_state, pages.seller.accounts["shop"].account_id, "paused", NOW)

    page = await pages.shows()

    assert "All well, with something to look at when there is time." in page
    assert "<title>syncd</title>" in page
    assert "syncd resume shop" in page


async def test_orders_that_wait_in_the_inbox_are_told(pages: Pages) -> None:
    arrived = Arrived(pages.seller.accounts["shop"].account_id, "e", "orders/create", "webhook", b"{}")
    pages.seller.db.transact_now(insert_arrived, [arrived], NOW - timedelta(minutes=3))

    assert "Orders wait 3 min to be taken in" in await pages.shows("/status/parts/now")


async def test_a_storm_of_alerts_is_one_thing_to_do(pages: Pages) -> None:
    shop = pages.seller.accounts["shop"].account_id
    storm = [Alert(f"unmapped:{n}", "unmapped", "1 unit", f"order {n}", shop) for n in range(COUNTED_TO + 5)]
    alerts(pages, *storm)
    alerts(pages, Alert("short:1", "short", "1 unit", "1 reserved unit is missing", shop), minutes_ago=900)

    page = await pages.shows("/status/parts/now")

    assert page.count('<p class="soon">') == 2
    assert "10,00" in page
    assert page.index("Reserved stock is missing") < page.index("Sold without a SKU")


async def test_an_account_tells_what_ails_it(pages: Pages) -> None:
    ids = {key: view.account_id for key, view in pages.seller.accounts.items()}
    alerts(pages, Alert(f"auth_expired:{ids['market']}", "auth_expired", "late", "market: 401", ids["market"]))
    pages.seller.db.transact_now(set_state, ids["shop"], "paused", NOW - timedelta(hours=3))

    page = await pages.shows("/status/parts/accounts")
    detail = await pages.shows("/status/accounts/market")

    assert "needs re-authentication" in page
    assert "paused" in page
    assert 'title="2026-11-27 07:00:00 UTC">3 h</time>' in page
    assert "Market: 401." in detail
    assert "shop is paused" in await pages.shows("/status/parts/now")


async def test_an_account_that_is_not_polled_does_not_look_healthy(pages: Pages) -> None:
    ids = {key: view.account_id for key, view in pages.seller.accounts.items()}
    assert (await pages.shows("/status/parts/accounts")).count("live</span>") == 2
    for key, minutes in (("shop", 4), ("market", 40)):
        reached = {"polled_to": NOW - timedelta(minutes=minutes), "moved_at": NOW}
        put(pages, cursor, account_id=ids[key], stream="orders", **reached)

    begins = await pages.shows("/status/parts/accounts")
    late = "the orders of market have not been polled: TimeoutError"
    alerts(pages, Alert(f"polls_late:{ids['market']}", "polls_late", "none", late, ids["market"]), minutes_ago=20)
    page = await pages.shows("/status/parts/accounts")

    assert "live</span>" not in begins
    assert begins.count("polls late</span>") == 2
    assert page.count("polls late</span>") == 1
    assert "not polled</span>" in page
    assert ">20 min</time> ago" in page
    assert "The orders of market have not been polled: TimeoutError." in await pages.shows("/status/accounts/market")
    verdict = await pages.shows("/status/parts/now")
    assert "shop was last asked for orders" in verdict
    assert "market was last asked for orders" not in verdict, "the alert says it"


async def test_an_account_shows_its_last_order_and_push_and_what_drifts(pages: Pages) -> None:
    shop = pages.seller.accounts["shop"].account_id
    pages.seller.takes_in(an_order(order_id="1"), now=NOW - timedelta(minutes=7))
    times = {"created_at": NOW, "sent_at": NOW, "settle_by": NOW, "settled_at": NOW - timedelta(minutes=9)}
    put(pages, push_batch, key="a", account_id=shop, state="settled", **times)
    span = {"kind": "shortfall", "from_at": NOW, "to_at": NOW, "expires_at": NOW, "opened_at": NOW}
    put(pages, hold, listing_id=pages.seller.listings["RED-CLOCK"], quantity=2, **span)

    page = await pages.shows("/status/parts/accounts")
    detail = await pages.shows("/status/accounts/market")

    assert ">7 min</time> ago" in page
    assert ">9 min</time> ago" in page
    assert '<span class="warn strong">1</span>' in page
    assert "Units missing" in detail
    assert "RED-CLOCK" in detail


# --- stock at risk --------------------------------------------------------------------------------------------


async def test_a_sku_that_orders_wait_for_is_red_and_its_oversell_has_a_cause(pages: Pages) -> None:
    pages.seller.takes_in(an_order(order_id="1", quantity=5))
    pages.seller.takes_in(an_order(order_id="2", quantity=2), account="market", way="poll")

    page = await pages.shows()

    assert "Red: 1" in page
    assert "Sold out: orders wait for 2" in page
    assert "1 still open" in page
    assert "The last one had gone to order #1 of shop. We heard of it by poll" in page
    assert "BLUE-CLOCK" not in await pages.shows("/status/parts/stock")


async def test_a_count_that_took_stock_away_is_a_cause_too(pages: Pages) -> None:
    pages.seller.counts("RED-CLOCK", 0, at=NOW - timedelta(hours=1))
    pages.seller.takes_in(an_order(order_id="2", quantity=2))

    assert "A count found less." in await pages.shows("/status/parts/events")


async def test_what_is_low_against_open_orders_is_amber(pages: Pages) -> None:
    pages.seller.takes_in(an_order(order_id="1", quantity=3))

    page = await pages.shows("/status/parts/stock?risk=amber")

    assert "Red: 0" in page
    assert "Amber: 1" in page
    assert "2 left besides 3 in open orders" in page


async def test_what_is_low_in_one_warehouse_alone_is_green(db: Database) -> None:
    stock = {"hamburg": {"RED-CLOCK": 4}, "bremen": {"RED-CLOCK": 50}}
    seller = a_seller(db, stock, warehouses={"hamburg": "own", "bremen": "own"})
    seller.takes_in(an_order(order_id="1", quantity=3))

    assert db.read_now(at_risk.read_at_risk, NOW).amber == ()


async def test_a_listing_that_shows_too_much_for_long_is_told_and_red_when_nothing_is_left(pages: Pages) -> None:
    listing_id = pages.seller.listings["RED-CLOCK"]  # shows 100, as it was read a day ago
    market = pages.seller.accounts["market"].account_id
    due = {"account_id": market, "urgency": 0, "due_at": NOW - timedelta(minutes=30)}
    put(pages, dirty_listing, listing_id=listing_id, since_at=NOW - timedelta(minutes=30), **due)

    assert "market shows 100, 5 may be sold" in await pages.shows("/status/parts/stock?risk=amber")

    pages.seller.counts("RED-CLOCK", 0, at=NOW)

    assert "market shows 100, 0 may be sold" in await pages.shows("/status/parts/stock?risk=red")
    assert "1 sold-out SKU is still on sale: RED-CLOCK" in await pages.shows("/status/parts/now")


async def test_a_number_that_has_just_become_too_high_is_no_risk_yet(pages: Pages) -> None:
    due = {"account_id": pages.seller.accounts["market"].account_id, "urgency": 0, "due_at": NOW}
    put(pages, dirty_listing, listing_id=pages.seller.listings["RED-CLOCK"], since_at=NOW, **due)

    assert "market shows" not in await pages.shows("/status/parts/stock")


async def test_risks_are_paged_worst_first(db: Database) -> None:
    codes = [f"SKU-{n:03}" for n in range(30)]
    seller = a_seller(db, dict.fromkeys(codes, 1))
    for n, code in enumerate(codes):
        seller.takes_in(an_order(order_id=code, sku=code, quantity=2 + n))

    async with serving(seller) as pages:
        first, last = await pages.shows("/status?risk=red"), await pages.shows("/status/parts/stock?risk=red&page=3")
        beyond = await pages.shows("/status/parts/stock?page=999")

    assert first.index("SKU-029") < first.index("SKU-018")
    assert "SKU-017</a>" not in first
    assert "SKU-000" in last
    assert 'id="page-next"' not in last
    assert 'href="/status?risk=red&amp;page=2#at-risk"' in last
    assert "Page 3" in beyond


async def test_any_sku_is_found_by_how_one_of_its_names_begins(pages: Pages) -> None:
    put(pages, sku_alias, normalised_code="zürich 12", sku_id=pages.seller.skus["BLUE-CLOCK"])

    for asked, found in (("blue", "BLUE-CLOCK"), ("ZÜR", "BLUE-CLOCK"), ("RED-C", "RED-CLOCK"), ("100%", None)):
        page = await pages.shows(f"/status/parts/stock?q={quote(asked)}")
        assert (f">{found}</a>" in page) is (found is not None), asked
        assert ("No SKU has a code" in page) is (found is None), asked
    assert 'value="blue"' in await pages.shows("/status?q=blue")


async def test_a_search_goes_on_behind_its_first_page(db: Database) -> None:
    codes = [f"sku-{n:03}" for n in range(30)]
    seller = a_seller(db, dict.fromkeys(codes, 1))
    names = [{"normalised_code": code, "sku_id": sku_id} for code, sku_id in seller.skus.items()]
    db.transact_now(lambda connection: [connection.execute(insert(sku_alias).values(each)) for each in names])
    nothing_wrong = at_risk.AtRisk()

    seen: list[str] = []
    after: str | None = None
    for _ in range(3):
        page = db.read_now(at_risk.search, "SKU-", after, nothing_wrong)
        seen += [row.code for row in page.rows]
        after = page.after

    assert seen == codes
    assert after is None


@pytest.mark.parametrize(
    ("prefix", "behind"), [("ab", "ac"), ("a\U0010ffff", "b"), ("\ud7ff", "\ue000"), ("", "\U0010ffff"), ("z", "{")]
)
def test_a_prefix_ends_where_the_next_one_begins(prefix: str, behind: str) -> None:
    assert at_risk._behind(prefix) == behind


def test_counts_that_end_say_so() -> None:
    def rows(n: int, waiting: int) -> tuple[at_risk.SkuRisk, ...]:
        return tuple(at_risk.SkuRisk(i, str(i), "", 0, 0, 1, 0, waiting) for i in range(n))

    assert at_risk.AtRisk(rows(3, 1), rows(2, 0)).counts == at_risk.RiskCounts(3, 2)
    assert at_risk.AtRisk(rows(at_risk.LOOKED_AT, 1), (), cut=True).counts.red == at_risk.LOOKED_AT + 1


# --- a SKU ----------------------------------------------------------------------------------------------------


async def test_a_sku_shows_where_it_lies_who_holds_it_and_what_each_listing_shows_and_why(pages: Pages) -> None:
    pages.seller.lists("PACK-OF-2", {"RED-CLOCK": 2})
    pages.seller.takes_in(an_order(order_id="7", quantity=3))

    page = await pages.shows("/status/sku?code=red-clock")

    assert "<h1>RED-CLOCK" in page
    assert "#7" in page
    assert f'id="listing-{pages.seller.listings["PACK-OF-2"]}"' in page
    assert "2 pieces a unit" in page
    assert "1 can be made in its warehouses, 1 are free" in page
    assert "hamburg, held" in page
    assert "reservation" in page


async def test_a_sku_or_account_that_is_not_there_is_said_in_words(pages: Pages) -> None:
    for path in ("/status/sku?code=%3Cscript%3E", "/status/sku", "/status/accounts/nobody"):
        status, page, _ = await pages.get(path)
        assert status == 404
        assert "Nothing here." in page
        assert "<script>" not in page


async def test_codes_and_titles_are_escaped_everywhere(db: Database) -> None:
    nasty = "<script>alert('1')</script>&\"/..%2f"
    seller = a_seller(db, {nasty: 1})
    seller.takes_in(an_order(order_id=nasty, sku=nasty, quantity=3))

    async with serving(seller) as pages:
        whole = await pages.shows()
        sku_page = await pages.shows(f"/status/sku?code={quote(nasty, safe='')}")
        account_page = await pages.shows("/status/accounts/shop")

    for page in (whole, sku_page, account_page):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(&#39;1&#39;)" in page


# --- what happened --------------------------------------------------------------------------------------------


async def test_parked_events_tell_why_and_never_what_they_say(pages: Pages) -> None:
    shop = pages.seller.accounts["shop"].account_id
    body = b'{"customer": "Ada Buyer"}'
    pages.seller.db.transact_now(insert_arrived, [Arrived(shop, "e", "orders/create", "webhook", body)], NOW)
    pages.seller.does("UPDATE inbox SET state = 'parked', reason = 'no line has a quantity', attempts = 3")

    page = await pages.shows("/status/parts/events")

    assert "orders/create of shop, by webhook" in page
    assert "No line has a quantity. Tried 3 times." in page
    assert "Ada" not in page


async def test_decisions_are_told_in_words(pages: Pages) -> None:
    pages.seller.takes_in(an_order(order_id="1", quantity=7))

    page = await pages.shows("/status/parts/events")

    assert "order allocated" in page
    assert "5 from hamburg, 2 found no stock" in page


async def test_jobs_tell_when_they_ran_and_how_it_ended(pages: Pages) -> None:
    async def fail() -> None:
        raise ValueError("not to be shown")

    tidy, poll, broken = pages.jobs.watch([a_job(), a_job("poll", 60.0), Job("broken", 30.0, fail)])
    await tidy.run()
    with pytest.raises(ValueError, match="not to be shown"):
        await broken.run()

    page = await pages.shows()

    assert poll.name in page
    assert "not yet due" in page
    assert "1 failing" in page
    assert "The job broken fails (ValueError)" in page
    assert "not to be shown" not in page
    assert [(run.name, run.rounds, run.failed) for run in pages.jobs.runs()] == [
        ("broken", 1, "ValueError"),
        ("poll", 0, None),
        ("tidy", 1, None),
    ]


async def test_no_page_tells_who_bought(pages: Pages) -> None:
    pages.seller.takes_in(an_order(order_id="1", quantity=9))
    paths = ["/status", "/status/accounts/shop", "/status/sku?code=RED-CLOCK"]

    for path in [*paths, *(f"/status/parts/{part}" for part in PARTS)]:
        page = await pages.shows(path)
        for told in ("Ada", "Buyer", "Main Street", "20095"):
            assert told not in page, (path, told)


# --- over the wire --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
async def test_what_has_not_changed_is_not_sent_again(pages: Pages, part: str) -> None:
    pages.seller.takes_in(an_order(order_id="1", quantity=7))
    pages.jobs.watch([a_job()])
    _, _, headers = await pages.get(f"/status/parts/{part}")
    pages.clock.at += timedelta(seconds=40)  # before the job is due, which the page would tell

    status, body, again = await pages.get(f"/status/parts/{part}", If_None_Match=headers["ETag"])

    assert (status, body) == (304, "")
    assert again["Syncd-Now"] == "2026-11-27T10:00:40+00:00"
    assert again["Cache-Control"] == "private, no-cache"


async def test_what_has_changed_is_sent(pages: Pages) -> None:
    _, _, headers = await pages.get("/status/parts/stock")
    pages.seller.takes_in(an_order(order_id="1", quantity=7))

    status, body, _ = await pages.get("/status/parts/stock", If_None_Match=headers["ETag"])

    assert status == 200
    assert "Red: 1" in body


async def test_the_policy_lets_nothing_foreign_and_nothing_inline_in(pages: Pages) -> None:
    _, page, headers = await pages.get("/status")

    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page
    assert page.count("<script") == page.count("<script defer src=") == 2
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


async def test_a_head_request_is_answered_like_a_get_without_its_body(pages: Pages) -> None:
    for path in ("/status", "/status/parts/now", "/status/sku?code=RED-CLOCK", "/static/status.css"):
        async with pages.client.head(path, headers={"Accept": "text/html"}) as answer:
            assert answer.status == 200, path
            assert "ETag" in answer.headers
            assert await answer.read() == b""


async def test_style_and_scripts_are_cached_for_as_long_as_they_are_the_same(pages: Pages) -> None:
    page = await pages.shows()
    link = page.split('rel="stylesheet" href="')[1].split('"')[0]

    _, css, named = await pages.get(link)
    _, _, bare = await pages.get("/static/status.css")
    status, _, _ = await pages.get("/static/status.css", If_None_Match=bare["ETag"])

    assert ":root" in css
    assert "immutable" in named["Cache-Control"]
    assert bare["Cache-Control"] == "no-cache"
    assert status == 304
    assert (await pages.get("/static/VENDOR"))[0] == 404
    assert (await pages.get("/static/..%2fpage.py"))[0] == 404


async def test_a_part_that_is_none_is_not_found(pages: Pages) -> None:
    assert (await pages.get("/status/parts/nonsense"))[0] == 404


async def test_a_state_that_cannot_be_read_is_told_on_every_page(pages: Pages) -> None:
    pages.seller.db.close()

    for path in ("/status", "/status/accounts/shop", "/status/sku?code=x"):
        status, page, _ = await pages.get(path)
        assert status == 503
        assert "The state cannot be shown." in page
        assert "DatabaseClosed" in page
    assert (await pages.get("/status/parts/now"))[0] == 503


async def test_many_viewers_cost_one_reading(seller: Seller) -> None:
    async with serving(seller, fresh_s=60.0) as pages:
        before = await pages.shows("/status/parts/stock")
        seller.takes_in(an_order(order_id="1", quantity=7))

        assert await pages.shows("/status/parts/stock") == before


def test_the_vendored_script_is_the_one_that_is_declared() -> None:
    vendor = Path(syncd.web.__file__).parent / "static" / "vendor"
    digest = hashlib.sha256((vendor / "htmx.min.js").read_bytes()).hexdigest()

    declared = (vendor / "VENDOR").read_text()

    assert f"sha256    {digest}" in declared
    assert "2.0.11" in declared
    assert (vendor / "htmx.LICENSE").is_file()

"""The status page in a real browser: no complaint, live, at home on a phone and in the dark, and readable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from syncd.db.tables import sku_alias
from tests.support.browser import CHROMIUM, Tab, a_tab
from tests.support.builders import a_database, a_seller, an_order
from tests.support.pages import Pages, a_job, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed: apt install chromium"),
]

# Every text of the page against what lies behind it: the worst contrast, and the text that has it.
WORST_CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const part = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = rgba(getComputedStyle(each).backgroundColor);
      if (color[3] === 255) return color;
    }
    return rgba(matchMedia("(prefers-color-scheme: dark)").matches ? "black" : "white");
  };
  let worst = [99, ""];
  let seen = 0;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.closest("noscript, script")) continue;
    seen += 1;
    const [a, b] = [luminance(rgba(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, texts.currentNode.data.trim()];
  }
  return [...worst, seen];
})()"""

TOO_WIDE = """[...document.querySelectorAll("body *")]
  .filter((each) => each.checkVisibility() && !each.closest(".unseen, thead, .skip"))
  .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
  .map((each) => each.outerHTML.slice(0, 120))"""


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    """A seller with something of everything that the page can show."""
    with a_database("sqlite", tmp_path) as db:
        stock = {
            "RED-CLOCK": 5,
            "BLUE-CLOCK": 9,
            "GREEN-CLOCK": 400,
            "A-CODE-OF-A-MAKER-WHO-LOVES-LONG-CODES-0000001": 3,
        }
        seller = a_seller(db, stock, accounts=("main-shop", "a-marketplace-with-a-long-name"))
        names = [{"normalised_code": code.casefold(), "sku_id": sku_id} for code, sku_id in seller.skus.items()]
        db.transact_now(lambda connection: [connection.execute(insert(sku_alias).values(each)) for each in names])
        seller.takes_in(an_order(order_id="1", quantity=5), account="main-shop")
        seller.takes_in(an_order(order_id="2", quantity=2), account="a-marketplace-with-a-long-name", way="poll")
        seller.takes_in(an_order(order_id="3", sku="BLUE-CLOCK", quantity=6), account="main-shop")
        seller.takes_in(an_order(order_id="4", sku="NOBODY-KNOWS-IT"), account="main-shop")
        async with serving(seller) as each:
            each.jobs.watch([a_job(), a_job("poll:a-marketplace-with-a-long-name", 120.0)])
            yield each


@pytest.fixture
async def tab() -> AsyncIterator[Tab]:
    async with a_tab() as each:
        yield each


def paths(pages: Pages) -> list[str]:
    return [
        f"{pages.address}{path}" for path in ("/status", "/status/accounts/main-shop", "/status/sku?code=RED-CLOCK")
    ]


async def test_every_page_loads_without_a_complaint_and_fits_and_can_be_read(pages: Pages, tab: Tab) -> None:
    for url in paths(pages):
        for width, dark in ((320, False), (390, True), (1360, False), (1360, True)):
            await tab.looks(width, 900, dark=dark, phone=width < 700)
            await tab.open(url)

            assert await tab.tells("document.documentElement.scrollWidth <= innerWidth"), (url, width)
            assert await tab.tells(TOO_WIDE) == [], (url, width)
            ratio, text, seen = await tab.tells(WORST_CONTRAST)
            assert seen > 30
            assert ratio >= 4.5, (url, dark, text)
    assert tab.complaints == []


async def test_the_page_follows_what_happens_without_a_reload(pages: Pages, tab: Tab) -> None:
    await tab.open(f"{pages.address}/status")
    await tab.comes_true("document.getElementById('live').dataset.state === 'live'")
    await tab.tells("window.untouched = true")
    assert "GREEN-CLOCK" not in await tab.tells("document.querySelector('#part-stock').innerText")

    pages.seller.takes_in(an_order(order_id="9", sku="GREEN-CLOCK", quantity=401), account="main-shop")

    await tab.comes_true("document.querySelector('#part-stock').innerText.includes('GREEN-CLOCK')")
    await tab.comes_true("document.querySelector('#verdict').innerText.startsWith('Look here')")
    assert await tab.tells("window.untouched === true")
    assert tab.complaints == []


async def test_with_a_token_a_person_logs_in_once_and_the_page_is_live(pages: Pages, tab: Tab) -> None:
    async with serving(pages.seller, token="a-long-token") as locked:
        await tab.knows("a-long-token")
        await tab.open(f"{locked.address}/status")
        await tab.comes_true("document.getElementById('live').dataset.state === 'live'")
        await tab.tells("window.first = document.getElementById('part-now'); true")
        pages.seller.takes_in(an_order(order_id="9", sku="GREEN-CLOCK", quantity=401), account="main-shop")

        await tab.comes_true("document.querySelector('#part-stock').innerText.includes('GREEN-CLOCK')")
        assert await tab.tells("document.getElementById('part-now') !== window.first")
        assert tab.logins == 1


async def test_what_a_person_opened_or_typed_stays(pages: Pages, tab: Tab) -> None:
    await tab.open(f"{pages.address}/status")
    await tab.tells("document.querySelector('#part-now details').open = true")
    await tab.tells("document.getElementById('q').focus()")
    await tab.ask("Input.insertText", text="green")
    await tab.comes_true("document.querySelector('#part-stock tbody')?.innerText.includes('GREEN-CLOCK')")
    await tab.tells("window.first = document.getElementById('part-now'); true")

    pages.seller.takes_in(an_order(order_id="9", sku="BLUE-CLOCK", quantity=9), account="main-shop")

    await tab.comes_true("document.getElementById('part-now') !== window.first")
    assert await tab.tells("document.querySelector('#part-now details').open")
    assert await tab.tells("document.activeElement.id") == "q"
    assert await tab.tells("document.querySelector('#part-stock tbody').rows.length") == 1
    await tab.tells("document.getElementById('tab-amber').click()")
    await tab.comes_true("location.search === '?risk=amber'")


async def test_a_lost_connection_is_said_plainly_and_its_return_too(pages: Pages, tab: Tab) -> None:
    await tab.open(f"{pages.address}/status")
    await tab.comes_true("document.getElementById('live').dataset.state === 'live'")
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}

    await tab.ask("Network.emulateNetworkConditions", offline=True, **offline)
    await tab.comes_true("!document.getElementById('lost').hidden")
    said = await tab.tells("document.getElementById('lost').innerText")
    await tab.ask("Network.emulateNetworkConditions", offline=False, **offline)

    assert "No answer from syncd." in said
    assert "What you see is" in said
    assert "old" in said
    await tab.comes_true("document.getElementById('lost').hidden")


async def test_a_state_that_cannot_be_read_is_told_from_a_lost_connection(pages: Pages, tab: Tab) -> None:
    await tab.open(f"{pages.address}/status")
    await tab.comes_true("document.getElementById('live').dataset.state === 'live'")

    pages.seller.db.close()

    await tab.comes_true("document.getElementById('lost').innerText.includes('cannot show its state')")


async def test_nothing_is_asked_while_nobody_looks(pages: Pages, tab: Tab) -> None:
    await tab.open(f"{pages.address}/status")
    await tab.comes_true("document.getElementById('live').dataset.state === 'live'")
    await tab.tells("""Object.defineProperty(document, "hidden", { value: true, configurable: true });
        window.sent = 0; document.addEventListener("htmx:beforeSend", () => { window.sent += 1; });
        document.dispatchEvent(new Event("visibilitychange"))""")

    await asyncio.sleep(3.0)

    assert await tab.tells("window.sent") == 0
    assert await tab.tells("document.getElementById('live').innerText.startsWith('Paused')")
    await tab.tells("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    await tab.comes_true("window.sent > 0 && document.getElementById('live').dataset.state === 'live'")


async def test_the_dark_page_has_other_colours(pages: Pages, tab: Tab) -> None:
    told = []
    for dark in (False, True):
        await tab.looks(1360, 900, dark=dark)
        await tab.open(f"{pages.address}/status")
        told.append(
            await tab.tells(
                "[document.body, document.querySelector('.card')].map((each) => getComputedStyle(each).backgroundColor)"
            )
        )

    light, night = told
    assert light != night
    assert len({*light, *night}) == 4


async def test_the_page_works_without_a_script(pages: Pages, tab: Tab) -> None:
    await tab.ask("Emulation.setScriptExecutionDisabled", value=True)
    await tab.open(f"{pages.address}/status?q=blue")

    document = await tab.ask("DOM.getDocument", depth=-1)
    page = (await tab.ask("DOM.getOuterHTML", nodeId=document["root"]["nodeId"]))["outerHTML"]

    assert "BLUE-CLOCK</a>" in page
    assert 'http-equiv="refresh"' in page
    assert tab.complaints == []

"""The status page and its JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from syncd.db.database import Database
from syncd.insight.histogram import bucket_of
from syncd.insight.status import COUNTED_TO, Lag
from syncd.web.app import WebDeps
from syncd.web.page_accept import prefers_html
from syncd.web.page_format import counted, duration, number, quantiles
from tests.integration.web.site import BROWSER, Site, seed, serve


async def test_the_front_door_leads_to_the_status_page(site: Site) -> None:
    status, _, headers = await site.get("/")

    assert (status, headers["Location"]) == (302, "/status")


@pytest.mark.parametrize(
    ("path", "accept", "html"),
    [
        ("/status", "*/*", False),
        ("/status", "application/json", False),
        ("/status", BROWSER, True),
        ("/status?format=json", BROWSER, False),
        ("/status?format=html", "*/*", True),
    ],
)
async def test_whoever_asks_gets_the_form_they_want(site: Site, path: str, accept: str, html: bool) -> None:
    status, told, headers = await site.get(path, accept)

    assert status == 200
    assert headers["Content-Type"].startswith("text/html" if html else "application/json")
    assert headers["Vary"] == "Accept"
    assert told.startswith("<!doctype html>") is html


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("", False),
        ("text/html", True),
        ("text/*", True),
        ("TEXT/HTML;q=0.5, application/json;q=0.4", True),
        ("text/html;q=0.5, application/json", False),
        ("text/html, application/json", False),
        ("text/html;q=0, */*", False),
        ("text/html;q=nonsense", False),
        ("application/json, */*;q=0.1", False),
    ],
)
def test_html_is_for_those_who_prefer_it(accept: str, html: bool) -> None:
    assert prefers_html(accept) is html


async def test_the_json_tells_the_state_and_the_version(site: Site) -> None:
    _, told, _ = await site.get("/status")

    state = json.loads(told)
    assert (state["version"], state["started_at"]) == ("1.2.3", "2026-11-27T08:00:00Z")
    assert [account["key"] for account in state["accounts"]] == ["retired", "shop"]


async def test_the_page_shows_what_matters(site: Site) -> None:
    seed(site)

    _, page, _ = await site.get("/status", BROWSER)

    for shown in (
        "<title>(2) syncd</title>",
        "Oversold: 7 cases",
        "shop was last asked for orders 20 min ago",
        "12,429",
        "388 by poll",
        "21,460",
        "late",
        "not configured",
        "Someone at FBA waits.",
        "Back room",
    ):
        assert shown in page, shown


async def test_the_page_escapes_what_it_did_not_write(site: Site) -> None:
    seed(site)

    _, page, _ = await site.get("/status", BROWSER)

    assert "Order &lt;script&gt;6&lt;/script&gt;" in page
    assert "<script>6" not in page


async def test_an_empty_installation_has_a_page_too(db: Database, deps: WebDeps) -> None:
    db.transact_now(lambda connection: [connection.execute(text(f"DELETE FROM {t}")) for t in ("pool", "account")])

    async for site in serve(deps):
        status, page, _ = await site.get("/status", BROWSER)

        assert status == 200
        assert "All is well." in page
        assert "No account yet: describe one in the configuration" in page


@pytest.mark.parametrize(("accept", "begins"), [("*/*", "{"), (BROWSER, "<!doctype html>")])
async def test_a_state_that_cannot_be_read_is_told(site: Site, accept: str, begins: str) -> None:
    site.db.close()

    with capture_logs() as logs:
        status, told, headers = await site.get("/status", accept)
        await site.get("/status", accept)

    assert status == 503
    assert told.startswith(begins)
    assert "the database cannot be read (DatabaseClosed)" in told
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert [log["event"] for log in logs] == ["status.unreadable"]


async def test_many_viewers_cost_one_read(deps: WebDeps) -> None:
    async for site in serve(replace(deps, fresh_s=60.0)):
        await site.get("/status")
        seed(site)

        _, told, _ = await site.get("/metrics")

        assert "12041" not in told


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "never"), (0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (7199, "1 h"), (86_400 * 5, "5 d")],
)
def test_ages_are_rough(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "1.0 ms"), (0.4, "410 ms"), (2.0, "2.0 s"), (42.0, "43 s"), (300.0, "5.3 min"), (9000.0, "2.7 h")],
)
def test_lags_have_two_digits(seconds: float, shown: str) -> None:
    assert quantiles(Lag({bucket_of(seconds): 3})) == f"{shown} / {shown}"


def test_a_count_that_ended_early_says_so_and_a_total_never_ends() -> None:
    assert [counted(n) for n in (0, 480, COUNTED_TO, COUNTED_TO + 1)] == ["0", "480", "10,000", "10,000+"]
    assert (counted(), counted(5, 6), counted(5, COUNTED_TO + 1)) == ("0", "11", "10,005+")
    assert number(COUNTED_TO + 1) == "10,001"

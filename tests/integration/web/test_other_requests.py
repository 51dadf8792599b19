"""What nobody should ask for, and what is logged of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from adapters.contract import RawEvent
from syncd.web.app import WebDeps
from tests.integration.web.site import BROWSER, Site, serve
from tests.support.fake_channel import FakeChannel


async def test_an_unknown_page_is_not_found(site: Site) -> None:
    status, told, headers = await site.get("/admin/<b>", BROWSER)

    assert (status, json.loads(told)) == (404, {"error": "not found"})
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Server"] == "syncd"


async def test_a_webhook_is_posted_and_nothing_else(site: Site) -> None:
    status, told, headers = await site.get("/webhooks/shop")

    assert (status, json.loads(told)) == (405, {"error": "method not allowed"})
    assert headers["Allow"] == "POST"


class Broken(FakeChannel):
    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> RawEvent:
        raise RuntimeError("the adapter has a bug")


async def test_our_own_mistake_tells_nothing_of_our_insides(deps: WebDeps) -> None:
    broken = replace(deps, accounts={"shop": (deps.accounts["shop"][0], Broken())})
    async for site in serve(broken):
        with capture_logs() as logs:
            status, told, _ = await site.deliver()

        assert (status, told) == (500, {"error": "syncd failed to answer; its log has the details"})
        assert [(log["event"], log["route"]) for log in logs] == [("request.failed", "/webhooks/{account}")]
        assert site.rows() == []


@pytest.mark.parametrize("wanted", [False, True])
async def test_requests_are_logged_for_those_who_want_it(deps: WebDeps, wanted: bool) -> None:
    with capture_logs() as logs:
        async for site in serve(replace(deps, log_requests=wanted)):
            await site.deliver()
            await site.get("/status?token=hush")
            await site.get("/nowhere/hush")

    assert [(log["event"], log["method"], log["route"], log["status"]) for log in logs] == wanted * [
        ("request.answered", "POST", "/webhooks/{account}", 200),
        ("request.answered", "GET", "/status", 200),
        ("request.answered", "GET", "unknown", 404),
    ]

"""Page, metrics and API are for whoever holds the token, or without one for this machine alone."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest
from aiohttp import web

from syncd.web.app import WebDeps
from tests.integration.web.site import BROWSER, Site, serve

TOKEN = "sécret:of-the-page"
GUARDED = (
    "/status",
    "/status?format=json",
    "/status/parts/now",
    "/status/parts/stock?q=red",
    "/status/parts/nothing",
    "/status/accounts/shop",
    "/status/accounts/nobody",
    "/status/sku?code=RED-CLOCK",
    "/metrics",
    "/api/v1/stock",
    "/api/v1/openapi.json",
)
OPEN = ("/healthz", "/readyz", "/static/status.css")


@pytest.fixture
async def locked(deps: WebDeps) -> AsyncIterator[Site]:
    async for each in serve(replace(deps, api_token=TOKEN)):
        yield each


async def asks(site: Site, path: str, headers: Mapping[str, str], accept: str = "*/*") -> tuple[int, str, str]:
    """(status, what is told, which login is offered)."""
    async with site.client.get(path, headers={"Accept": accept, **headers}) as answer:
        return answer.status, await answer.text(), answer.headers.get("WWW-Authenticate", "")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(told: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(told.encode()).decode()}"}


@pytest.mark.parametrize("path", GUARDED)
async def test_with_a_token_nobody_reads_without_it(locked: Site, path: str) -> None:
    for headers in ({}, bearer("wrong"), basic("syncd:wrong"), basic(TOKEN), {"Authorization": "Basic %%%"}, basic("")):
        status, told, offered = await asks(locked, path, headers)
        assert status == 401, headers
        assert "api_token_secret" in told
        assert TOKEN not in told
        assert offered == ('Bearer realm="syncd"' if "/api/" in path else 'Basic realm="syncd", charset="UTF-8"')


@pytest.mark.parametrize("headers", [bearer(TOKEN), basic(f"anybody:{TOKEN}"), basic(f":{TOKEN}")])
async def test_the_token_opens_everything_as_a_bearers_or_as_a_password(locked: Site, headers: dict[str, str]) -> None:
    found = {path: (await asks(locked, path, headers))[0] for path in GUARDED}

    missing = {"/status/parts/nothing", "/status/accounts/nobody", "/status/sku?code=RED-CLOCK"}
    assert found == {path: 404 if path in missing else 200 for path in GUARDED}


async def test_the_token_opens_to_who_comes_through_a_proxy_too(locked: Site) -> None:
    status, _, _ = await asks(locked, "/status", basic(f"x:{TOKEN}") | {"X-Forwarded-For": "203.0.113.9"}, BROWSER)

    assert status == 200


@pytest.mark.parametrize("path", GUARDED)
async def test_without_a_token_only_this_machine_reads(site: Site, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here, _, _ = await asks(site, path, {})
    by_proxy, _, _ = await asks(site, path, {"X-Forwarded-For": "203.0.113.9"})
    by_foreign_page, _, _ = await asks(site, path, {"Host": "rebound.example.com"})
    monkeypatch.setattr(web.Request, "remote", "192.168.1.7")
    status, told, offered = await asks(site, path, {})

    assert here in (200, 404)
    assert (by_proxy, by_foreign_page, status) == (403, 403, 403)
    assert 'api_token_secret = "SYNCD_API_TOKEN" under [http]' in json.loads(told)["remedy"]
    assert offered == ""


async def test_a_browser_is_told_on_a_page_that_gives_nothing_away(
    locked: Site, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, login, offered = await asks(locked, "/status", {}, BROWSER)
    monkeypatch.setattr(web.Request, "remote", "192.168.1.7")
    refused, plain, _ = await asks(site, "/status", {}, BROWSER)

    assert (wanted, refused) == (401, 403)
    assert offered.startswith("Basic ")
    assert "This page wants the token." in login
    assert "This page is for this machine alone." in plain
    for page in (login, plain):
        assert "api_token_secret" in page
        assert "1.2.3" not in page
        assert "shop" not in page


@pytest.mark.parametrize("path", OPEN)
async def test_what_tells_no_business_is_open_to_all(
    locked: Site, site: Site, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web.Request, "remote", "192.168.1.7")

    assert (await asks(locked, path, {}))[0] == 200
    assert (await asks(site, path, {}))[0] == 200


async def test_webhooks_come_from_anywhere_and_without_the_token(locked: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.Request, "remote", "203.0.113.9")

    assert (await locked.deliver())[0] == 200
    assert len(locked.rows()) == 1

"""Who gets in: three grants, tokens that live two hours, scopes and kinds of holders."""

from __future__ import annotations

import pytest

from adapters.ebay.sandbox.seed import BASE_SCOPE, INVENTORY_SCOPE
from tests.contract.ebay_sandbox.kit import INVENTORY, NOTIFICATION, ORDER, TOKEN_PATH, App, Opened, error_id


async def test_a_refresh_token_gives_an_access_token_and_stays_the_same(app: App) -> None:
    first = await app.ask_token(grant_type="refresh_token", refresh_token=app.seed.refresh_token)
    again = await app.ask_token(grant_type="refresh_token", refresh_token=app.seed.refresh_token)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["access_token"] != again.json()["access_token"]
    told = {name: value for name, value in first.json().items() if name != "access_token"}
    assert told == {"expires_in": 7200, "token_type": "User Access Token"}


async def test_a_wrong_refresh_token_is_an_invalid_grant(app: App) -> None:
    answer = await app.ask_token(grant_type="refresh_token", refresh_token="v^1.1#revoked")

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"
    assert answer.json()["error_description"]


async def test_a_wrong_secret_is_an_invalid_client(app: App) -> None:
    answer = await app.http.post(TOKEN_PATH, data={"grant_type": "client_credentials"}, auth=("sandbox-client-id", "x"))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": INVENTORY_SCOPE}, "invalid_scope"),
        ({"grant_type": "authorization_code", "code": "guessed"}, "invalid_grant"),
    ],
)
async def test_what_was_not_granted_is_refused(app: App, form: dict[str, str], code: str) -> None:
    answer = await app.ask_token(**form)

    assert (answer.status_code, answer.json()["error"]) == (400, code)


async def test_the_consent_code_is_good_once_and_for_its_ru_name_only(opened: Opened) -> None:
    app = await opened.app(authorization_code="the-code")
    form = {"grant_type": "authorization_code", "code": "the-code"}

    elsewhere = await app.ask_token(**form, redirect_uri="another")
    first = await app.ask_token(**form, redirect_uri=app.seed.ru_name)
    again = await app.ask_token(**form, redirect_uri=app.seed.ru_name)

    assert [elsewhere.status_code, first.status_code, again.status_code] == [400, 200, 400]
    assert first.json()["refresh_token"] == app.seed.refresh_token
    assert first.json()["refresh_token_expires_in"] == 47_304_000


async def test_an_access_token_dies_after_two_hours(app: App) -> None:
    await app.clock.advance(7199)
    before = await app.call("GET", ORDER)
    await app.clock.advance(1)
    after = await app.call("GET", ORDER)

    assert before.status_code == 200
    assert error_id(after) == (401, 1001)


async def test_expired_and_invented_tokens_answer_1001(app: App) -> None:
    await app.control("tokens/expire")
    expired = await app.call("GET", ORDER)
    app.token = "invented"
    invented = await app.call("GET", ORDER)

    assert error_id(expired) == error_id(invented) == (401, 1001)


async def test_a_token_without_the_scope_is_denied(app: App) -> None:
    answer = await app.ask_token(
        grant_type="refresh_token", refresh_token=app.seed.refresh_token, scope=f"{BASE_SCOPE} {INVENTORY_SCOPE}"
    )
    app.token = answer.json()["access_token"]

    orders = await app.call("GET", ORDER)
    items = await app.call("GET", f"{INVENTORY}/inventory_item")

    assert error_id(orders) == (403, 1100)
    assert items.status_code == 200


async def test_the_app_itself_sees_no_orders_and_the_seller_no_public_key(app: App) -> None:
    orders = await app.call("GET", ORDER, as_app=True)
    key = await app.call("GET", f"{NOTIFICATION}/public_key/some-key")

    assert error_id(orders) == error_id(key) == (403, 1100)

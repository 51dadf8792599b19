"""Login with Amazon, access tokens, and each operation's quota."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.amazon_sandbox.kit import LISTINGS, ORDERS, SUMMARIES, US, Account, Opened, a_seed, quantity_patch

SINCE = {"lastUpdatedAfter": "2026-11-22T00:00:00Z"}


async def test_a_refresh_token_buys_an_access_token_for_an_hour(account: Account) -> None:
    granted = (await account.log_in()).json()

    assert granted["access_token"].startswith("Atza|")
    assert (granted["token_type"], granted["expires_in"]) == ("bearer", 3600)
    assert granted["refresh_token"] == account.seed.refresh_token


async def test_a_token_without_a_seller_opens_no_orders(account: Account) -> None:
    granted = await account.log_in(grant_type="client_credentials", scope="sellingpartnerapi::notifications")
    refused = await account.get(ORDERS, **SINCE)

    assert "refresh_token" not in granted.json()
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"refresh_token": "Atzr|stolen"}, 400, "invalid_grant"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_secret": "guessed"}, 401, "invalid_client"),
        ({"client_secret": "gü"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "everything"}, 400, "invalid_scope"),
    ],
)
async def test_a_wrong_login_gets_an_oauth_error(
    account: Account, changes: dict[str, str], status: int, error: str
) -> None:
    answer = await account.log_in(**changes)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


async def test_a_login_that_is_not_a_form_is_not_understood(account: Account) -> None:
    answer = await account.http.post("/auth/o2/token", json={"grant_type": "refresh_token"})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_token_calls_are_counted(account: Account) -> None:
    await account.log_in()

    assert (await account.stats())["requests"]["token"] == 2


async def test_without_a_token_there_is_a_401_and_with_a_bad_one_a_403(account: Account) -> None:
    account.token = ""
    missing = await account.get(ORDERS, **SINCE)
    account.token = "Atza|invented"
    invented = await account.get(ORDERS, **SINCE)

    assert [missing.status_code, invented.status_code] == [401, 403]
    (error,) = invented.json()["errors"]
    assert (error["code"], error["message"]) == ("Unauthorized", "Access to requested resource is denied.")
    assert error["details"] == "The access token you provided is revoked, malformed or invalid."


async def test_a_token_dies_after_an_hour_of_the_sellers_time(account: Account) -> None:
    await account.clock.advance(3599)
    alive = await account.get(ORDERS, **SINCE)
    await account.clock.advance(1)
    dead = await account.get(ORDERS, **SINCE)

    assert [alive.status_code, dead.status_code] == [200, 403]
    assert dead.json()["errors"][0]["details"] == "The access token you provided has expired."


async def test_people_may_let_every_token_expire(account: Account) -> None:
    await account.control("tokens/expire")
    expired = (await account.get(ORDERS, **SINCE)).status_code
    await account.log_in()

    assert (expired, (await account.get(ORDERS, **SINCE)).status_code) == (403, 200)


async def test_a_get_with_a_body_is_refused(account: Account) -> None:
    headers = {"x-amz-access-token": account.token}
    answer = await account.http.request("GET", ORDERS, params=SINCE, headers=headers, content=b"{}")

    assert answer.status_code == 400


async def test_another_sellers_listings_stay_shut(account: Account) -> None:
    answer = await account.get("/listings/2021-08-01/items/A2SOMEONEELSE/RED-CLOCK", marketplaceIds=US)

    assert answer.status_code == 403


async def ask(account: Account, operation: str) -> httpx.Response:
    if operation == "searchOrders":
        return await account.get(ORDERS, **SINCE)
    if operation == "getOrder":
        return await account.get(f"{ORDERS}/111-0000000-0000000")
    if operation == "patchListingsItem":
        return await account.patch("RED-CLOCK", quantity_patch(1), mode="VALIDATION_PREVIEW")
    if operation == "getListingsItem":
        return await account.get(f"{LISTINGS}/RED-CLOCK", marketplaceIds=US)
    if operation == "searchListingsItems":
        return await account.get(LISTINGS, marketplaceIds=US)
    if operation == "confirmShipment":
        return await account.confirm("111-0000000-0000000", {})
    place = {"granularityType": "Marketplace", "granularityId": US, "marketplaceIds": US}
    return await account.get(SUMMARIES, **place)


@pytest.mark.parametrize(
    ("operation", "burst", "refill_s"),
    [
        ("searchOrders", 20, 179),
        ("getOrder", 30, 2),
        ("patchListingsItem", 5, 0.2),
        ("getListingsItem", 10, 0.2),
        ("searchListingsItems", 5, 0.2),
        ("getInventorySummaries", 2, 0.5),
        ("confirmShipment", 10, 0.5),
    ],
)
async def test_every_operation_has_its_burst_and_its_rate(
    account: Account, operation: str, burst: int, refill_s: float
) -> None:
    within = [(await ask(account, operation)).status_code for _ in range(burst)]
    beyond = await ask(account, operation)
    await account.clock.advance(refill_s * 0.9)
    too_early = await ask(account, operation)
    await account.clock.advance(refill_s * 0.11)
    refilled = await ask(account, operation)

    assert 429 not in within
    assert [beyond.status_code, too_early.status_code] == [429, 429]
    assert refilled.status_code != 429
    assert (await account.stats())["throttled"] == 2


async def test_a_throttled_call_looks_as_it_was_seen_live(account: Account) -> None:
    for _ in range(2):
        await ask(account, "getInventorySummaries")
    answer = await ask(account, "getInventorySummaries")

    assert answer.json() == {
        "errors": [{"code": "QuotaExceeded", "message": "You exceeded your quota for the requested resource."}]
    }
    assert answer.headers["x-amzn-ErrorType"] == "TooManyRequestsException"
    assert answer.headers["x-amzn-RequestId"]
    assert "x-amzn-RateLimit-Limit" not in answer.headers
    assert "Retry-After" not in answer.headers


async def test_a_success_tells_its_rate_unless_the_header_goes_missing(account: Account) -> None:
    told = await ask(account, "searchOrders")
    await account.control("faults", rate_header_missing=1.0)
    untold = await ask(account, "searchOrders")

    assert told.headers["x-amzn-RateLimit-Limit"] == "0.0056"
    assert "x-amzn-RateLimit-Limit" not in untold.headers


async def test_requests_are_counted_by_operation(opened: Opened) -> None:
    account = await opened.account(a_seed())
    for operation in ("searchOrders", "getListingsItem", "getListingsItem"):
        await ask(account, operation)

    assert (await account.stats())["requests"] == {"token": 1, "searchOrders": 1, "getListingsItem": 2}

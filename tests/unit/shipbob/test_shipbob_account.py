"""Who we are at ShipBob, and the webhooks that bring its news."""

from __future__ import annotations

import httpx
import pytest

from adapters.contract import AuthExpired, Identity, Rejected
from adapters.shipbob import ShipbobWarehouse
from adapters.shipbob.account import SCOPES
from adapters.shipbob.subscriptions import TOPICS
from adapters.subscription import SubscriptionState
from tests.unit.shipbob.doubles import CHANNEL, LOCATION, SECRET, Json, ScriptedAccount, ok, settings
from tests.unit.shopify.doubles import FakeClock, SeededRng

HOOK = "https://syncd.example/hooks/shipbob"


def channels(*ids: int, scopes: tuple[str, ...] = SCOPES, after: str | None = None) -> httpx.Response:
    items = [{"id": one, "name": f"channel-{one}", "scopes": list(scopes)} for one in ids]
    return ok({"items": items, "next": after, "prev": None})


def locations(**flaws: object) -> httpx.Response:
    return ok([{"id": 1, "name": "Elsewhere"}, {"id": LOCATION, "name": "Cicero (IL)", **flaws}])


def hooks(*subscribed: Json) -> httpx.Response:
    return ok({"items": list(subscribed), "next": None, "prev": None})


async def test_a_well_set_up_account_has_nothing_to_warn_of(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script("GET channel", channels(CHANNEL))
    account.script("GET location", locations())

    assert await warehouse.identify() == Identity(f"channel-{CHANNEL}", tuple(sorted(SCOPES)), (), "2026-01", ())


async def test_a_channel_on_a_later_page_is_found(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    account.script("GET channel", channels(1, after="/2026-01/channel?cursor=x"), channels(CHANNEL))
    account.script("GET location", locations())

    assert (await warehouse.identify()).name == f"channel-{CHANNEL}"


async def test_a_channel_that_the_token_does_not_open_is_refused_by_name(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script("GET channel", channels(1, 2))

    with pytest.raises(Rejected, match=f"does not open channel {CHANNEL}; it opens: 1, 2"):
        await warehouse.identify()


async def test_missing_scopes_are_named(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    account.script("GET channel", channels(CHANNEL, scopes=SCOPES[:-1]))
    account.script("GET location", locations())

    assert (await warehouse.identify()).missing_scopes == SCOPES[-1:]


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        ("is_active", "is not active"),
        ("is_shipping_enabled", "does not ship"),
        ("access_granted", "is not open to this account"),
    ],
)
async def test_a_location_that_cannot_work_is_warned_of(
    warehouse: ShipbobWarehouse, account: ScriptedAccount, flaw: str, words: str
) -> None:
    account.script("GET channel", channels(CHANNEL))
    account.script("GET location", locations(**{flaw: False}))

    assert (await warehouse.identify()).warnings == (f"location {LOCATION} {words}",)


async def test_a_location_of_someone_else_is_wrong(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    account.script("GET channel", channels(CHANNEL))
    account.script("GET location", ok([]))

    told = f"location {LOCATION} is not one of this account; it has none that is active"
    assert (await warehouse.identify()).wrongs == (told,)


async def test_a_missing_webhook_secret_is_warned_of(account: ScriptedAccount, clock: FakeClock) -> None:
    given = settings(webhook_secret=None, location_id=None)
    warehouse = ShipbobWarehouse(given, clock, SeededRng(), account.transport)
    account.script("GET channel", channels(CHANNEL))

    (warning,) = (await warehouse.identify()).warnings

    assert "no webhook secret" in warning
    assert len(account.requests) == 1
    await warehouse.close()


async def test_a_refused_token_needs_a_person(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    account.script("GET channel", httpx.Response(401))

    with pytest.raises(AuthExpired):
        await warehouse.identify()


# --- webhooks ------------------------------------------------------------------------------------------------------


async def test_missing_topics_are_subscribed_with_our_secret(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    elsewhere = {"url": "https://other.example", "topics": list(TOPICS), "enabled": True}
    off = {"url": HOOK, "topics": list(TOPICS), "enabled": False}
    account.script("GET webhook", hooks(elsewhere, off, {"url": HOOK, "topics": [TOPICS[0]], "enabled": True}))
    account.script("POST webhook", ok({"id": "1", "url": HOOK, "topics": list(TOPICS), "secret": SECRET}))

    found = await warehouse.ensure_webhooks(HOOK)

    created = SubscriptionState.CREATED
    assert [one.state for one in found] == [SubscriptionState.PRESENT, created, created, created]
    assert account.sent("POST webhook") == [{"url": HOOK, "topics": list(TOPICS[1:]), "secret": SECRET}]


async def test_nothing_is_subscribed_twice(warehouse: ShipbobWarehouse, account: ScriptedAccount) -> None:
    account.script("GET webhook", hooks({"url": HOOK, "topics": list(TOPICS), "enabled": True}))

    assert {one.state for one in await warehouse.ensure_webhooks(HOOK)} == {SubscriptionState.PRESENT}


async def test_a_refused_subscription_says_why_and_not_the_secret(
    warehouse: ShipbobWarehouse, account: ScriptedAccount
) -> None:
    account.script("GET webhook", hooks())
    account.script("POST webhook", ok({"secret": [f"{SECRET} is too short"]}, 422))

    found = await warehouse.ensure_webhooks(HOOK)

    assert {(one.state, one.reason) for one in found} == {
        (SubscriptionState.REFUSED, "secret: [...] is too short"),
    }


async def test_without_a_secret_nothing_is_subscribed(account: ScriptedAccount, clock: FakeClock) -> None:
    warehouse = ShipbobWarehouse(settings(webhook_secret=None), clock, SeededRng(), account.transport)

    found = await warehouse.ensure_webhooks(HOOK)

    assert {one.state for one in found} == {SubscriptionState.REFUSED}
    assert account.requests == []
    await warehouse.close()

"""`syncd check` against the vendors' sandboxes, with each mistake of a first day: it is named, with what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.amazon import AmazonChannel, AmazonSettings
from adapters.amazon.sandbox import AmazonSandbox
from adapters.amazon.sandbox import FaultMix as AmazonFaults
from adapters.amazon.sandbox import SellerSeed as AmazonSeed
from adapters.ebay import EbayChannel, EbaySettings
from adapters.ebay.sandbox import EbaySandbox
from adapters.ebay.sandbox import FaultMix as EbayFaults
from adapters.ebay.sandbox import SellerSeed as EbaySeed
from adapters.probe import look
from adapters.shipbob import ShipbobSettings, ShipbobWarehouse
from adapters.shopify import ShopifyChannel, ShopifySettings
from adapters.shopify.sandbox import FaultMix, ItemSeed, ShopifySandbox, ShopSeed
from adapters.shopify.sandbox.seed import ALL_SCOPES, LocationSeed
from syncd.accounts.checkup import ask, look_at_clock, look_at_listings, look_at_orders, look_from_outside
from syncd.accounts.findings import Finding, Verdict
from syncd.accounts.mistakes import mistakes_of_account
from syncd.chance import SeededRng
from syncd.clock import ScaledClock
from syncd.config import Account, Amazon, ChannelKind, Config, Ebay, Shopify, Warehouse, WarehouseKind
from syncd.db.database import Database
from syncd.orders.intake import InboxWriter
from syncd.web.app import make_app
from syncd.web.deps import WebDeps
from tests.support.builders import a_database
from tests.support.fake_channel import FakeChannel

Serve = Callable[[web.Application], Awaitable[str]]
CLOCK = ScaledClock()
HERE = "gid://shopify/Location/{}"


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def start(app: web.Application) -> str:
            server = TestServer(app)
            await server.start_server()
            stack.push_async_callback(server.close)
            return str(server.make_url("/")).rstrip("/")

        yield start


def told(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """(verdict, what was told and what to do)."""
    return [(each.verdict.value, f"{each.told}. {each.remedy}") for each in findings]


async def check_shop(serve: Serve, seed: ShopSeed, **wrong: Any) -> list[Finding]:
    seed = replace(seed, faults=FaultMix.none())
    sandbox = ShopifySandbox(seed, CLOCK, SeededRng(7, "sandbox"))
    address = await serve(sandbox.app)
    location = HERE.format(next(iter(sandbox.shop.locations)))
    settings = ShopifySettings(address, seed.client_id, seed.client_secret, None, location)
    channel = ShopifyChannel(replace(settings, **wrong), CLOCK, SeededRng(7, "channel"))
    try:
        found = await ask("account shop", "shopify", channel)
        if found[0].verdict is Verdict.RIGHT:
            found += await look_at_listings("account shop", "shop", channel)
        return found
    finally:
        await channel.close()


ITEMS = (ItemSeed("RED-CLOCK", quantity=3), ItemSeed("BLUE-VASE", quantity=1))


async def test_a_shop_in_order_is_told_by_its_name(serve: Serve) -> None:
    (found,) = await check_shop(serve, ShopSeed(items=ITEMS))

    assert (found.verdict, found.told) == (Verdict.RIGHT, "red-clock.myshopify.com, API 2026-10")


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ({"client_secret": "another"}, "check client_id and client_secret, and that the app is installed in this very"),
        ({"client_id": "another"}, "check client_id and client_secret, and that the app is installed in this very"),
    ],
)
async def test_wrong_credentials_of_a_shop_are_told(serve: Serve, wrong: dict[str, str], remedy: str) -> None:
    ((verdict, said),) = told(await check_shop(serve, ShopSeed(items=ITEMS), **wrong))

    assert verdict == "wrong"
    assert remedy in said
    assert "another" not in said


async def test_a_missing_scope_is_named(serve: Serve) -> None:
    scopes = tuple(scope for scope in ALL_SCOPES if scope != "write_inventory")

    ((verdict, said),) = told(await check_shop(serve, ShopSeed(items=ITEMS, scopes=scopes)))

    assert verdict == "wrong"
    assert "red-clock.myshopify.com does not grant write_inventory. add these scopes to the app" in said


async def test_an_app_that_sees_no_old_orders_is_told_what_that_costs_and_how_it_gets_the_right(serve: Serve) -> None:
    scopes = tuple(scope for scope in ALL_SCOPES if scope != "read_all_orders")

    fine, (verdict, said) = told(await check_shop(serve, ShopSeed(items=ITEMS, scopes=scopes)))

    assert fine[0] == "right", "everything else works"
    assert verdict == "odd"
    assert "old ones that are still open are never taken in" in said
    assert "request read_all_orders for the app in the Dev Dashboard" in said


async def test_a_wrong_location_is_told_with_those_there_are(serve: Serve) -> None:
    seed = ShopSeed(items=ITEMS, locations=(LocationSeed("Back room"), LocationSeed("Shop floor")))

    ((verdict, said),) = told(await check_shop(serve, seed, location=HERE.format(4711)))

    assert verdict == "wrong"
    assert "Location/4711 is not a location of this shop; it has gid://shopify/Location/" in said
    assert "(Back room), " in said
    assert "(Shop floor)" in said


async def test_a_name_that_is_no_shop_is_told(serve: Serve) -> None:
    address = await serve(web.Application())
    settings = ShopifySettings(address, "id", "secret", None, HERE.format(1))
    channel = ShopifyChannel(settings, CLOCK, SeededRng(7, "channel"))

    ((verdict, said),) = told(await ask("account shop", "shopify", channel))
    await channel.close()

    assert verdict == "wrong"
    assert "check base_url: https://NAME.myshopify.com" in said


async def test_items_that_nobody_tracks_are_counted(serve: Serve) -> None:
    items = (*ITEMS, *(ItemSeed(f"LOOSE-{number}", tracked=False) for number in range(3)), ItemSeed("", quantity=1))

    _, untracked, codeless = told(await check_shop(serve, ShopSeed(items=items)))

    assert untracked[0] == codeless[0] == "odd"
    assert "3 of 6 listings cannot be set: untracked: it sells whatever its number. switch on Track" in untracked[1]
    assert "1 of 6 listings have no SKU" in codeless[1]


async def test_a_shop_without_any_listing_is_told(serve: Serve) -> None:
    _, (verdict, said) = told(await check_shop(serve, ShopSeed()))

    assert (verdict, "it has no listing yet" in said) == ("odd", True)


# --- eBay -----------------------------------------------------------------------------------------------------


async def check_ebay(serve: Serve, seed: EbaySeed, **wrong: Any) -> list[tuple[str, str]]:
    seed = replace(seed, faults=EbayFaults.none())
    address = await serve(EbaySandbox(seed, CLOCK, SeededRng(7, "sandbox")).app)
    settings = EbaySettings(
        address, seed.client_id, seed.client_secret, seed.refresh_token, seed.marketplace_id, "v" * 40
    )
    channel = EbayChannel(replace(settings, **wrong), CLOCK, SeededRng(7, "channel"))
    try:
        return told(await ask("account ebay", "ebay", channel))
    finally:
        await channel.close()


async def test_an_ebay_seller_in_order_is_right(serve: Serve) -> None:
    ((verdict, said),) = await check_ebay(serve, EbaySeed())

    assert (verdict, "on EBAY_US" in said) == ("right", True)


@pytest.mark.parametrize("wrong", [{"client_secret": "another"}, {"refresh_token": "another"}])
async def test_wrong_credentials_at_ebay_are_told(serve: Serve, wrong: dict[str, str]) -> None:
    ((verdict, said),) = await check_ebay(serve, EbaySeed(), **wrong)

    assert (verdict, "check the keyset and the refresh token" in said) == ("wrong", True)
    assert "another" not in said


async def test_a_consent_without_orders_is_told(serve: Serve) -> None:
    seed = EbaySeed()
    scopes = tuple(scope for scope in seed.scopes if not scope.endswith("sell.fulfillment"))

    ((verdict, said),) = await check_ebay(serve, replace(seed, scopes=scopes))

    assert (verdict, "does not grant sell.fulfillment" in said) == ("wrong", True)


async def test_listings_that_end_at_zero_are_warned_of(serve: Serve) -> None:
    _, (verdict, said) = await check_ebay(serve, EbaySeed(out_of_stock_control=False))

    assert (verdict, "out-of-stock" in said.lower() or "out of stock" in said.lower()) == ("odd", True)


# --- Amazon ---------------------------------------------------------------------------------------------------


async def check_amazon(serve: Serve, **wrong: Any) -> list[tuple[str, str]]:
    seed = AmazonSeed(faults=AmazonFaults.none())
    address = await serve(AmazonSandbox(seed, CLOCK, SeededRng(7, "sandbox")).app)
    settings = AmazonSettings(
        base_url=address,
        token_url=f"{address}/auth/o2/token",
        seller_id=seed.seller_id,
        marketplace_ids=(seed.marketplace_id,),
        client_id=seed.client_id,
        client_secret=seed.client_secret,
        refresh_token=seed.refresh_token,
        queue=None,
    )
    channel = AmazonChannel(replace(settings, **wrong), CLOCK, SeededRng(7, "channel"))
    try:
        found = await ask("account amazon", "amazon", channel)
        if found[0].verdict is Verdict.RIGHT:
            found += await look_at_orders("account amazon", "amazon", channel, CLOCK.now())
        return told(found)
    finally:
        await channel.close()


async def test_a_seller_at_amazon_in_order_is_right_and_told_what_a_queue_would_bring(serve: Serve) -> None:
    (first, _), (second, said) = await check_amazon(serve)

    assert (first, second) == ("right", "odd")
    assert "no queue is configured" in said


@pytest.mark.parametrize("wrong", [{"client_secret": "another"}, {"refresh_token": "another"}])
async def test_wrong_credentials_at_amazon_are_told(serve: Serve, wrong: dict[str, object]) -> None:
    ((verdict, said),) = await check_amazon(serve, **wrong)

    assert (verdict, "check client_id, client_secret and the refresh token" in said) == ("wrong", True)
    assert "another" not in said


@pytest.mark.parametrize("wrong", [{"marketplace_ids": ("A1PA6795UKMFR9",)}, {"seller_id": "ASOMEBODYELSE"}])
async def test_a_marketplace_that_the_seller_has_not_joined_is_told(serve: Serve, wrong: dict[str, object]) -> None:
    ((verdict, said),) = await check_amazon(serve, **wrong)

    assert verdict == "wrong"
    assert "the seller must sell in each of these marketplaces" in said or "check client_id" in said


async def test_one_marketplace_of_several_that_the_seller_has_not_joined_is_told(serve: Serve) -> None:
    seed = AmazonSeed()

    *_, (verdict, said) = await check_amazon(serve, marketplace_ids=(seed.marketplace_id, "A2EUQ1WTGCTBG2"))

    assert verdict == "wrong"
    assert "the seller has not joined A2EUQ1WTGCTBG2, but ATVPDKIKX0DER. write the one that is meant" in said


# --- the clock ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead_s", "verdict", "said"),
    [
        (0, None, ""),
        (45, "odd", "45 s behind the vendor's"),
        (-400, "wrong", "400 s ahead of the vendor's. let the machine keep time"),
    ],
)
async def test_a_clock_that_is_off_is_told(ahead_s: int, verdict: str | None, said: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead_s), usegmt=True)
    with respx.mock:
        respx.get("https://vendor.example.com").mock(httpx.Response(404, headers={"Date": date}))
        found = told(await look_at_clock("account shop", "https://vendor.example.com"))

    assert [each[0] for each in found] == ([] if verdict is None else [verdict])
    for _, text in found:
        assert said.split()[0][:1] in text  # the seconds may be one off
        assert " ".join(said.split()[2:]) in text


async def test_a_vendor_that_cannot_be_reached_tells_no_time() -> None:
    assert await look_at_clock("account shop", "http://127.0.0.1:9") == []


# --- from outside ---------------------------------------------------------------------------------------------


def a_config(public_url: str | None, port: int, base_url: str = "https://s.myshopify.com") -> Config:
    shop = Shopify(base_url=base_url, client_id="id", client_secret="S", location=HERE.format(1))
    account = Account(key="shop", channel=ChannelKind.SHOPIFY, warehouses=("own",), shopify=shop)
    warehouse = Warehouse(key="own", kind=WarehouseKind.OWN, country="DE")
    http = {"host": "127.0.0.1", "port": port, **({"public_url": public_url} if public_url else {})}
    return Config.model_validate({"http": http, "warehouse": [warehouse], "account": [account]})


async def outside(answer: Callable[[respx.MockRouter], object], *, running: bool = True) -> tuple[str, str]:
    with respx.mock as router:
        router.get("http://127.0.0.1:8480/healthz").mock(
            httpx.Response(200) if running else None, side_effect=None if running else httpx.ConnectError("refused")
        )
        answer(router)
        ((found),) = told(await look_from_outside(a_config("https://stock.example.com", 8480)))
    return found


HOOK = "https://stock.example.com/webhooks/shop"


@pytest.mark.parametrize(
    ("answer", "verdict", "said"),
    [
        (httpx.Response(405, json={"error": "method not allowed"}), "right", "reaches this syncd"),
        (httpx.Response(404, json={"error": "no account has this key"}), "wrong", "does not know this account"),
        (httpx.Response(404, html="<p>nginx"), "wrong", "something else answers at https://stock.example.com"),
        (httpx.Response(200, html="<p>welcome"), "wrong", "the proxy must hand /webhooks/ over to syncd"),
        (httpx.Response(301, headers={"Location": "https://a.b/"}), "wrong", "is redirected to https://a.b/"),
        (httpx.Response(401), "wrong", "asks for a login (401). let /webhooks/ through"),
        (httpx.Response(502), "wrong", "reaches nothing behind it (502)"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), "wrong", "its name is not known to the DNS"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"), "wrong", "its certificate is not trusted"),
        (httpx.ConnectTimeout("too long"), "wrong", "no answer came in time"),
    ],
)
async def test_whoever_answers_at_the_public_address_is_told_apart(
    answer: httpx.Response | Exception, verdict: str, said: str
) -> None:
    how = {"side_effect": answer} if isinstance(answer, Exception) else {"return_value": answer}

    found = await outside(lambda router: router.get(HOOK).mock(**how))

    assert found[0] == verdict
    assert said in found[1]


async def test_without_a_running_daemon_the_public_address_cannot_be_judged() -> None:
    with respx.mock(assert_all_called=False) as router:
        router.get("http://127.0.0.1:8480/healthz").mock(side_effect=httpx.ConnectError("refused"))
        ((verdict, said),) = told(await look_from_outside(a_config("https://stock.example.com", 8480)))

    assert verdict == "odd"
    assert "while syncd does not run. start `syncd run`, then check again" in said


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("127.0.0.1", "http://127.0.0.1:8480"),
        ("0.0.0.0", "http://127.0.0.1:8480"),
        ("::", "http://[::1]:8480"),
        ("2001:db8::7", "http://[2001:db8::7]:8480"),
        ("stock.internal", "http://stock.internal:8480"),
    ],
)
async def test_the_daemon_is_looked_for_where_it_listens(host: str, asked: str) -> None:
    config = a_config("https://[2001:db8::9]", 8480)
    listening = config.model_copy(update={"http": config.http.model_copy(update={"host": host})})
    with respx.mock as router:
        router.get(f"{asked}/healthz").mock(httpx.Response(200))
        router.get("https://[2001:db8::9]/webhooks/shop").mock(
            httpx.Response(405, json={"error": "method not allowed"})
        )
        ((verdict, said),) = told(await look_from_outside(listening))

    assert verdict == "right"
    assert "https://[2001:db8::9]/webhooks/shop reaches this syncd" in said


async def test_no_public_address_and_one_that_nobody_reaches_are_told() -> None:
    (none,) = told(await look_from_outside(a_config(None, 8480)))
    (own,) = told(await look_from_outside(a_config("http://127.0.0.1:8480", 8480)))

    assert none == ("odd", "no public_url: orders come by polling alone. set public_url to get them in seconds")
    assert own[0] == "wrong"
    assert "no vendor reaches it" in own[1]


async def test_the_daemons_own_server_is_known_by_its_answer(serve: Serve, tmp_path: Path) -> None:
    with a_database("sqlite", tmp_path) as db:
        here = await serve(make_app(a_web(db, "shop")))
        other = await serve(make_app(a_web(db, "outlet")))
        sandbox = "http://127.0.0.1:9"

        (ours,) = await look_from_outside(a_config(here, int(here.rpartition(":")[2]), sandbox))
        (theirs,) = await look_from_outside(a_config(other, int(other.rpartition(":")[2]), sandbox))

    assert (ours.verdict, ours.told) == (Verdict.RIGHT, f"{here}/webhooks/shop reaches this syncd")
    assert "does not know this account" in theirs.told


def a_web(db: Database, account: str) -> WebDeps:
    """What a daemon with one account would serve."""

    async def ready() -> list[str]:
        return []

    inbox = InboxWriter(db, CLOCK, lambda: None)
    return WebDeps(db, CLOCK, inbox, {account: (1, FakeChannel())}, "1.2.3", CLOCK.now(), ready)


async def test_a_probe_reads_no_more_than_the_beginning(serve: Serve) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b"x" * 1024)
        except ConnectionError:
            return answer

    app = web.Application()
    app.router.add_get("/", endless)

    seen = await look(f"{await serve(app)}/")

    assert (seen.status, seen.body) == (200, b"x" * 4096)


# --- what the settings alone give away ------------------------------------------------------------------------


def an_account(**vendor: object) -> Account:
    channel = next(iter(vendor))
    return Account.model_validate({"key": "one", "channel": channel, "warehouses": ("own",), **vendor})


def shopify(base_url: str = "https://red-clock.myshopify.com") -> Shopify:
    return Shopify(base_url=base_url, client_id="a" * 32, client_secret="S", location=HERE.format(1))


def amazon(region: str = "na", marketplace: str = "ATVPDKIKX0DER", **more: object) -> Amazon:
    told = {"client_id": "amzn1.application-oa2-client.1", "client_secret": "S", "refresh_token_secret": "R", **more}
    return Amazon.model_validate({"region": region, "seller_id": "A1", "marketplace_ids": (marketplace,), **told})


def ebay(client_id: str = "Me-syncd-PRD-1", **more: object) -> Ebay:
    told = {"client_id": client_id, "client_secret": "S", "refresh_token_secret": "R", **more}
    return Ebay.model_validate(told)


@pytest.mark.parametrize(
    ("account", "secrets", "said"),
    [
        (an_account(shopify=shopify()), {"client_secret": "ab" * 16}, None),
        (an_account(shopify=shopify("https://www.red-clock.com")), {}, "www.red-clock.com is not the name"),
        (an_account(shopify=shopify()), {"client_secret": "shpat_0123"}, "the client secret is an access token"),
        (an_account(shopify=shopify()), {"client_secret": "a" * 32}, "the client secret is the client id"),
        (an_account(amazon=amazon()), {"refresh_token_secret": "Atzr|x"}, None),
        (an_account(amazon=amazon("na", "A1PA6795UKMFR9")), {}, 'Write region = "eu"'),
        (an_account(amazon=amazon("eu", "A1VC38T7YXB528")), {}, "(JP) is served from region fe"),
        (an_account(amazon=amazon(client_id="amzn1.sp.solution.1")), {}, "client_id is no LWA client id"),
        (an_account(amazon=amazon()), {"refresh_token_secret": "Atza|x"}, "the refresh token is an access token"),
        (
            an_account(amazon=amazon(base_url="https://sandbox.sellingpartnerapi-na.amazon.com")),
            {},
            "Amazon's sandbox, which answers with made-up data",
        ),
        (an_account(ebay=ebay()), {"client_secret": "PRD-1", "refresh_token_secret": "v^1.1#i^1#x"}, None),
        (
            an_account(ebay=ebay("Me-syncd-SBX-1")),
            {},
            "client_id is of a sandbox keyset, and base_url is the real eBay",
        ),
        (an_account(ebay=ebay()), {"client_secret": "SBX-1"}, "the client secret is of a sandbox keyset"),
        (
            an_account(ebay=ebay(base_url="https://api.sandbox.ebay.com")),
            {},
            "client_id is of the production keyset, and base_url is eBay's sandbox",
        ),
        (an_account(ebay=ebay()), {"refresh_token_secret": "AgAAAA"}, "does not look like one of eBay's"),
    ],
)
def test_slips_are_told_before_anybody_is_asked(account: Account, secrets: dict[str, str], said: str | None) -> None:
    found = told(mistakes_of_account(account, secrets))

    assert len(found) == (0 if said is None else 1)
    for _, text in found:
        assert said is not None
        assert said in text
        assert not any(value in text for value in secrets.values())


# --- a 3PL ----------------------------------------------------------------------------------------------------


async def test_a_warehouse_that_refuses_its_token_is_told(serve: Serve) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=401)

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", refuse)
    settings = ShipbobSettings(await serve(app), "another", 1, None, None)
    source = ShipbobWarehouse(settings, CLOCK, SeededRng(7, "warehouse"))

    ((verdict, said),) = told(await ask("warehouse bob", "shipbob", source))
    await source.close()

    assert (verdict, "check the personal access token" in said) == ("wrong", True)

"""Who the account is, what it promises, and what it has none of."""

from __future__ import annotations

import httpx
import pytest

from adapters.amazon import AmazonChannel, QueueSettings, amazon_traits, fba_traits
from adapters.contract import AuthExpired, Forged, Rejected, WriteStyle
from tests.unit.amazon.builders import a_page
from tests.unit.amazon.conftest import settings
from tests.unit.amazon.doubles import HOME, SELLER, FakeClock, ScriptedAmazon, SeededRng, ok, refused


@pytest.fixture(autouse=True)
def joined(amazon: ScriptedAmazon) -> None:
    """The seller has joined both marketplaces of its settings, unless a test says otherwise."""
    told = [participation(HOME), participation("A2EUQ1WTGCTBG2")]
    amazon.script("getMarketplaceParticipations", ok({"payload": told}))


async def test_an_account_is_known_by_its_seller_id(channel: AmazonChannel, amazon: ScriptedAmazon) -> None:
    amazon.script("searchListingsItems", ok(a_page()))

    identity = await channel.identify()

    assert (identity.name, identity.missing_scopes) == (SELLER, ())
    assert amazon.params("searchListingsItems") == [{"marketplaceIds": HOME, "pageSize": "1"}]


async def test_an_account_without_a_queue_is_warned_how_late_its_orders_come(
    channel: AmazonChannel, amazon: ScriptedAmazon
) -> None:
    amazon.script("searchListingsItems", ok(a_page()))

    assert "only by polling, every 180 s" in (await channel.identify()).warnings[0]
    assert channel.queue is None


async def test_an_account_with_a_queue_has_nothing_to_be_warned_of(amazon: ScriptedAmazon) -> None:
    amazon.script("searchListingsItems", ok(a_page()))
    queue = QueueSettings("https://sqs.example/1/q", "us-east-1", None, "AKIA1", "hush")
    opened = AmazonChannel(settings(queue=queue), FakeClock(), SeededRng(), amazon.transport)

    assert (await opened.identify()).warnings == ()
    assert opened.queue is not None

    await opened.close()


@pytest.mark.parametrize(
    ("answer", "kind"), [(refused(403), AuthExpired), (refused(400, "BAD_REQUEST", "no such marketplace"), Rejected)]
)
async def test_an_account_that_is_refused_says_why(
    channel: AmazonChannel, amazon: ScriptedAmazon, answer: httpx.Response, kind: type[Exception]
) -> None:
    amazon.script("searchListingsItems", answer)

    with pytest.raises(kind):
        await channel.identify()


def participation(marketplace: str, *, joined: bool = True, suspended: bool = False) -> dict[str, object]:
    part = {"isParticipating": joined, "hasSuspendedListings": suspended}
    return {"marketplace": {"id": marketplace, "name": "Amazon"}, "participation": part, "storeName": "Red Clock"}


@pytest.mark.parametrize(
    ("answer", "wrong", "odd"),
    [
        (ok({"payload": [participation(HOME), participation("A2")]}), (), ()),
        (
            ok({"payload": [participation(HOME), participation("A2", joined=False)]}),
            ("not joined A2, but " + HOME,),
            (),
        ),
        (ok({"payload": [participation(HOME)]}), ("not joined A2",), ()),
        (ok({"payload": [participation(HOME), participation("A2", suspended=True)]}), (), ("in A2 are suspended",)),
        (ok({"payload": [participation(HOME), 7, participation("A2")]}), (), ()),
        (refused(403), (), ("without the role Selling Partner Insights",)),
    ],
)
async def test_of_several_marketplaces_those_not_joined_are_named(
    amazon: ScriptedAmazon, answer: httpx.Response, wrong: tuple[str, ...], odd: tuple[str, ...]
) -> None:
    amazon.script("searchListingsItems", ok(a_page()))
    amazon.script("getMarketplaceParticipations", answer)
    queue = QueueSettings("https://sqs.example/1/q", "us-east-1", None, "AKIA1", "hush")
    several = settings(queue=queue, marketplace_ids=(HOME, "A2"))
    opened = AmazonChannel(several, FakeClock(), SeededRng(), amazon.transport)

    identity = await opened.identify()
    await opened.close()

    assert [part in told for part, told in zip(wrong, identity.wrongs, strict=True)] == [True] * len(wrong)
    assert [part in told for part, told in zip(odd, identity.warnings, strict=True)] == [True] * len(odd)


async def test_amazon_sends_no_webhooks(channel: AmazonChannel) -> None:
    assert await channel.ensure_webhooks("https://shop.example/hooks") == ()
    assert channel.answer_challenge({"challenge_code": "1"}, "https://shop.example/hooks") is None
    with pytest.raises(Forged, match="Amazon sends no webhooks"):
        await channel.verify_webhook({}, b"{}")


def test_the_publisher_is_told_what_kind_of_channel_this_is(channel: AmazonChannel) -> None:
    traits = channel.traits

    assert traits == amazon_traits(180.0, 20.0)
    assert (traits.write_style, traits.cells) == (WriteStyle.PLAIN_SET, ("quantity",))
    assert (traits.write_batch, traits.read_batch, traits.settle_s, traits.apply_s) == (20, 20, 900.0, 30.0)
    assert fba_traits().shipments_overlap_s == 900.0


@pytest.mark.parametrize("changes", [{"marketplace_ids": ()}, {"marketplace_ids": ("A",) * 51}, {"refresh_token": ""}])
def test_settings_that_cannot_work_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        settings(**changes)

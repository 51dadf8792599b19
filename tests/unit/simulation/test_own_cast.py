"""A seller's own configuration, played with sandboxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd import config as settings
from syncd.errors import ConfigError
from syncd.resources import folder as resources
from syncd.simulation.files import settle_terms, write_config
from syncd.simulation.own_cast import assortments_of, load_cast, with_orders
from syncd.simulation.wanted import WantedOrder
from syncd.simulation.world import Cast, World, make_world, stands

OWN = """
[cost]
currency = "EUR"
[[warehouse]]
key = "hub"
kind = "own"
country = "DE"
postcode = "10117"
time_zone = "Europe/Berlin"
[[warehouse.rates]]
zone = "EU"
per_parcel = "4.90"
[[warehouse]]
key = "hands"
kind = "3pl"
country = "FR"
[[warehouse]]
key = "fba"
kind = "fba"
country = "DE"
account = "amazon-2"
[[account]]
key = "amazon-1"
channel = "amazon"
warehouses = ["hands"]
policy = "cheapest"
cap = 8
[account.amazon]
seller_id = "A1"
marketplace_ids = ["A1PA6795UKMFR9"]
client_id = "x"
client_secret = "NOBODY_HAS_THIS"
refresh_token_secret = "NOR_THIS"
poll_every_s = 240
[[account]]
key = "amazon-2"
channel = "amazon"
warehouses = ["hub", "hands"]
buffer = 2
[account.amazon]
seller_id = "A2"
marketplace_ids = ["A1PA6795UKMFR9"]
client_id = "x"
client_secret = "NOBODY_HAS_THIS"
refresh_token_secret = "NOR_THIS_ONE"
"""


def own_cast(folder: Path, text: str = OWN) -> Cast:
    (folder / "own.toml").write_text(text)
    return load_cast(folder / "own.toml")


def a_world(cast: Cast) -> World:
    return make_world(7, cast, {key: 9000 + n for n, (key, _) in enumerate(stands(cast))}, 20)


def generated(folder: Path, world: World) -> settings.Config:
    truth = {"levels": [{"channel_location": "gid://shopify/Location/1"}]}
    (folder / "clock.json").write_text("{}")
    terms = settle_terms(world, dict.fromkeys(world.ports, truth))
    return settings.load(write_config(world, terms, folder, "sqlite:///syncd.db", 9999))


def test_the_rules_of_the_seller_are_kept_and_no_secret_is_needed(tmp_path: Path) -> None:
    played = generated(tmp_path, a_world(own_cast(tmp_path)))

    first, second = played.accounts
    assert (first.key, first.warehouses, first.policy, first.buffer, first.cap) == (
        "amazon-1",
        ("hands",),
        "cheapest",
        0,
        8,
    )
    assert (second.key, second.warehouses, second.policy, second.buffer, second.cap) == (
        "amazon-2",
        ("hub", "hands"),
        "priority",
        2,
        None,
    )
    assert [each.key for each in played.warehouses] == ["hub", "hands", "fba"]
    assert played.warehouses[0].rates == (settings.load(tmp_path / "own.toml")).warehouses[0].rates
    assert played.cost.currency == "EUR"


def test_vendors_are_sandboxes_on_this_machine_and_news_comes_as_the_seller_has_it(tmp_path: Path) -> None:
    played = generated(tmp_path, a_world(own_cast(tmp_path)))

    amazon = played.accounts[0].amazon
    assert amazon is not None
    assert amazon.host.startswith("http://127.0.0.1:")
    assert amazon.queue is None
    assert amazon.poll_every_s == 240
    assert played.http.public_url is None


def test_goods_at_fba_are_sold_by_their_own_account(tmp_path: Path) -> None:
    world = a_world(own_cast(tmp_path))

    assert world.at_fba
    assert all("amazon-2" not in article.channels for article in world.at_fba)


def test_a_3pl_without_an_api_is_counted_by_hand(tmp_path: Path) -> None:
    world = a_world(own_cast(tmp_path))

    assert world.by_hand == {"hub", "hands"}
    assert {sku for sku, key in world.stock if key == "hands"} == {article.sku for article in world.plain}


def test_the_example_of_a_configuration_can_be_played(tmp_path: Path) -> None:
    cast = load_cast(resources("config") / "syncd.example.toml")

    played = generated(tmp_path, a_world(cast))

    assert [each.channel for each in played.accounts] == ["shopify", "amazon", "ebay"]


def test_accounts_without_an_order_take_no_part(tmp_path: Path) -> None:
    orders = [WantedOrder(0.0, "amazon-1", "1", (("CLOCK", 1),), "DE")]

    cast = with_orders(own_cast(tmp_path), orders)

    assert [each.key for each in cast.channels] == ["amazon-1"]
    assert [each.key for each in cast.warehouses] == ["hub", "hands"]


@pytest.mark.parametrize("keys", [["a"], ["a", "b"], ["a", "b", "c", "d", "e"]])
def test_every_account_lists_something_and_most_is_listed_everywhere(keys: list[str]) -> None:
    dealt = assortments_of(keys)

    assert all(any(key in each for each in dealt) for key in keys)
    assert all(each for each in dealt)
    assert sum(each == tuple(keys) for each in dealt) > len(dealt) / 2


def test_a_configuration_without_accounts_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"account: there is none. Describe at least one under \[\[account\]\]"):
        own_cast(tmp_path, "")


def test_a_configuration_that_cannot_be_read_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_cast(tmp_path / "none.toml")

"""The seller whom the demo makes up from a seed."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from syncd import config as settings
from syncd.catalogue.codes import normalise
from syncd.simulation.files import secrets_of, settle_terms, write_config, write_table
from syncd.simulation.stands import StandsUnreadable, load_stands, save_stands, stands_of
from syncd.simulation.vendors import Secret
from syncd.simulation.world import EVERY_VENDOR, TWO_SHOPS, Cast, World, make_world, stands

TRUTH = {"levels": [{"channel_location": "gid://shopify/Location/1"}]}


def a_world(cast: Cast = EVERY_VENDOR, seed: int = 7, *, faults: bool = True, ample: bool = False) -> World:
    ports = {key: 9000 + n for n, (key, _) in enumerate(stands(cast))}
    return make_world(seed, cast, ports, faults=faults, ample=ample)


def test_the_same_seed_makes_the_same_seller_and_another_seed_another() -> None:
    assert a_world() == a_world()
    assert a_world().stock != a_world(seed=8).stock


def test_the_seller_has_about_two_hundred_skus_with_packs_and_kits_and_no_code_twice() -> None:
    world = a_world()

    codes = [normalise(article.sku) for article in world.articles]
    codes += [normalise(article.fba_sku) for article in world.at_fba if article.fba_sku]
    made = [article.made_of for article in world.articles if article.made_of]

    assert 180 <= len(world.articles) <= 220
    assert len(set(codes)) == len(codes)
    assert any(len(parts) == 1 and parts[0][1] > 1 for parts in made), "packs"
    assert any(len(parts) > 1 for parts in made), "kits"


def test_some_skus_are_on_every_channel_some_on_two_and_some_on_one() -> None:
    world = a_world()

    assert {len(article.channels) for article in world.articles} == {1, 2, 3}


def test_what_lies_at_fba_is_sold_on_amazon_by_amazon_alone() -> None:
    world = a_world()

    assert world.at_fba
    for article in world.at_fba:
        assert "amazon-us" not in article.channels
        assert world.stock[(article.sku, "fba")] > 0
    assert not any(key == "fba" for sku, key in world.stock if sku not in {article.sku for article in world.at_fba})


def test_a_third_party_warehouse_keeps_some_of_the_goods() -> None:
    world = a_world()

    at_bob = {sku for sku, key in world.stock if key == "bob"}

    assert 0.4 * len(world.plain) < len(at_bob) < 0.8 * len(world.plain)


def test_ample_stock_is_ample_everywhere() -> None:
    assert min(a_world(ample=True).stock.values()) >= 100_000


@pytest.mark.parametrize("cast", [TWO_SHOPS, EVERY_VENDOR])
def test_the_configuration_can_be_loaded_and_names_its_secrets_only(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = a_world(cast)
    (tmp_path / "clock.json").write_text("{}")
    terms = settle_terms(world, dict.fromkeys(world.ports, TRUTH))
    secrets = secrets_of(terms)
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)

    path = write_config(world, terms, tmp_path, "sqlite:///syncd.db", 9999)
    loaded = settings.load(path, with_secrets=True)

    assert [each.key for each in loaded.accounts] == [each.key for each in cast.channels]
    assert [each.key for each in loaded.warehouses] == [each.key for each in cast.warehouses]
    assert secrets
    assert not any(value in path.read_text() for value in secrets.values())


def test_a_table_for_reading_shows_its_secrets() -> None:
    lines = write_table("account.ebay", {"client_id": "me", "queue": {"key": Secret("opens nothing")}}, None)

    assert tomllib.loads("\n".join(lines)) == {
        "account": {"ebay": {"client_id": "me", "queue": {"key": "opens nothing"}}}
    }


def test_stands_come_back_from_their_file_as_they_went_in(tmp_path: Path) -> None:
    world = a_world()
    save_stands(world, tmp_path / "shops.json")

    assert load_stands(tmp_path / "shops.json") == (7, stands_of(world))
    assert [stand.vendor for stand in stands_of(world, ["ebay"])] == ["ebay"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"seed": 1, "stands": [{"key": "a"}]}', '{"seed": "x", "stands": []}']
)
def test_a_file_that_is_none_of_stands_is_told_with_a_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / "shops.json").write_text(text)

    with pytest.raises(StandsUnreadable, match=r"take the shops\.json"):
        load_stands(tmp_path / "shops.json")


def test_without_faults_no_sandbox_is_told_of_any() -> None:
    calm, lively = stands_of(a_world(faults=False)), stands_of(a_world())

    assert not any("faults" in stand.seed for stand in calm)
    assert all("faults" in stand.seed for stand in lively)
    assert [replace(stand, seed={k: v for k, v in stand.seed.items() if k != "faults"}) for stand in lively] == calm

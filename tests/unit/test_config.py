"""What a configuration may say, and how everything wrong in it is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import make_url

from syncd import resources
from syncd.config import Account, Config, Policy, Shopify, Warehouse, check_secrets, load
from syncd.config.model import Rate
from syncd.config.values import Table
from syncd.errors import ConfigError, ConfigProblem

WAREHOUSE = """
[[warehouse]]
key = "main"
kind = "own"
country = "US"
"""

ACCOUNT = """
[[account]]
key = "shop"
channel = "shopify"
warehouses = ["main"]
[account.shopify]
base_url = "https://my-shop.myshopify.com"
client_id = "app"
client_secret = "SHOP_SECRET"
location = "gid://shopify/Location/1"
"""


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CREDENTIALS_DIRECTORY", "SHOP_SECRET", "OLD_SECRET", "DB_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


def read(folder: Path, text: str) -> Config:
    path = folder / "syncd.toml"
    path.write_text(text)
    return load(path)


def problems(folder: Path, text: str) -> list[ConfigProblem]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    assert all(problem.remedy for problem in caught.value.problems)
    return list(caught.value.problems)


def only_problem(folder: Path, text: str) -> ConfigProblem:
    [problem] = problems(folder, text)
    return problem


def shopify_of(config: Config) -> Shopify:
    """The table of the first account's shop."""
    found = config.accounts[0].shopify
    assert found is not None
    return found


EXAMPLE_SECRETS = (
    "SHOP_CLIENT_SECRET",
    "AMAZON_CLIENT_SECRET",
    "AMAZON_REFRESH_TOKEN",
    "AMAZON_QUEUE_SECRET",
    "EBAY_CLIENT_SECRET",
    "EBAY_REFRESH_TOKEN",
    "EBAY_VERIFICATION_TOKEN",
    "SHIPBOB_TOKEN",
    "SHIPBOB_WEBHOOK_SECRET",
)


def tables_in(table: Table) -> Iterator[Table]:
    """Every table directly or further inside a table that is no list."""
    for _, value in table:
        if isinstance(value, Table):
            yield value
            yield from tables_in(value)


def vendor_tables(config: Config) -> list[Table]:
    """The vendors' tables of all accounts and warehouses."""
    return [table for each in (*config.accounts, *config.warehouses) for table in tables_in(each)]


def keys_missing(text: str, table: type[Table]) -> list[str]:
    """The keys of a table that no line of the text begins with, as a value, as a table or behind a #."""
    keys = [field.alias or name for name, field in table.model_fields.items()]
    return [key for key in keys if not re.search(rf"(?m)^(# )?({key} = |\[+([a-z]+\.)*{key}\])", text)]


def test_the_example_is_complete_and_loads_given_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    example = resources.folder("config") / "syncd.example.toml"
    for name in EXAMPLE_SECRETS:
        monkeypatch.setenv(name, "s3cret")

    config = load(example, with_secrets=True)

    assert check_secrets(config) == []
    assert [warehouse.kind.value for warehouse in config.warehouses] == ["own", "own", "3pl", "fba"]
    assert [account.channel.value for account in config.accounts] == ["shopify", "amazon", "ebay"]
    text = example.read_text()
    for table in (Config, Warehouse, Rate, Account, *map(type, [*tables_in(config), *vendor_tables(config)])):
        assert not keys_missing(text, table), table


@pytest.mark.parametrize("name", EXAMPLE_SECRETS)
def test_the_example_names_each_of_its_secrets(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for other in EXAMPLE_SECRETS:
        monkeypatch.setenv(other, "s3cret")
    monkeypatch.delenv(name)

    with pytest.raises(ConfigError, match=name):
        load(resources.folder("config") / "syncd.example.toml", with_secrets=True)


def test_the_example_shows_the_defaults() -> None:
    config = load(resources.folder("config") / "syncd.example.toml")

    for table in vendor_tables(config):
        usual = {name: field.default for name, field in type(table).model_fields.items() if not field.is_required()}
        assert {n: v for n, v in table if usual.get(n) is not None} == {n: v for n, v in usual.items() if v is not None}


def test_an_empty_file_is_a_configuration_of_defaults(tmp_path: Path) -> None:
    config = read(tmp_path, "")

    assert config.database.url == f"sqlite:///{tmp_path}/syncd.db"
    assert (config.http.host, config.http.port, config.stock.stock_max_age_hours) == ("127.0.0.1", 8480, 24)
    assert not config.warehouses
    assert not config.accounts


def test_a_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = read(tmp_path, WAREHOUSE + ACCOUNT)

    with pytest.raises(ValidationError):
        config.accounts[0].buffer = 5


def test_defaults_of_an_account(tmp_path: Path) -> None:
    config = read(tmp_path, WAREHOUSE + ACCOUNT)
    account = config.accounts[0]

    assert (account.policy, account.buffer, account.cap) == (Policy.PRIORITY, 0, None)
    assert (shopify_of(config).api_version, shopify_of(config).poll_every_s) == ("2026-10", 60.0)


def test_relative_paths_count_from_the_folder_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "syncd.toml").write_text('[database]\nurl="sqlite:///data/x.db"\n[clock]\nrecord="clock.json"')
    monkeypatch.chdir(tmp_path)

    config = load(Path("etc/syncd.toml"))

    assert make_url(config.database.url).database == f"{tmp_path}/etc/data/x.db"
    assert config.clock.record == tmp_path / "etc" / "clock.json"


def test_absolute_paths_stay(tmp_path: Path) -> None:
    assert read(tmp_path, '[database]\nurl="sqlite:////srv/x.db"').database.url == "sqlite:////srv/x.db"


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [("USD", '"5.20"', 520), ("USD", "5.20", 520), ("USD", "5", 500), ("JPY", '"600"', 600), ("KWD", "1.234", 1234)],
)
def test_rates_become_minor_units_of_the_cost_currency(tmp_path: Path, currency: str, amount: str, minor: int) -> None:
    rate = f'[[warehouse.rates]]\nzone = "world"\nper_parcel = {amount}\n'

    config = read(tmp_path, f'[cost]\ncurrency = "{currency}"\n{WAREHOUSE}{rate}')

    assert [(r.zone, r.per_parcel_minor, r.per_unit_minor) for r in config.warehouses[0].rates] == [("world", minor, 0)]


@pytest.mark.parametrize("amount", ['"5.201"', "5.201", '"-1"', '"five"', "true", "nan", "[1]", '"1e2"'])
def test_an_amount_that_is_none_is_told_by_its_place(tmp_path: Path, amount: str) -> None:
    rate = f'[[warehouse.rates]]\nzone = "world"\nper_parcel = {amount}\n'

    assert only_problem(tmp_path, WAREHOUSE + rate).key == "warehouse[main].rates[0].per_parcel"


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """
    colour = "red"
    [http]
    prot = 1
    port = 70000
    [cost]
    currency = "DOLLAR"
    [[warehouse]]
    key = "Main"
    kind = "shed"
    country = "UK"
    time_zone = "Europe/Lodnon"
    [[warehouse.rates]]
    zone = "US:90210"
    per_parcel = "5.201"
    [[warehouse]]
    kind = "own"
    country = "DE"
    [[account]]
    key = "shop"
    channel = "shopify"
    warehouses = ["esat"]
    """

    found = {problem.key: f"{problem.problem}. {problem.remedy}" for problem in problems(tmp_path, text)}

    assert set(found) == {
        "colour",
        "http.prot",
        "http.port",
        "cost.currency",
        "warehouse[Main].key",
        "warehouse[Main].kind",
        "warehouse[Main].country",
        "warehouse[Main].time_zone",
        "warehouse[Main].rates[0].zone",
        "warehouse[1].key",
        "account[shop].shopify",
        "account[shop].warehouses[0]",
    }
    assert "Did you mean port?" in found["http.prot"]
    assert "Known here are database, http" in found["colour"]
    assert "Write GB" in found["warehouse[Main].country"]
    assert "Did you mean Europe/London?" in found["warehouse[Main].time_zone"]
    assert "'own', '3pl' or 'fba'" in found["warehouse[Main].kind"]


def test_the_error_reads_as_a_list(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, '[http]\nport = "80"\nhost = 1')

    assert caught.value.path == tmp_path / "syncd.toml"
    assert str(caught.value).splitlines() == [
        f"{tmp_path}/syncd.toml: 2 problems",
        "  http.host: must be text. Put it in quotes",
        "  http.port: must be a whole number. Write digits, without quotes and decimals",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [("a = 1\nb = = 2", "line 2, column 5"), ("a = 1\n[x", "line 2, column 3"), ("a = 1\na = 2", "line 2, column 6")],
)
def test_a_syntax_error_names_line_and_column(tmp_path: Path, text: str, place: str) -> None:
    problem = only_problem(tmp_path, text)

    assert problem.key == place
    assert problem.problem.startswith("is not TOML: ")


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes('name = "é"'.encode("latin-1"))
    with pytest.raises(ConfigError, match="byte 9 is not UTF-8"):
        load(tmp_path / "latin.toml")


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "syncd.toml").write_bytes(b"\xef\xbb\xbf[http]\r\nport = 1\r\n")

    assert load(tmp_path / "syncd.toml").http.port == 1


def test_keys_must_differ(tmp_path: Path) -> None:
    found = problems(tmp_path, WAREHOUSE + WAREHOUSE + ACCOUNT + ACCOUNT)

    assert [problem.key for problem in found] == ["warehouse[1].key", "account[1].key", "account[1].shopify.base_url"]


def test_two_accounts_cannot_share_a_shop(tmp_path: Path) -> None:
    other = ACCOUNT.replace('"shop"', '"other"').replace("my-shop", "MY-shop")

    assert only_problem(tmp_path, WAREHOUSE + ACCOUNT + other).key == "account[other].shopify.base_url"


def test_zones_repeat_only_in_different_warehouses(tmp_path: Path) -> None:
    rate = '[[warehouse.rates]]\nzone = "EU"\nper_parcel = 5\n'
    other = WAREHOUSE.replace("main", "other") + rate

    assert len(read(tmp_path, WAREHOUSE + rate + other).warehouses) == 2
    assert only_problem(tmp_path, WAREHOUSE + rate + other + rate).key == "warehouse[other].rates[1].zone"


@pytest.mark.parametrize(
    ("pool", "place", "words"),
    [
        ('["mian"]', "account[shop].warehouses[0]", "Did you mean main?"),
        ('["main", "main"]', "account[shop].warehouses[1]", "is there twice"),
        ("[]", "account[shop].warehouses", "Name at least one"),
        ("[1]", "account[shop].warehouses[0]", "must be text"),
        ('"main"', "account[shop].warehouses", "must be a list"),
    ],
)
def test_a_pool_names_known_warehouses_once(tmp_path: Path, pool: str, place: str, words: str) -> None:
    problem = only_problem(tmp_path, WAREHOUSE + ACCOUNT.replace('["main"]', pool))

    assert problem.key == place
    assert words in str(problem)


def test_fba_stays_out_of_other_channels_pools(tmp_path: Path) -> None:
    problem = only_problem(tmp_path, WAREHOUSE.replace("own", "fba") + ACCOUNT)

    assert problem.key == "account[shop].warehouses[0]"
    assert "ships only what Amazon sells by itself" in problem.problem


def test_a_scaled_clock_never_meets_a_real_shop(tmp_path: Path) -> None:
    clock = '[clock]\nrecord = "clock.json"\n'
    sandbox = ACCOUNT.replace("https://my-shop.myshopify.com", "http://127.0.0.1:9000")

    assert read(tmp_path, clock + WAREHOUSE + sandbox).clock.record
    assert "real vendor" in only_problem(tmp_path, clock + WAREHOUSE + ACCOUNT).problem


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("https://a.myshopify.com/", "https://a.myshopify.com"),
        ("https://A.myshopify.com", "https://a.myshopify.com"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://localhost:9000", "http://localhost:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("http://a.myshopify.com", None),
        ("http://0.0.0.0:9000", None),
        ("http://127.0.0.1.example.com", None),
        ("https://a.myshopify.com/admin", None),
        ("https://user:word@a.myshopify.com", None),
        ("https://a.myshopify.com?x=1", None),
        ("https://a b.com", None),
        ("https://a:99999", None),
        ("a.myshopify.com", None),
        ("ftp://a.myshopify.com", None),
    ],
)
def test_a_shop_is_reached_by_https_unless_it_is_a_sandbox_here(tmp_path: Path, url: str, accepted: str | None) -> None:
    text = WAREHOUSE + ACCOUNT.replace("https://my-shop.myshopify.com", url)

    if accepted is None:
        assert only_problem(tmp_path, text).key == "account[shop].shopify.base_url"
    else:
        assert shopify_of(read(tmp_path, text)).base_url == accepted


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://x/y",
        "postgresql://x/y",
        "nonsense",
        "postgresql+psycopg://u:word@h/d",
        "postgresql+psycopg://u@h/d?password=word",
    ],
)
def test_a_database_url_that_will_not_do_is_told_without_its_password(tmp_path: Path, url: str) -> None:
    problem = only_problem(tmp_path, f'[database]\nurl = "{url}"')

    assert problem.key == "database.url"
    assert "word@" not in str(problem)


def test_the_password_of_the_database_is_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[database]\nurl = "postgresql+psycopg://syncd@db/syncd"\npassword_secret = "DB_PASSWORD"'
    monkeypatch.setenv("DB_PASSWORD", "p@ss/word")

    database = read(tmp_path, text).database

    assert make_url(database.url_with_password()).password == "p@ss/word"
    assert "p@ss" not in repr(database)


def test_secrets_that_cannot_be_had_join_the_other_problems(tmp_path: Path) -> None:
    path = tmp_path / "syncd.toml"
    path.write_text(WAREHOUSE + ACCOUNT + 'previous_client_secret = "OLD_SECRET"\nx = 1')

    with pytest.raises(ConfigError) as caught:
        load(path, with_secrets=True)

    assert [problem.key for problem in caught.value.problems] == [
        "account[shop].shopify.x",
        "account[shop].shopify.client_secret",
        "account[shop].shopify.previous_client_secret",
    ]
    assert "LoadCredential=OLD_SECRET" in caught.value.problems[2].remedy


def test_check_secrets_looks_at_a_loaded_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = read(tmp_path, WAREHOUSE + ACCOUNT)

    assert [problem.key for problem in check_secrets(config)] == ["account[shop].shopify.client_secret"]
    monkeypatch.setenv("SHOP_SECRET", "x")
    assert check_secrets(config) == []


def test_a_secret_written_into_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    problem = only_problem(tmp_path, WAREHOUSE + ACCOUNT.replace("SHOP_SECRET", "shpss_0123456789abcdef"))

    assert problem.key == "account[shop].shopify.client_secret"
    assert "shpss_" not in str(problem)


@pytest.mark.parametrize("postcode", ['"1000A"', '"9021"', "10001"])
def test_a_zip_code_has_five_digits_in_quotes(tmp_path: Path, postcode: str) -> None:
    assert read(tmp_path, f'{WAREHOUSE}postcode = "01002"').warehouses[0].postcode == "01002"
    assert only_problem(tmp_path, f"{WAREHOUSE}postcode = {postcode}").key == "warehouse[main].postcode"


# --- Amazon, eBay and outside warehouses ----------------------------------------------------------------------

AMAZON = """
[[account]]
key = "amazon-us"
channel = "amazon"
warehouses = ["main"]
[account.amazon]
seller_id = "A1SELLER"
marketplace_ids = ["ATVPDKIKX0DER"]
client_id = "app"
client_secret = "AMAZON_SECRET"
refresh_token_secret = "AMAZON_REFRESH"
[account.amazon.queue]
url = "https://sqs.us-east-1.amazonaws.com/1/orders"
region = "us-east-1"
access_key_id = "AKIA"
secret_access_key_secret = "QUEUE_SECRET"
"""
EBAY = """
[[account]]
key = "ebay-us"
channel = "ebay"
warehouses = ["main"]
[account.ebay]
client_id = "app"
client_secret = "EBAY_SECRET"
refresh_token_secret = "EBAY_REFRESH"
"""
BOB = """
[[warehouse]]
key = "bob"
kind = "3pl"
country = "US"
[warehouse.shipbob]
token_secret = "BOB_TOKEN"
channel_id = 7
"""
FBA = """
[[warehouse]]
key = "fba"
kind = "fba"
country = "US"
account = "amazon-us"
"""


def test_all_vendors_stand_in_one_file(tmp_path: Path) -> None:
    config = read(tmp_path, WAREHOUSE + BOB + FBA + ACCOUNT + AMAZON + EBAY)

    shop, amazon, ebay = config.accounts
    assert amazon.amazon is not None
    assert ebay.ebay is not None
    assert (shop.amazon, amazon.shopify, ebay.shopify) == (None, None, None)
    assert amazon.amazon.host == "https://sellingpartnerapi-na.amazon.com"
    assert ebay.ebay.marketplace_id == "EBAY_US"
    assert [warehouse.account for warehouse in config.warehouses] == [None, None, "amazon-us"]
    assert config.warehouses[1].shipbob is not None


@pytest.mark.parametrize(
    ("text", "key", "told"),
    [
        (WAREHOUSE + AMAZON.replace('channel = "amazon"', 'channel = "ebay"'), "account[amazon-us].ebay", "is missing"),
        (WAREHOUSE + FBA + EBAY, "warehouse[fba].account", "no Amazon account has the key 'amazon-us'"),
        (WAREHOUSE + BOB.replace("3pl", "own"), "warehouse[bob].shipbob", "this warehouse is of kind own"),
        (
            WAREHOUSE + AMAZON.replace("ATVPDKIKX0DER", "US"),
            "account[amazon-us].amazon.marketplace_ids[0]",
            "is not an",
        ),
        (
            WAREHOUSE + AMAZON + AMAZON.replace("amazon-us", "other"),
            "account[other].amazon.seller_id",
            "is there twice",
        ),
        (WAREHOUSE + EBAY + "[clock]\nrecord = 'c.json'\n", "account[ebay-us].ebay.base_url", "is the real vendor's"),
    ],
)
def test_what_does_not_fit_a_vendor_is_told(tmp_path: Path, text: str, key: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)

    found = {problem.key: problem.problem for problem in caught.value.problems}
    assert told in found[key]

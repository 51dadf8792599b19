"""A first configuration as text, with a word on what a person may want to change, and no secret in it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from syncd.accounts.answers import AccountAnswer, Answers, WarehouseAnswer, location_of, region_of, shop_address

_HEAD = """\
# The configuration of syncd. What is left out takes its default; relative paths count from the folder of this file.
# `syncd check` tells what is wrong. A key that ends with `_secret` names a secret: its value is read from the file of
# that name which systemd hands over (LoadCredential=), or else from the environment variable, and never stands here.
"""


def configuration(answers: Answers) -> str:
    """The file, section by section."""
    sections = [_HEAD, "\n".join(_database(answers)), "\n".join(_http(answers))]
    sections += ["\n".join(_warehouse(each)) for each in answers.warehouses]
    sections += ["\n".join(_account(each)) for each in answers.accounts]
    sections.append("\n".join(_alerts(answers)))
    return "\n".join(f"{section.rstrip()}\n" for section in sections)


def secrets_of(answers: Answers) -> list[tuple[str, str]]:
    """(name, what it is) of every secret that the file names."""
    found = [(answers.password_secret, "the database's password")] if answers.password_secret else []
    for account in answers.accounts:
        for name, what in _account_secrets(account):
            found.append((_secret(account.key, name), what))
    for warehouse in answers.warehouses:
        if warehouse.shipbob_channel:
            found.append((_secret(warehouse.key, "token"), f"{warehouse.key}: ShipBob's personal access token"))
    return found


def _account_secrets(account: AccountAnswer) -> list[tuple[str, str]]:
    key = account.key
    if account.channel == "shopify":
        return [("client_secret", f"{key}: the app's client secret, from Shopify's Dev Dashboard")]
    if account.channel == "amazon":
        return [
            ("client_secret", f"{key}: the app's LWA client secret, from Seller Central"),
            ("refresh_token", f"{key}: the refresh token, from authorising the app"),
        ]
    return [
        ("client_secret", f"{key}: the production keyset's Cert ID, from eBay's developer portal"),
        ("refresh_token", f"{key}: the refresh token of the seller's consent"),
        ("verification_token", f"{key}: made up by you, 32 to 80 characters (openssl rand -hex 32)"),
    ]


def _database(answers: Answers) -> Iterator[str]:
    yield "[database]"
    yield "# SQLite for one machine, or postgresql+psycopg://USER@HOST/NAME with a password_secret."
    yield f"url = {_text(answers.database)}"
    if answers.password_secret:
        yield f"password_secret = {_text(answers.password_secret)}"


def _http(answers: Answers) -> Iterator[str]:
    yield "[http]"
    yield "# The status page, the API and the webhooks. Put a proxy with TLS before it to be reached from outside."
    yield 'host = "127.0.0.1"'
    yield "port = 8480"
    yield "# Where vendors reach us; without it orders come by polling alone."
    if answers.public_url:
        yield f"public_url = {_text(answers.public_url)}"
    else:
        yield '# public_url = "https://stock.example.com"'
    yield "# The token by which programs and browsers may see page, metrics and API; without it only this machine may."
    yield '# api_token_secret = "SYNCD_API_TOKEN"'


def _warehouse(place: WarehouseAnswer) -> Iterator[str]:
    yield "[[warehouse]]"
    yield f"key = {_text(place.key)} # yours, for ever"
    yield f"name = {_text(place.name or place.key)}"
    yield f"kind = {_text(place.kind)} # own, 3pl or fba"
    yield f"country = {_text(place.country)}"
    if place.postcode:
        yield f"postcode = {_text(place.postcode)}"
    else:
        yield '# postcode = "10001" # for policy = "nearest"'
    yield f"time_zone = {_text(place.time_zone)}"
    if place.account:
        yield f"account = {_text(place.account)} # whose FBA stock it is"
    if place.shipbob_channel:
        yield ""
        yield "[warehouse.shipbob]"
        yield f"token_secret = {_text(_secret(place.key, 'token'))}"
        yield f"channel_id = {place.shipbob_channel}"


def _account(account: AccountAnswer) -> Iterator[str]:
    yield "[[account]]"
    yield f"key = {_text(account.key)} # yours, for ever"
    yield f"channel = {_text(account.channel)}"
    yield "# Whose stock it may sell; the order is the rank."
    yield f"warehouses = [{', '.join(_text(each) for each in account.warehouses)}]"
    yield 'policy = "priority" # priority, nearest, cheapest or fewest_splits'
    yield "# Units of every listing kept back against two channels selling the last one at once."
    yield f"buffer = {account.buffer}"
    yield ""
    yield f"[account.{account.channel}]"
    yield from {"shopify": _shopify, "amazon": _amazon, "ebay": _ebay}[account.channel](account)


def _shopify(account: AccountAnswer) -> Iterator[str]:
    yield f"base_url = {_text(shop_address(account.told['shop']))}"
    yield f"client_id = {_text(account.told['client_id'])}"
    yield f"client_secret = {_text(_secret(account.key, 'client_secret'))}"
    if "location" not in account.told:
        yield "# The one location whose numbers are set: `syncd check` names those there are."
    yield f"location = {_text(location_of(account.told.get('location', '1')))}"


def _amazon(account: AccountAnswer) -> Iterator[str]:
    marketplaces = [each for each in account.told.get("marketplaces", "ATVPDKIKX0DER").split("+") if each]
    yield f"region = {_text(region_of(marketplaces[0]) if marketplaces else 'na')} # na, eu or fe"
    yield f"seller_id = {_text(account.told['seller_id'])}"
    yield "# Those of one region; listings are read and written in the first."
    yield f"marketplace_ids = [{', '.join(_text(each) for each in marketplaces)}]"
    yield f"client_id = {_text(account.told['client_id'])}"
    yield f"client_secret = {_text(_secret(account.key, 'client_secret'))}"
    yield f"refresh_token_secret = {_text(_secret(account.key, 'refresh_token'))}"
    if base_url := account.told.get("base_url"):
        yield f"base_url = {_text(base_url)}"
        yield f"token_url = {_text(base_url.rstrip('/') + '/auth/o2/token')}"
    yield "# For news within seconds: [account.amazon.queue], see the example configuration."


def _ebay(account: AccountAnswer) -> Iterator[str]:
    yield f"client_id = {_text(account.told['client_id'])}"
    yield f"client_secret = {_text(_secret(account.key, 'client_secret'))}"
    yield f"refresh_token_secret = {_text(_secret(account.key, 'refresh_token'))}"
    yield f"verification_token_secret = {_text(_secret(account.key, 'verification_token'))}"
    yield f"marketplace_id = {_text(account.told.get('marketplace', 'EBAY_US'))}"
    if base_url := account.told.get("base_url"):
        yield f"base_url = {_text(base_url)}"


def _alerts(answers: Answers) -> Iterator[str]:
    yield "# Who is told when something is wrong. Without a route nobody is: alerts are on the status page alone."
    yield "[alerts]"
    yield 'language = "en" # en or zh'
    yield f"time_zone = {_text(answers.warehouses[0].time_zone)} # of the times in messages, and of digest_at"
    yield 'digest_at = "08:00" # a daily report, also when all is well; "never" for none'
    yield "# Take the # off for a chat room, hand the secret over, and run `syncd alert test`. There are also teams,"
    yield "# telegram, discord, dingtalk, wecom, feishu and email: the example configuration shows each."
    yield "# [[alerts.route]]"
    yield '# name = "ops-chat"'
    yield '# kind = "slack"'
    yield '# url_secret = "SLACK_WEBHOOK_URL"'


def _secret(key: str, name: str) -> str:
    """The name of a secret of an account or a warehouse: `SHOP_CLIENT_SECRET`. It begins with no digit."""
    prefix = key.upper().replace("-", "_")
    return f"{'S' if prefix[:1].isdigit() else ''}{prefix}_{name.upper()}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)

"""What an account's settings alone give away: the slips of a first day, told before anybody is asked. Pure.

Secrets are looked at by their beginnings only, and never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from adapters.amazon.marketplaces import COUNTRIES
from syncd.accounts.findings import Finding, odd, wrong
from syncd.config import Account, Amazon, Ebay, Shipbob, Shopify
from syncd.config.values import is_here

REGION_OF: Final = {
    **dict.fromkeys(("US", "CA", "MX", "BR"), "na"),
    **dict.fromkeys(("SG", "AU", "JP"), "fe"),
}
"""Every other country is served from `eu` (developer-docs.amazon.com/sp-api/docs/sp-api-endpoints, 2026)."""


def mistakes_of_account(account: Account, secrets: dict[str, str]) -> list[Finding]:
    """`secrets` are the values by the name of their setting."""
    subject = f"account {account.key}"
    if account.shopify is not None:
        return list(_shopify(subject, account.shopify, secrets))
    if account.amazon is not None:
        return list(_amazon(subject, account.amazon, secrets))
    if account.ebay is not None:
        return list(_ebay(subject, account.ebay, secrets))
    return []


def mistakes_of_shipbob(subject: str, at: Shipbob) -> list[Finding]:
    if "sandbox" in _host(at.base_url):
        return [odd(subject, "base_url is ShipBob's sandbox", "Write https://api.shipbob.com for real parcels")]
    return []


def _shopify(subject: str, shop: Shopify, secrets: dict[str, str]) -> Iterator[Finding]:
    host = _host(shop.base_url)
    if not is_here(shop.base_url) and not re.fullmatch(r"[a-z0-9][a-z0-9-]*\.myshopify\.com", host):
        yield wrong(
            subject,
            f"{host} is not the name that Shopify's API goes by",
            "Write https://NAME.myshopify.com as base_url; the admin shows it under Settings, Domains",
        )
    secret = secrets.get("client_secret", "")
    if re.match(r"shp(at|ca|pa)_", secret):
        yield wrong(
            subject,
            "the client secret is an access token",
            "Hand over the app's client secret from the Dev Dashboard; syncd gets its tokens by itself",
        )
    if secret and secret == shop.client_id:
        yield wrong(subject, "the client secret is the client id", "Hand over the secret that stands below it")


def _amazon(subject: str, seller: Amazon, secrets: dict[str, str]) -> Iterator[Finding]:
    for marketplace in seller.marketplace_ids:
        country = COUNTRIES.get(marketplace)
        if country is None:
            yield odd(subject, f"{marketplace} is no marketplace that we know", "Compare it with Amazon's list")
            continue
        region = REGION_OF.get(country, "eu")
        if region != seller.region and seller.base_url is None:
            yield wrong(
                subject,
                f"{marketplace} ({country}) is served from region {region}, the account says {seller.region}",
                f'Write region = "{region}", or move this marketplace into an account of its own',
            )
    if "sandbox." in _host(seller.host):
        yield wrong(
            subject,
            "base_url is Amazon's sandbox, which answers with made-up data",
            "Take base_url out: the address follows from the region",
        )
    if not is_here(seller.host):
        yield from _amazon_secrets(subject, seller, secrets)


def _amazon_secrets(subject: str, seller: Amazon, secrets: dict[str, str]) -> Iterator[Finding]:
    if not seller.client_id.startswith("amzn1.application-oa2-client."):
        yield wrong(
            subject,
            "client_id is no LWA client id, which begins with amzn1.application-oa2-client.",
            "Seller Central shows it under Develop Apps, View beside LWA credentials; the app's own id is another",
        )
    if secrets.get("refresh_token_secret", "Atzr|").startswith("Atza|"):
        yield wrong(
            subject,
            "the refresh token is an access token, which dies within an hour",
            "Authorise the app in Seller Central and hand over the refresh token, which begins with Atzr|",
        )
    elif not secrets.get("refresh_token_secret", "Atzr|").startswith("Atzr|"):
        yield wrong(
            subject,
            "the refresh token does not begin with Atzr|",
            "Authorise the app in Seller Central and hand over the refresh token it shows, whole",
        )


def _ebay(subject: str, seller: Ebay, secrets: dict[str, str]) -> Iterator[Finding]:
    host = _host(seller.base_url)
    real, sandbox = host == "api.ebay.com", host == "api.sandbox.ebay.com"
    cert = secrets.get("client_secret", "")
    for name, is_sandbox, is_real in (
        ("client_id", "-SBX-" in seller.client_id, "-PRD-" in seller.client_id),
        ("the client secret", cert.startswith("SBX-"), cert.startswith("PRD-")),
    ):
        if real and is_sandbox:
            yield wrong(
                subject,
                f"{name} is of a sandbox keyset, and base_url is the real eBay",
                "Take the production keyset of eBay's developer portal, and the seller's consent given to it",
            )
        if sandbox and is_real:
            yield wrong(
                subject,
                f"{name} is of the production keyset, and base_url is eBay's sandbox",
                "Take base_url out: the real eBay is the default",
            )
    if real and not secrets.get("refresh_token_secret", "v^1.1#").startswith("v^1.1#"):
        yield odd(
            subject,
            "the refresh token does not look like one of eBay's, which begin with v^1.1#",
            "Hand over what eBay calls refresh_token, whole and not percent-encoded",
        )


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()

"""What a seller says about an account at a vendor: one table a vendor, under its account or warehouse."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import Field

from syncd.config.values import ApiVersion, BaseUrl, Location, Positive, SecretName, Table, Text, Url, matches

AMAZON_HOSTS: Final = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}


def _marketplace_id(text: str) -> bool:
    return re.fullmatch(r"A[0-9A-Z]{9,15}", text) is not None


def _ebay_marketplace(text: str) -> bool:
    return re.fullmatch(r"EBAY_[A-Z]+(_[A-Z]+)?", text) is not None


def _shipbob_version(text: str) -> bool:
    return re.fullmatch(r"20[0-9]{2}-[01][0-9]", text) is not None


MarketplaceId = Annotated[
    str, matches(_marketplace_id, "is not an Amazon marketplace id", "Write one like ATVPDKIKX0DER")
]
EbayMarketplace = Annotated[
    str, matches(_ebay_marketplace, "is not an eBay marketplace", "Write one like EBAY_US or EBAY_DE")
]
ShipbobVersion = Annotated[
    str, matches(_shipbob_version, "is not a version of ShipBob's API", "Write one like 2026-01")
]
Number = Annotated[int, Field(strict=True, ge=1)]


class Shopify(Table):
    base_url: BaseUrl
    client_id: Text
    client_secret: SecretName
    previous_client_secret: SecretName | None = None  # webhooks may still be signed with it
    location: Location
    api_version: ApiVersion = "2026-10"
    poll_every_s: Positive = 60.0


class AmazonQueue(Table):
    """The seller's own SQS queue that Amazon sends notifications to."""

    url: Url
    region: Text
    endpoint_url: BaseUrl | None = None  # None: AWS itself
    access_key_id: Text
    secret_access_key_secret: SecretName


class Amazon(Table):
    region: Literal["na", "eu", "fe"] = "na"
    base_url: BaseUrl | None = None  # None: the region's
    token_url: Url = "https://api.amazon.com/auth/o2/token"  # noqa: S105 - an address
    seller_id: Text
    marketplace_ids: Annotated[tuple[MarketplaceId, ...], Field(min_length=1, max_length=50)]
    client_id: Text
    client_secret: SecretName
    refresh_token_secret: SecretName
    queue: AmazonQueue | None = None  # without it orders come by polling alone, some three minutes late
    poll_every_s: Positive = 180.0  # what Amazon's quota for order searches allows

    @property
    def host(self) -> str:
        return self.base_url or AMAZON_HOSTS[self.region]


class Ebay(Table):
    base_url: BaseUrl = "https://api.ebay.com"
    client_id: Text
    client_secret: SecretName
    refresh_token_secret: SecretName
    marketplace_id: EbayMarketplace = "EBAY_US"
    verification_token_secret: SecretName | None = None  # without it eBay sends no notifications
    poll_every_s: Positive = 120.0


class Shipbob(Table):
    base_url: BaseUrl = "https://api.shipbob.com"
    token_secret: SecretName
    channel_id: Number
    location_id: Number | None = None  # None: all its locations together
    webhook_secret: SecretName | None = None
    api_version: ShipbobVersion = "2026-01"
    poll_every_s: Positive = 120.0

"""What a seller tells us about one Shopify shop."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LOCATION = re.compile(r"gid://shopify/Location/[0-9]+")


@dataclass(frozen=True, slots=True)
class ShopifySettings:
    """One shop, one location. `location` is the gid of the location whose `available` is ours to set.

    `previous_client_secret` still verifies webhooks after a rotation (Shopify signs with it for up to an hour).
    """

    base_url: str  # https://<shop>.myshopify.com: custom domains do not answer the Admin API
    client_id: str
    client_secret: str = field(repr=False)
    previous_client_secret: str | None = field(repr=False)
    location: str
    api_version: str = "2026-10"
    poll_every_s: float = 60.0
    page_size: int = 100  # orders a page; requested cost about 290 of the 1000 allowed
    request_timeout_real_s: float = 10.0

    def __post_init__(self) -> None:
        if not _LOCATION.fullmatch(self.location):
            raise ValueError("location must be gid://shopify/Location/<number>")
        if not 1 <= self.page_size <= 250:
            raise ValueError("page_size must be between 1 and 250")
        if not self.client_secret:
            raise ValueError("client_secret must not be empty")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The webhook secrets, current first."""
        return tuple(secret for secret in (self.client_secret, self.previous_client_secret) if secret)

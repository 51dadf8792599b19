"""What a seller tells us about one ShipBob account."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field

import httpx

_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}")
SECRET_PREFIX = "whsec_"  # noqa: S105  the mark of a secret, not one
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32}")  # ShipBob takes no other


@dataclass(frozen=True, slots=True)
class ShipbobSettings:
    """One channel of one account. `location_id` None: stock is that of every location, and ShipBob chooses.

    `webhook_secret` is the seller's to make up, and goes to ShipBob with the subscription; without it no webhook is
    believed. `shipping_method` must be one that the account maps to a service.
    """

    base_url: str  # https://api.shipbob.com
    token: str = field(repr=False)
    channel_id: int
    location_id: int | None
    webhook_secret: str | None = field(repr=False)
    api_version: str = "2026-01"
    poll_every_s: float = 120.0
    request_timeout_real_s: float = 15.0
    shipping_method: str = "Standard"

    def __post_init__(self) -> None:
        url = httpx.URL(self.base_url)
        if not url.host or url.path not in ("", "/"):
            raise ValueError("base_url must be a scheme and a host without a path, such as https://api.shipbob.com")
        if not self.token:
            raise ValueError("token must not be empty")
        if not _VERSION.fullmatch(self.api_version):
            raise ValueError("api_version must look like 2026-01")
        if self.webhook_secret is not None and not _SECRET.fullmatch(self.webhook_secret):
            raise ValueError(
                "webhook_secret must be whsec_ and 32 characters of base64: echo whsec_$(openssl rand -base64 24)"
            )


def signing_key(secret: str) -> bytes:
    """The key inside a `whsec_` secret; empty when there is none."""
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        return b""

"""What a seller tells us about one eBay account on one marketplace."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_MARKETPLACE = re.compile(r"EBAY_[A-Z]{2,}(_[A-Z]+)*")
_VERIFICATION_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,80}")  # as createDestination demands it
_LANGUAGE = re.compile(r"[a-z]{2}-[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class EbaySettings:
    """One eBay user on one marketplace. Without a verification token eBay cannot be asked to send its news: they are
    polled only.
    """

    base_url: str  # https://api.ebay.com, or the sandbox's
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)  # of the seller's consent; lives about 18 months and does not rotate
    marketplace_id: str  # EBAY_US, EBAY_DE, ...
    verification_token: str | None = field(repr=False)  # we choose it; proves that the webhook address is ours
    content_language: str = "en-US"
    poll_every_s: float = 120.0
    request_timeout_real_s: float = 15.0

    def __post_init__(self) -> None:
        for name in ("client_id", "client_secret", "refresh_token"):
            if not getattr(self, name):
                raise ValueError(f"{name} must not be empty")
        if not _MARKETPLACE.fullmatch(self.marketplace_id):
            raise ValueError("marketplace_id must be one of eBay's, such as EBAY_US")
        if self.verification_token is not None and not _VERIFICATION_TOKEN.fullmatch(self.verification_token):
            raise ValueError("verification_token must have 32 to 80 letters, digits, hyphens or underscores")
        if not _LANGUAGE.fullmatch(self.content_language):
            raise ValueError("content_language must be such as en-US")

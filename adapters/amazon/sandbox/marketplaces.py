"""The storefronts that a sandbox seller may sell in, and what FBA is called there."""

from __future__ import annotations

from dataclasses import dataclass

MFN_CHANNEL = "DEFAULT"


@dataclass(frozen=True, slots=True)
class Marketplace:
    id: str
    name: str
    country: str
    fba_channel: str


_KNOWN = {
    one.id: one
    for one in (
        Marketplace("ATVPDKIKX0DER", "Amazon.com", "US", "AMAZON_NA"),
        Marketplace("A2EUQ1WTGCTBG2", "Amazon.ca", "CA", "AMAZON_NA"),
        Marketplace("A1AM78C64UM0Y8", "Amazon.com.mx", "MX", "AMAZON_NA"),
        Marketplace("A1F83G8C2ARO7P", "Amazon.co.uk", "GB", "AMAZON_EU"),
        Marketplace("A1PA6795UKMFR9", "Amazon.de", "DE", "AMAZON_EU"),
        Marketplace("A13V1IB3VIYZZH", "Amazon.fr", "FR", "AMAZON_EU"),
        Marketplace("APJ6JRA9NG5V4", "Amazon.it", "IT", "AMAZON_EU"),
        Marketplace("A1RKKUPIHCS9HS", "Amazon.es", "ES", "AMAZON_EU"),
        Marketplace("A1VC38T7YXB528", "Amazon.co.jp", "JP", "AMAZON_JP"),
    )
}


def marketplace(marketplace_id: str) -> Marketplace:
    """What is known of a marketplace; one that isn't known is taken for a North American one."""
    return _KNOWN.get(marketplace_id) or Marketplace(marketplace_id, "Amazon.com", "US", "AMAZON_NA")

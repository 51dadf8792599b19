"""Facts about marketplaces that show in answers."""

from __future__ import annotations

_LOCALES = {
    "EBAY_US": "en_US",
    "EBAY_GB": "en_GB",
    "EBAY_AU": "en_AU",
    "EBAY_CA": "en_CA",
    "EBAY_IE": "en_IE",
    "EBAY_DE": "de_DE",
    "EBAY_AT": "de_AT",
    "EBAY_CH": "de_CH",
    "EBAY_FR": "fr_FR",
    "EBAY_BE": "nl_BE",
    "EBAY_IT": "it_IT",
    "EBAY_ES": "es_ES",
    "EBAY_NL": "nl_NL",
    "EBAY_PL": "pl_PL",
}


def locale_of(marketplace_id: str) -> str:
    return _LOCALES.get(marketplace_id, "en_US")


def country_of(marketplace_id: str) -> str:
    """Where the seller's goods lie and buyers live unless they say otherwise."""
    return locale_of(marketplace_id)[-2:]

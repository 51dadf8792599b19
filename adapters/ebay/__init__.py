"""eBay: the Sell Inventory and Fulfillment REST APIs and signed notifications, as a `Channel`."""

from adapters.ebay.client import EbayChannel
from adapters.ebay.settings import EbaySettings
from adapters.ebay.traits import ebay_traits

__all__ = ["EbayChannel", "EbaySettings", "ebay_traits"]

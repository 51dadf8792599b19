"""syncd: keeps one seller's stock true across Amazon, Shopify and eBay."""

__version__ = "0.1.0"

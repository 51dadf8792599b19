"""The Shopify adapter, without a network."""

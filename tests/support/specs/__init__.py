"""The vendors' own specifications as judges of recorded HTTP: `amazon`, `ebay`, `shipbob`, `shopify`."""

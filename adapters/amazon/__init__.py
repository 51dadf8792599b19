"""Amazon: the Selling Partner API and its notifications as a `Channel`, and FBA's levels as a `StockSource`."""

from adapters.amazon.client import AmazonChannel
from adapters.amazon.settings import AmazonSettings, QueueSettings
from adapters.amazon.stock import AmazonStock
from adapters.amazon.traits import amazon_traits, fba_traits

__all__ = ["AmazonChannel", "AmazonSettings", "AmazonStock", "QueueSettings", "amazon_traits", "fba_traits"]

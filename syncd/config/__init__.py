"""The configuration: a TOML file, read into frozen models, with everything wrong in it told at once.

Relative paths count from the folder of the file. Secrets are only named here; `syncd.secrets` knows their values.
"""

from syncd.config.alerts import Alerts, Route, Webhook
from syncd.config.load import check_secrets, load
from syncd.config.model import Account, ChannelKind, Config, Policy, Warehouse, WarehouseKind
from syncd.config.vendors import Amazon, AmazonQueue, Ebay, Shipbob, Shopify

__all__ = [
    "Account",
    "Alerts",
    "Amazon",
    "AmazonQueue",
    "ChannelKind",
    "Config",
    "Ebay",
    "Policy",
    "Route",
    "Shipbob",
    "Shopify",
    "Warehouse",
    "WarehouseKind",
    "Webhook",
    "check_secrets",
    "load",
]

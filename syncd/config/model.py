"""The configuration's tables, as frozen models."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import make_url

from syncd import secrets
from syncd.config.alerts import Alerts, Webhook
from syncd.config.values import (
    Country,
    Currency,
    DatabaseUrl,
    FilePath,
    Key,
    Minor,
    Pool,
    Positive,
    SecretName,
    Table,
    Text,
    TimeZone,
    Url,
    Whole,
    Zone,
)
from syncd.config.vendors import Amazon, Ebay, Shipbob, Shopify


class WarehouseKind(StrEnum):
    OWN = "own"
    THIRD_PARTY = "3pl"
    FBA = "fba"


class ChannelKind(StrEnum):
    SHOPIFY = "shopify"
    AMAZON = "amazon"
    EBAY = "ebay"


class Policy(StrEnum):
    """How an order's warehouses are chosen from its pool."""

    PRIORITY = "priority"
    NEAREST = "nearest"
    CHEAPEST = "cheapest"
    FEWEST_SPLITS = "fewest_splits"


class Database(Table):
    url: DatabaseUrl = Field(default="sqlite:///syncd.db", validate_default=True)
    password_secret: SecretName | None = None

    def url_with_password(self) -> str:
        """The URL to connect with; never log it. Raises SecretMissing."""
        if self.password_secret is None:
            return self.url
        password = secrets.resolve(self.password_secret).get_secret_value()
        return make_url(self.url).set(password=password).render_as_string(hide_password=False)


class Http(Table):
    host: Text = "127.0.0.1"
    port: Annotated[Whole, Field(le=65535)] = 8480  # 0: any free one
    public_url: Url | None = None
    api_token_secret: SecretName | None = None  # without one only this machine may look


class Clock(Table):
    record: FilePath | None = None  # a demo's; without it, real time


class Log(Table):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Stock(Table):
    stock_max_age_hours: Positive = 24.0


class Buyers(Table):
    recipient_days: Positive = 30.0  # after an order's last shipment its recipient is erased


class Cost(Table):
    currency: Currency = "USD"


class Rate(Table):
    """What shipping into a zone costs, in minor units of the cost currency."""

    zone: Zone
    per_parcel_minor: Minor = Field(alias="per_parcel")
    per_unit_minor: Minor = Field(default=0, alias="per_unit")


class Warehouse(Table):
    key: Key
    name: Text | None = None
    kind: WarehouseKind
    country: Country
    postcode: Text | None = None
    time_zone: TimeZone = "UTC"
    rates: tuple[Rate, ...] = ()
    shipbob: Shipbob | None = None  # a 3PL's API; without one its stock comes from `syncd import stock`
    account: Key | None = None  # FBA: the Amazon account whose stock it is

    @property
    def label(self) -> str:
        """What people see: the name, or else the key."""
        return self.name or self.key


class Account(Table):
    key: Key
    channel: ChannelKind
    warehouses: Pool  # the pool; its order is the rank
    policy: Policy = Policy.PRIORITY
    buffer: Whole = 0  # units of the listing, kept back
    cap: Whole | None = None
    time_zone: TimeZone = "UTC"
    shopify: Shopify | None = None  # the table of the account's channel is there, and no other
    amazon: Amazon | None = None
    ebay: Ebay | None = None


class Config(Table):
    database: Database = Field(default_factory=lambda: Database())
    http: Http = Http()
    clock: Clock = Clock()
    log: Log = Log()
    stock: Stock = Stock()
    buyers: Buyers = Buyers()
    cost: Cost = Cost()
    warehouses: tuple[Warehouse, ...] = Field(default=(), alias="warehouse")
    accounts: tuple[Account, ...] = Field(default=(), alias="account")
    alerts: Alerts = Alerts()
    webhooks: tuple[Webhook, ...] = Field(default=(), alias="webhook")

"""The configuration: a TOML file, read into frozen models, with everything wrong in it told at once.

Relative paths count from the folder of the file. Secrets are only named here; `syncd.secrets` knows their values.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails, PydanticCustomError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from syncd import secrets
from syncd.errors import EXAMPLE, ConfigError, ConfigProblem, dotted, explain, leaves, place_name, suggest
from syncd.geography import is_country, is_zone
from syncd.money import EXPONENTS, MoneyError, to_minor


class WarehouseKind(StrEnum):
    OWN = "own"
    THIRD_PARTY = "3pl"
    FBA = "fba"


class ChannelKind(StrEnum):
    SHOPIFY = "shopify"


class Policy(StrEnum):
    """How an order's warehouses are chosen from its pool."""

    PRIORITY = "priority"
    NEAREST = "nearest"
    CHEAPEST = "cheapest"
    FEWEST_SPLITS = "fewest_splits"


def load(path: Path, *, with_secrets: bool = False) -> Config:
    """Read and check a configuration; `with_secrets`: check too that every secret it names can be had.

    Raises ConfigError with every problem found.
    """
    raw = _read(path)
    currency = dict(leaves(raw)).get(("cost", "currency"), "USD")
    context = {"folder": path.resolve().parent, "currency": currency if currency in EXPONENTS else None}
    config, problems = None, []
    try:
        config = Config.model_validate({"database": {}, **raw}, context=context)
    except ValidationError as err:
        problems = [_problem(raw, error) for error in err.errors(include_url=False, include_input=False)]
    problems += _contradictions(raw)
    if with_secrets:
        problems += secrets.missing(raw)
    if config is None or problems:
        raise ConfigError(path, problems)
    return config


def check_secrets(config: Config) -> list[ConfigProblem]:
    """Every secret that the configuration names and that cannot be had."""
    return secrets.missing(config.model_dump(by_alias=True))


def _wrong(problem: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("syncd", "{problem}", {"problem": problem, "remedy": remedy})


def _is(fits: Callable[[str], object], problem: str, remedy: str) -> AfterValidator:
    """A check of a text; `problem` follows the text in the message."""

    def check(text: str) -> str:
        if not fits(text):
            raise _wrong(f"{text!r} {problem}", remedy)
        return text

    return AfterValidator(check)


def _country(code: str) -> str:
    if not is_country(code):
        meant = {"UK": "GB", "EL": "GR"}.get(code.upper(), code.upper())
        remedy = f"Write {meant}" if is_country(meant) else "Write two capital letters, like US or DE"
        raise _wrong(f"{code!r} is not an ISO 3166-1 country code", remedy)
    return code


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # unknown, a path, or a folder of zones
        known = available_timezones()
        remedy = (
            suggest(name, known, _EXAMPLE_TIME_ZONE) if known else "Install this system's time zone database (tzdata)"
        )
        raise _wrong(f"{name!r} is not a known time zone", remedy) from None
    return name


def _minor(amount: Any, info: ValidationInfo) -> int:
    currency = (info.context or {}).get("currency", "USD")
    if currency is None:
        return 0  # the currency itself is wrong, which is told already
    try:
        minor = to_minor(amount, currency)
    except MoneyError as err:
        raise _wrong(err.reason, f'Write an amount of {currency} in quotes, like "5"') from err
    if minor < 0:
        raise _wrong("must not be negative", "Write 0 if it costs nothing")
    return minor


def _secret_name(text: str) -> str:
    if problem := secrets.name_problem(text):
        raise _wrong(problem, "Write a name like SHOP_CLIENT_SECRET here, and hand the value over under that name")
    return text


def _url(text: str) -> str:
    try:
        address = urlsplit(text)
        plain = address.hostname and address.port != 0 and not address.query and not address.fragment
    except ValueError:
        plain = False
    if not plain or "@" in address.netloc or re.search(r"\s", text):
        raise _wrong("is not a plain web address", "Write it like https://my-shop.myshopify.com")
    if not (address.scheme == "https" or (address.scheme == "http" and _is_here(text))):
        raise _wrong("must begin with https://", "Plain http is for sandboxes on this machine only")
    return text.rstrip("/")


def _base_url(text: str) -> str:
    address = urlsplit(_url(text))
    if address.path:
        raise _wrong("must not have a path", f"Write {address.scheme}://{address.netloc}")
    return f"{address.scheme}://{address.netloc.lower()}"


def _is_here(text: str) -> bool:
    """Whether a web address stays on this machine."""
    try:
        host = urlsplit(text).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _pool(warehouses: tuple[str, ...]) -> tuple[str, ...]:
    if not warehouses:
        raise _wrong("is empty", "Name at least one warehouse")
    return warehouses


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path.cwd())
    return folder / path


def _database_url(text: str, info: ValidationInfo) -> str:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise _wrong("is not a database URL", "Write it like sqlite:///syncd.db") from None
    if url.password is not None or "password" in url.query:
        raise _wrong("must not contain a password", 'Take it out and name it: password_secret = "DATABASE_PASSWORD"')
    if url.drivername == "postgresql+psycopg":
        return text
    if url.drivername != "sqlite":
        remedy = "Write sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
        raise _wrong(f"{url.drivername} is no database for syncd", remedy)
    if not url.database or url.database == ":memory:":
        raise _wrong("names no file", "Stock must survive a restart: write sqlite:///syncd.db")
    return url.set(database=str(_from_folder(Path(url.database), info))).render_as_string()


_EXAMPLE_TIME_ZONE: Final = "Write one like Europe/Berlin"
_EXAMPLE_ZONE: Final = (
    'Write "domestic", "EU", "world", a country like "US", or a country with the first characters of its postcodes '
    'like "US:9" (at most 3 in the US, 4 in GB, 2 or 3 elsewhere)'
)


def _api_version(text: str) -> bool:
    return re.fullmatch(r"20[0-9]{2}-(01|04|07|10)", text) is not None


def _location(text: str) -> bool:
    return re.fullmatch(r"gid://shopify/Location/[1-9][0-9]*", text) is not None


def _key(text: str) -> bool:
    return re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", text) is not None


Text = Annotated[str, Field(min_length=1)]
Whole = Annotated[int, Field(strict=True, ge=0)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Minor = Annotated[int, BeforeValidator(_minor)]
Country = Annotated[str, AfterValidator(_country)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
SecretName = Annotated[str, AfterValidator(_secret_name)]
FilePath = Annotated[Path, AfterValidator(_from_folder)]
Key = Annotated[str, _is(_key, "cannot be a key", "Use lowercase letters, digits, hyphens and underscores")]
Zone = Annotated[str, _is(is_zone, "is not a zone", _EXAMPLE_ZONE)]
Currency = Annotated[str, _is(EXPONENTS.__contains__, "is no active ISO 4217 currency", "Write a code like USD or EUR")]
Location = Annotated[str, _is(_location, "is not a Shopify location", "Write gid://shopify/Location/NUMBER")]
ApiVersion = Annotated[str, _is(_api_version, "is not a version of Shopify's API", "Write one like 2026-10")]


class Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Database(Table):
    url: Annotated[str, AfterValidator(_database_url)] = Field(default="sqlite:///syncd.db", validate_default=True)
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
    public_url: Annotated[str, AfterValidator(_url)] | None = None


class Clock(Table):
    record: FilePath | None = None  # a demo's; without it, real time


class Log(Table):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Stock(Table):
    stock_max_age_hours: Positive = 24.0


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

    @property
    def label(self) -> str:
        """What people see: the name, or else the key."""
        return self.name or self.key


class Shopify(Table):
    base_url: Annotated[str, AfterValidator(_base_url)]
    client_id: Text
    client_secret: SecretName
    previous_client_secret: SecretName | None = None  # webhooks may still be signed with it
    location: Location
    api_version: ApiVersion = "2026-10"
    poll_every_s: Positive = 60.0


class Account(Table):
    key: Key
    channel: ChannelKind
    warehouses: Annotated[tuple[Text, ...], AfterValidator(_pool)]  # the pool; its order is the rank
    policy: Policy = Policy.PRIORITY
    buffer: Whole = 0  # units of the listing, kept back
    cap: Whole | None = None
    time_zone: TimeZone = "UTC"
    shopify: Shopify


class Config(Table):
    database: Database = Field(default_factory=lambda: Database())
    http: Http = Http()
    clock: Clock = Clock()
    log: Log = Log()
    stock: Stock = Stock()
    cost: Cost = Cost()
    warehouses: tuple[Warehouse, ...] = Field(default=(), alias="warehouse")
    accounts: tuple[Account, ...] = Field(default=(), alias="account")


# What must be there once only, and how many steps of its place bound that: a zone once in its warehouse.
_ONCE: Final = {
    "warehouse.key": 0,
    "warehouse.rates.zone": 2,
    "account.key": 0,
    "account.warehouses": 2,
    "account.shopify.base_url": 0,
}

_ZIP: Final = re.compile(r"[0-9]{5}(-[0-9]{4})?")

_TABLES: Final[dict[str, type[Table]]] = {
    "": Config,
    "database": Database,
    "http": Http,
    "clock": Clock,
    "log": Log,
    "stock": Stock,
    "cost": Cost,
    "warehouse": Warehouse,
    "warehouse.rates": Rate,
    "account": Account,
    "account.shopify": Shopify,
}


def _read(path: Path) -> dict[str, Any]:
    text = ""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text, parse_float=Decimal)
    except OSError as err:
        problem = ConfigProblem("", f"cannot be read ({err.strerror})", "Name a readable file with -c")
    except UnicodeDecodeError as err:
        problem = ConfigProblem("", f"byte {err.start + 1} is not UTF-8", "Save the file as UTF-8")
    except tomllib.TOMLDecodeError as err:
        what, _, where = str(err).removesuffix(")").rpartition(" (at ")
        if not where.startswith("line"):  # the end of the document
            where = f"line {text.count(chr(10)) + 1}, column {len(text) - text.rfind(chr(10))}"
        problem = ConfigProblem(where, f"is not TOML: {what}", EXAMPLE)
    raise ConfigError(path, [problem])


def _problem(raw: object, error: ErrorDetails) -> ConfigProblem:
    place, context = error["loc"], error.get("ctx", {})
    if error["type"] == "syncd":
        problem, remedy = context["problem"], context["remedy"]
    elif error["type"] == "extra_forbidden":
        table = _TABLES[dotted(place[:-1])]
        known = [field.alias or name for name, field in table.model_fields.items()]
        problem, remedy = "is not a known key", suggest(str(place[-1]), known, f"Known here are {', '.join(known)}")
    else:
        problem, remedy = explain(error["type"], error["msg"], context)
    return ConfigProblem(place_name(raw, place), problem, remedy)


def _contradictions(raw: object) -> Iterator[ConfigProblem]:
    """What no single value shows; from the raw tables, so that a wrong value elsewhere does not hide it."""
    values = dict(leaves(raw))
    texts = {place: value for place, value in values.items() if isinstance(value, str)}
    kinds = {
        text: values.get((*place[:-1], "kind")) for place, text in texts.items() if dotted(place) == "warehouse.key"
    }
    seen = set()
    for place, text in texts.items():
        name, key = place_name(raw, place), dotted(place)
        if key in _ONCE:
            once = (key, place[: _ONCE[key]], text.rstrip("/").lower())
            if once in seen:
                yield ConfigProblem(name, f"{text!r} is there twice", "Change this one, or take it out")
            seen.add(once)
        if key == "warehouse.postcode" and values.get((*place[:-1], "country")) == "US" and not _ZIP.fullmatch(text):
            yield ConfigProblem(name, f"{text!r} is not a ZIP code", "Write its five digits in quotes")
        if key == "account.warehouses" and text not in kinds:
            known = f"There is {', '.join(kinds)}" if kinds else "Describe it under [[warehouse]]"
            yield ConfigProblem(name, f"no warehouse has the key {text!r}", suggest(text, kinds, known))
        elif key == "account.warehouses" and kinds[text] == "fba" and values.get((*place[:2], "channel")) != "amazon":
            yield ConfigProblem(name, f"{text!r} is FBA, which serves Amazon alone", "Take it out of this pool")
        if key == "account.shopify.base_url" and ("clock", "record") in values and not _is_here(text):
            remedy = "Take [clock] out, or name a sandbox on this machine"
            yield ConfigProblem(name, "is a real shop, but [clock] is for demos", remedy)

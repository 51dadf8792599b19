"""The kinds of values a configuration is made of, each with the words for what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from syncd import secrets
from syncd.errors import suggest
from syncd.geography import is_country, is_zone
from syncd.money import EXPONENTS, MoneyError, to_minor


class Table(BaseModel):
    """A table of the file. What it does not know is told, and no value is repeated in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def wrong(problem: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("syncd", "{problem}", {"problem": problem, "remedy": remedy})


def matches(fits: Callable[[str], object], problem: str, remedy: str) -> AfterValidator:
    """A check of a text; `problem` follows the text in the message."""

    def check(text: str) -> str:
        if not fits(text):
            raise wrong(f"{text!r} {problem}", remedy)
        return text

    return AfterValidator(check)


def _country(code: str) -> str:
    if not is_country(code):
        meant = {"UK": "GB", "EL": "GR"}.get(code.upper(), code.upper())
        remedy = f"Write {meant}" if is_country(meant) else "Write two capital letters, like US or DE"
        raise wrong(f"{code!r} is not an ISO 3166-1 country code", remedy)
    return code


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # unknown, a path, or a folder of zones
        known = available_timezones()
        remedy = (
            suggest(name, known, _EXAMPLE_TIME_ZONE) if known else "Install this system's time zone database (tzdata)"
        )
        raise wrong(f"{name!r} is not a known time zone", remedy) from None
    return name


def _minor(amount: Any, info: ValidationInfo) -> int:
    currency = (info.context or {}).get("currency", "USD")
    if currency is None:
        return 0  # the currency itself is wrong, which is told already
    try:
        minor = to_minor(amount, currency)
    except MoneyError as err:
        raise wrong(err.reason, f'Write an amount of {currency} in quotes, like "5"') from err
    if minor < 0:
        raise wrong("must not be negative", "Write 0 if it costs nothing")
    return minor


def _secret_name(text: str) -> str:
    if problem := secrets.name_problem(text):
        raise wrong(problem, "Write a name like SHOP_CLIENT_SECRET here, and hand the value over under that name")
    return text


def url(text: str) -> str:
    try:
        address = urlsplit(text)
        plain = address.hostname and address.port != 0 and not address.query and not address.fragment
    except ValueError:
        plain = False
    if not plain or "@" in address.netloc or re.search(r"\s", text):
        raise wrong("is not a plain web address", "Write it like https://my-shop.myshopify.com")
    if not (address.scheme == "https" or (address.scheme == "http" and is_here(text))):
        raise wrong("must begin with https://", "Plain http is for sandboxes on this machine only")
    return text.rstrip("/")


def base_url(text: str) -> str:
    address = urlsplit(url(text))
    if address.path:
        raise wrong("must not have a path", f"Write {address.scheme}://{address.netloc}")
    return f"{address.scheme}://{address.netloc.lower()}"


def is_here(text: str) -> bool:
    """Whether a web address stays on this machine."""
    try:
        host = urlsplit(text).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def pool(warehouses: tuple[str, ...]) -> tuple[str, ...]:
    if not warehouses:
        raise wrong("is empty", "Name at least one warehouse")
    return warehouses


def from_folder(path: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path.cwd())
    return folder / path


def database_url(text: str, info: ValidationInfo) -> str:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise wrong("is not a database URL", "Write it like sqlite:///syncd.db") from None
    if url.password is not None or "password" in url.query:
        raise wrong("must not contain a password", 'Take it out and name it: password_secret = "DATABASE_PASSWORD"')
    if url.drivername == "postgresql+psycopg":
        return text
    if url.drivername != "sqlite":
        remedy = "Write sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
        raise wrong(f"{url.drivername} is no database for syncd", remedy)
    if not url.database or url.database == ":memory:":
        raise wrong("names no file", "Stock must survive a restart: write sqlite:///syncd.db")
    return url.set(database=str(from_folder(Path(url.database), info))).render_as_string()


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
FilePath = Annotated[Path, AfterValidator(from_folder)]
Key = Annotated[str, matches(_key, "cannot be a key", "Use lowercase letters, digits, hyphens and underscores")]
Zone = Annotated[str, matches(is_zone, "is not a zone", _EXAMPLE_ZONE)]
Currency = Annotated[
    str, matches(EXPONENTS.__contains__, "is no active ISO 4217 currency", "Write a code like USD or EUR")
]
Location = Annotated[str, matches(_location, "is not a Shopify location", "Write gid://shopify/Location/NUMBER")]
ApiVersion = Annotated[str, matches(_api_version, "is not a version of Shopify's API", "Write one like 2026-10")]
Url = Annotated[str, AfterValidator(url)]
BaseUrl = Annotated[str, AfterValidator(base_url)]
DatabaseUrl = Annotated[str, AfterValidator(database_url)]
Pool = Annotated[tuple[Text, ...], AfterValidator(pool)]

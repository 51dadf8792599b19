"""Read and check a configuration file; everything wrong in it is told at once."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from syncd import secrets
from syncd.config.alerts import Alerts, Route, Webhook
from syncd.config.contradictions import contradictions
from syncd.config.model import Account, Buyers, Clock, Config, Cost, Database, Http, Log, Rate, Stock, Warehouse
from syncd.config.values import Table
from syncd.config.vendors import Amazon, AmazonQueue, Ebay, Shipbob, Shopify
from syncd.errors import EXAMPLE, ConfigError, ConfigProblem, dotted, explain, leaves, place_name, suggest
from syncd.money import EXPONENTS


def load(path: Path, *, with_secrets: bool = False) -> Config:
    """Read and check a configuration; `with_secrets`: check too that every secret it names can be had.

    Raises ConfigError with every problem found.
    """
    raw = read(path)
    currency = dict(leaves(raw)).get(("cost", "currency"), "USD")
    context = {"folder": path.resolve().parent, "currency": currency if currency in EXPONENTS else None}
    config, problems = None, []
    try:
        config = Config.model_validate({"database": {}, **raw}, context=context)
    except ValidationError as err:
        problems = [_problem(raw, error) for error in err.errors(include_url=False, include_input=False)]
    problems += contradictions(raw)
    if with_secrets:
        problems += secrets.missing(raw)
    if config is None or problems:
        raise ConfigError(path, problems)
    return config


def check_secrets(config: Config) -> list[ConfigProblem]:
    """Every secret that the configuration names and that cannot be had."""
    return secrets.missing(config.model_dump(by_alias=True))


_TABLES: Final[dict[str, type[Table]]] = {
    "": Config,
    "database": Database,
    "http": Http,
    "clock": Clock,
    "log": Log,
    "stock": Stock,
    "buyers": Buyers,
    "cost": Cost,
    "warehouse": Warehouse,
    "warehouse.rates": Rate,
    "account": Account,
    "account.shopify": Shopify,
    "account.amazon": Amazon,
    "account.amazon.queue": AmazonQueue,
    "account.ebay": Ebay,
    "warehouse.shipbob": Shipbob,
    "alerts": Alerts,
    "alerts.route": Route,
    "webhook": Webhook,
}


def read(path: Path) -> dict[str, Any]:
    """The raw tables. Raises ConfigError for a file that cannot be read or is no TOML."""
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

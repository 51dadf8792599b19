"""Secrets by name: a file that systemd hands over, else a variable of the environment; never in the configuration."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from syncd.errors import ConfigProblem, SyncdError, dotted, leaves, place_name

_REMEDY: Final = (
    "Put the value into a file and hand that over with systemd's LoadCredential={name}:FILE, "
    "or set the environment variable {name}"
)
_ALONE: Final = "Hand over the value alone, on one line, as the vendor shows it: without quotes, names or comments"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_VALUE: Final = re.compile(r"shp(at|ca|pa|ss|ua|rt)_.*|[0-9a-fA-F]{24,}")  # Shopify's prefixes, or bare hexadecimals


class SecretMissing(SyncdError):
    """A secret that the configuration names cannot be had."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        self.remedy = _REMEDY.format(name=name)
        super().__init__(f"secret {name} {reason}. {self.remedy}")


def resolve(name: str) -> SecretStr:
    """The secret of that name, from $CREDENTIALS_DIRECTORY/NAME or else the environment. Raises SecretMissing.

    White space around it is cut off. Its value shows in no repr, str or log; `get_secret_value()` tells it.
    """
    value = _from_file(name)
    if value is None:
        value = os.environ.get(name)
    if value is None:
        raise SecretMissing(name, "is not set")
    if not value.strip():
        raise SecretMissing(name, "is empty")
    return SecretStr(value.strip())


def name_problem(text: str) -> str | None:
    """What is wrong with a secret's name, without ever repeating it: it may be the secret itself."""
    if _VALUE.fullmatch(text):
        return "looks like the secret itself, which must not be in this file"
    if not _NAME.fullmatch(text):
        return "must be the name of a secret: letters, digits, dots, hyphens and underscores"
    return None


def missing(raw: object) -> list[ConfigProblem]:
    """Secrets that raw configuration tables name in keys that end with `_secret`, and that cannot be had or sent."""
    problems = []
    for place, name in leaves(raw):
        key = dotted(place)
        if key.endswith("_secret") and isinstance(name, str) and name_problem(name) is None:
            try:
                odd = value_problem(key, resolve(name).get_secret_value())
            except SecretMissing as err:
                problems.append(ConfigProblem(place_name(raw, place), f"secret {name} {err.reason}", err.remedy))
            else:
                if odd is not None:
                    problems.append(ConfigProblem(place_name(raw, place), f"secret {name} {odd}", _ALONE))
    return problems


def value_problem(key: str, value: str) -> str | None:
    """What a secret has in it that cannot be sent, without ever repeating it; `key` is what it is configured as.

    A token, a key or an address is of printable ASCII. A password may have spaces; only a mail server's is all ASCII.
    """
    if not value.isprintable():
        return "has a line break, a control character or an odd space in it"
    if key.endswith("password_secret"):
        letters = key.startswith("alerts.") and not value.isascii()
        return "has a letter outside ASCII in it, and no mail server takes that" if letters else None
    if not value.isascii():
        return "has a letter outside ASCII in it"
    return "has a space in it" if " " in value else None


def _from_file(name: str) -> str | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    path = Path(folder, name)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as err:
        raise SecretMissing(name, f"cannot be read from {path} ({err.strerror})") from err
    except UnicodeDecodeError:
        raise SecretMissing(name, f"in {path} is not text") from None  # the cause would quote the value

"""The configuration reference, docs/configuration.md, made of the very models that read the file. Pure.

Write it anew with `python -m syncd.config.reference > docs/configuration.md`; a test compares the two.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from syncd.config import alerts, model, values, vendors
from syncd.config.meanings import MEANINGS
from syncd.config.reload import FIXED

_HEAD: Final = """\
# Configuration

One TOML file: `syncd init` writes a first one, [the example](../config/syncd.example.toml) shows every key in its
place, `syncd check` tells what is wrong with yours, all of it at once. What is left out takes its default; what is not
known is refused. Relative paths count from the folder of the file. `systemctl reload syncd`, or `syncd reload`, takes
all of a changed file or refuses all of it. Only a restart changes what systemd hands over, the secrets' values, and
{fixed}.

A key whose value is *a secret's name* holds no secret: the value is read from the file of that name which systemd hands
over (`LoadCredential=`), or else from the environment variable.

This page is made of the code: `python -m syncd.config.reference > docs/configuration.md`.
"""

_KINDS: Final[tuple[tuple[Any, str], ...]] = (
    (values.Key, "a key: lowercase letters, digits, - and _"),
    (values.SecretName, "a secret's name"),
    (values.Url, "a web address"),
    (values.BaseUrl, "a web address without a path"),
    (values.Text, "text"),
    (values.Country, "a country, two letters (ISO 3166-1)"),
    (values.Currency, "a currency (ISO 4217)"),
    (values.TimeZone, "a time zone, like Europe/Berlin"),
    (values.DatabaseUrl, "a database's URL"),
    (values.FilePath, "a path"),
    (values.Minor, "an amount, in quotes"),
    (values.Pool, "a list of warehouses' keys"),
    (values.Positive, "a number above 0"),
    (values.Whole, "a whole number"),
    (values.Zone, "a zone"),
    (values.Location, "a location's id"),
    (values.ApiVersion, "a version, like 2026-10"),
    (vendors.MarketplaceId, "a marketplace's id"),
    (vendors.EbayMarketplace, "a marketplace, like EBAY_US"),
    (vendors.ShipbobVersion, "a version, like 2026-01"),
    (vendors.Number, "a whole number"),
    (alerts.Fact, "a kind of alert"),
    (alerts.Topic, "a topic"),
    (alerts.Topics, "a list of topics"),
    (alerts.TimeOfDay, "a time, like 08:00, or never"),
    (alerts.Mailbox, "a mail address"),
)


def reference() -> str:
    """The whole page."""
    fixed = ", ".join(f"`{key}`" for key in FIXED)
    return "\n".join([_HEAD.format(fixed=fixed), *_tables()]).rstrip("\n") + "\n"


def places() -> Iterator[str]:
    """Every table and key of the file by its path, such as `account.amazon.queue.url`."""
    for place, table, _ in _walk(model.Config, "", repeats=False):
        if place:
            yield place
            for name, field in table.model_fields.items():
                if _table_of(_hint(table, name)) is None:
                    yield f"{place}.{field.alias or name}"


def _tables() -> Iterator[str]:
    for place, table, repeats in _walk(model.Config, "", repeats=False):
        if not place:
            continue
        yield f"## [[{place}]]\n" if repeats else f"## [{place}]\n"
        yield f"{MEANINGS[place]}\n"
        yield "| key | value | default | what it does |"
        yield "|---|---|---|---|"
        for name, field in table.model_fields.items():
            hint = _hint(table, name)
            if _table_of(hint) is None:
                key = field.alias or name
                yield f"| `{key}` | {_kind(hint)} | {_default(field)} | {MEANINGS[f'{place}.{key}']} |"
        yield ""


def _walk(table: type[values.Table], path: str, *, repeats: bool) -> Iterator[tuple[str, type[values.Table], bool]]:
    """(path, table, whether there may be several) of a table and of those in it, in the file's order."""
    yield path, table, repeats
    for name, field in table.model_fields.items():
        hint = _hint(table, name)
        inner = _table_of(hint)
        if inner is not None:
            place = f"{path}.{field.alias or name}".removeprefix(".")
            yield from _walk(inner, place, repeats=get_origin(hint) is tuple)


def _hint(table: type[values.Table], name: str) -> Any:
    return get_type_hints(table, include_extras=True)[name]


def _table_of(hint: Any) -> type[values.Table] | None:
    """The table that a field holds, one or several of it; None for a value."""
    for each in (hint, *get_args(hint)):
        if isinstance(each, type) and issubclass(each, values.Table):
            return each
    return None


def _kind(hint: Any) -> str:
    for known, words in _KINDS:
        if hint == known:
            return words
    arguments = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return _kind(next(each for each in arguments if each is not NoneType))
    if get_origin(hint) is Annotated:
        return _kind(arguments[0])
    if get_origin(hint) is tuple:
        return f"a list: {_kind(arguments[0])}"
    if get_origin(hint) is Literal:
        return ", ".join(f"`{each}`" for each in arguments)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return ", ".join(f"`{each.value}`" for each in hint)
    return {bool: "true or false", int: "a whole number", str: "text"}[hint]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True)
    if value in (None, ()):
        return "–"
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{re.sub(r'[.]0$', '', str(value))}`"


if __name__ == "__main__":
    sys.stdout.write(reference())

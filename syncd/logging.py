"""Logs are events with fields, as JSON or for a console, on one stream; secrets and buyers' data never reach it."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from pathlib import PurePath
from typing import Any, Final, Literal, TextIO
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["json", "console"]

REDACTED: Final = "[redacted]"
OURS: Final = ("syncd", "adapters", "allocation")

# A key is redacted for any of these words in it: `client_secret`, `X-Shopify-Access-Token`, `shippingAddress`.
_SECRETS: Final = "secret secrets token tokens password passwd passphrase authorization auth cookie cookies credential "
_BUYERS: Final = "body payload headers address addresses street city postcode zip phone email recipient buyer customer"
_WORDS: Final = frozenset((_SECRETS + _BUYERS).split())
# A name alone may be a job's or a warehouse's; these are people's. Keys of two words are told by both.
_PAIRS: Final = frozenset({"api key", "private key", "access key", "first name", "last name", "full name", "ship to"})
_ALLOWED: Final = frozenset({"postcode_prefix"})
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_IN_TEXT: Final = (
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)"), rf"\g<1>{REDACTED}"),
    (re.compile(r"\b(bearer|basic) +[\w.~+/=-]+", re.IGNORECASE), rf"\g<1> {REDACTED}"),
    # PostgreSQL prints the whole row that breaks a constraint.
    (re.compile(r"\bDETAIL: .*?(?=\n(?:HINT|CONTEXT|\[SQL|\n)|\Z)", re.DOTALL), f"DETAIL: {REDACTED}"),
    (re.compile(r"\bshp(at|ca|pa|ss|ua|rt)_\w+"), REDACTED),
)
_FIRST: Final = ("timestamp", "level", "logger", "event")


def configure(level: Level = "info", form: Format = "json", stream: TextIO | None = None) -> None:
    """Send our events from `level` on, and other packages' log lines from WARNING on, to `stream` (else stderr)."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # a plain traceback: never with the values of variables
        redact,
    ]
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    handler.setLevel(threshold)  # some packages set levels of their own
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(form, out)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(threshold)
    # What strangers send to an open port is no error of ours.
    server = logging.getLogger("aiohttp.server")
    server.removeFilter(_not_a_strangers_fault)
    server.addFilter(_not_a_strangers_fault)
    logging.captureWarnings(True)


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Blank the values of telling keys and what texts give away; of an object that is no plain value show the type."""
    return {key: value if key.startswith("_") else _safe(key, value) for key, value in event.items()}


def _safe(key: str, value: Any) -> Any:
    if _is_telling(key) and not (value is None or isinstance(value, int | float)):
        return REDACTED
    match value:
        case None | int() | float():
            return value
        case Enum():
            return _safe(key, value.value)
        case str():
            return _without_secrets(value)
        case Mapping():
            return {str(name): _safe(str(name), each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_safe(key, each) for each in value]
        case BaseException():
            return _without_secrets(f"{type(value).__name__}: {value}")
        case date():
            return value.isoformat()
        case timedelta() | UUID() | Decimal() | PurePath():
            return str(value)
    # An order's or an address's own text would tell who bought it, and a body's bytes are all of it.
    return f"<{type(value).__name__}>"


def _without_secrets(text: str) -> str:
    for pattern, replacement in _IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def _is_telling(key: str) -> bool:
    words = [word.lower() for word in _WORD.findall(key)]
    if key in _ALLOWED:
        return False
    return not _WORDS.isdisjoint(words) or any(" ".join(pair) in _PAIRS for pair in pairwise(words))


def _renderer(form: Format, stream: TextIO) -> Processor:
    if form == "console":
        return structlog.dev.ConsoleRenderer(
            colors=stream.isatty() and not os.environ.get("NO_COLOR"),
            exception_formatter=structlog.dev.plain_traceback,
        )
    return _as_json


def _as_json(_logger: object, _method: str, event: EventDict) -> str:
    """One line: when, how bad and what first, then the fields."""
    first = {key: event[key] for key in _FIRST if key in event}
    return json.dumps(first | dict(event), ensure_ascii=False, default=repr)


def _not_a_strangers_fault(record: logging.LogRecord) -> bool:
    cause = record.exc_info[1] if record.exc_info else None
    return type(cause).__module__ != "aiohttp.http_exceptions"

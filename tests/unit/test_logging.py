"""What the log shows, and what it never shows."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog

from syncd.logging import OURS, REDACTED, Format, Level, configure, redact


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Put every logger back as other tests need it."""
    names = ["", *OURS, "aiohttp.server", "py.warnings"]
    before = [(each, each.level, each.handlers[:], each.filters[:]) for each in map(logging.getLogger, names)]
    shown = warnings.showwarning
    yield
    logging.captureWarnings(False)
    warnings.showwarning = shown
    for logger, level, handlers, filters in before:
        logger.setLevel(level)
        logger.handlers, logger.filters = handlers, filters
    structlog.reset_defaults()


class Log:
    """A configured log, and the lines it has written."""

    def __init__(self, level: Level = "info", form: Format = "json") -> None:
        self._stream = io.StringIO()
        configure(level, form, self._stream)
        self.write = structlog.get_logger("syncd.orders")

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


def redacted(**fields: object) -> dict[str, Any]:
    return dict(redact(None, "info", fields))


# --- events ---------------------------------------------------------------------------------------------------


def test_an_event_is_one_line_of_json_with_its_fields() -> None:
    log = Log()

    log.write.info("order.reserved", order_id=7, warehouse="own")

    (event,) = log.events
    assert list(event)[:4] == ["timestamp", "level", "logger", "event"]
    assert event | {"timestamp": ""} == {
        "timestamp": "",
        "level": "info",
        "logger": "syncd.orders",
        "event": "order.reserved",
        "order_id": 7,
        "warehouse": "own",
    }


def test_instants_are_utc() -> None:
    log = Log()

    log.write.info("daemon.started")

    stamp = datetime.fromisoformat(log.events[0]["timestamp"])
    assert stamp.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - stamp) < timedelta(minutes=1)


def test_what_is_below_the_level_is_left_out() -> None:
    log = Log("warning")

    log.write.debug("a.b")
    log.write.info("a.b")
    log.write.warning("a.c")

    assert [event["event"] for event in log.events] == ["a.c"]


def test_a_console_gets_text() -> None:
    log = Log(form="console")

    log.write.info("order.reserved", order_id=7)

    assert "order.reserved" in log.text
    assert "order_id=7" in log.text
    assert "\x1b" not in log.text


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_the_code_and_never_the_values(form: Format) -> None:
    log = Log(form=form)

    def fail(street: str) -> None:
        raise ValueError("no such order")

    try:
        fail("Main " + "Street 1")
    except ValueError as err:
        log.write.error("order.failed", exc_info=err)

    assert "ValueError: no such order" in log.text
    assert "in fail" in log.text
    assert "Main Street 1" not in log.text


def test_configuring_again_replaces_what_was() -> None:
    first, second = Log(), Log()

    second.write.info("a.b")

    assert first.text == ""
    assert len(second.events) == 1


# --- other packages -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["aiohttp.server", "apscheduler.scheduler", "sqlalchemy.engine", "httpx"])
def test_other_packages_are_heard_from_warning_on(name: str) -> None:
    logging.getLogger("apscheduler").setLevel(logging.NOTSET)  # a timetable of another test may have quietened it
    log = Log("debug")

    logging.getLogger(name).info("GET https://shop.test/?signature=abc")
    logging.getLogger(name).warning("job %s was late by %d s", "poll", 3)

    (event,) = log.events
    assert (event["logger"], event["level"], event["event"]) == (name, "warning", "job poll was late by 3 s")


def test_other_packages_are_quieter_still_where_we_are() -> None:
    log = Log("error")

    logging.getLogger("sqlalchemy.pool").warning("a connection was lost")

    assert log.events == []


def test_their_tracebacks_are_ours_too() -> None:
    log = Log()

    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("apscheduler.executors").exception("Job raised an exception")

    assert "ValueError: broken" in log.events[0]["exception"]


def test_warnings_are_logged() -> None:
    log = Log()

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("this goes away in 2.0", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)

    assert "this goes away in 2.0" in log.events[0]["event"]


def test_what_strangers_send_to_an_open_port_is_no_error() -> None:
    from aiohttp.http_exceptions import BadStatusLine

    log = Log()
    server = logging.getLogger("aiohttp.server")

    server.error("Error handling request", exc_info=BadStatusLine("\x16\x03\x01"))
    server.error("Error handling request", exc_info=RuntimeError("ours"))

    assert ["RuntimeError: ours" in event["exception"] for event in log.events] == [True]


# --- what never shows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "secret",
        "client_secret",
        "access_token",
        "X-Shopify-Access-Token",
        "password",
        "Authorization",
        "cookie",
        "api_key",
        "apiKey",
        "body",
        "raw_body",
        "payload",
        "headers",
        "address",
        "shippingAddress",
        "street",
        "postcode",
        "email",
        "phone",
        "first_name",
        "lastName",
        "buyer_name",
        "customer",
        "recipient",
        "ship_to",
    ],
)
def test_values_of_telling_keys_are_blanked(key: str) -> None:
    assert redacted(**{key: "hush"}) == {key: REDACTED}
    assert redacted(found={"inner": [{key: ["hush"]}]}) == {"found": {"inner": [{key: REDACTED}]}}


@pytest.mark.parametrize(
    "key",
    ["account", "channel_order_id", "name", "warehouse", "job", "key", "field", "reason", "country", "postcode_prefix"],
)
def test_values_of_plain_keys_stay(key: str) -> None:
    assert redacted(**{key: "own"}) == {key: "own"}


def test_counts_are_no_secrets() -> None:
    assert redacted(lease_token=3, body_bytes=12, customer=None) == {
        "lease_token": 3,
        "body_bytes": 12,
        "customer": None,
    }


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("postgresql://syncd:hush@db/syncd", f"postgresql://syncd:{REDACTED}@db/syncd"),
        ("Authorization: Bearer hu.sh-1", f"Authorization: Bearer {REDACTED}"),
        ("shop refused shpat_hush123", f"shop refused {REDACTED}"),
        ("http://127.0.0.1:8480/status", "http://127.0.0.1:8480/status"),
        ("cannot be read: quantity: Expected `int`", "cannot be read: quantity: Expected `int`"),
    ],
)
def test_credentials_inside_texts_are_blanked(told: str, shown: str) -> None:
    assert redacted(event=told, detail=told, error=ValueError(told)) == {
        "event": shown,
        "detail": shown,
        "error": f"ValueError: {shown}",
    }


def test_a_row_that_a_database_prints_is_blanked() -> None:
    told = (
        'null value in column "order_id" violates not-null constraint\n'
        "DETAIL:  Failing row contains (1, Ada Buyer, Main Street 1,\nHamburg).\n"
        "[SQL: INSERT INTO recipient ...]"
    )

    shown = redacted(exception=told)["exception"]

    assert "Ada Buyer" not in shown
    assert "Hamburg" not in shown
    assert "not-null constraint" in shown
    assert "INSERT INTO recipient" in shown


def test_a_traceback_is_read_for_credentials_too() -> None:
    log = Log()

    try:
        raise ValueError("postgresql://syncd:hush@db/syncd")
    except ValueError as err:
        log.write.error("database.lost", exc_info=err)

    assert "hush" not in log.text


@dataclass
class Address:
    street: str


def test_of_objects_only_the_type_is_shown() -> None:
    assert redacted(found=Address("Main Street 1"), raw=b"Main Street 1", kind=str) == {
        "found": "<Address>",
        "raw": "<bytes>",
        "kind": "<type>",
    }


class Colour(StrEnum):
    RED = "red"


def test_plain_values_are_shown_as_text() -> None:
    at = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)

    assert redacted(
        at=at,
        day=at.date(),
        colour=Colour.RED,
        cost=Decimal("1.20"),
        id=UUID(int=1),
        path=Path("/x"),
        share=0.5,
        ok=True,
    ) == {
        "at": "2026-11-27T10:00:00+00:00",
        "day": "2026-11-27",
        "colour": "red",
        "cost": "1.20",
        "id": "00000000-0000-0000-0000-000000000001",
        "path": "/x",
        "share": 0.5,
        "ok": True,
    }

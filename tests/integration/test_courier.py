"""One route's deliveries: what is refused waits by itself, and a route that cannot be used is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from syncd.alerts.courier import BROKEN_AFTER_S, Courier, CourierTools
from syncd.alerts.deliveries import Outgoing, enqueue
from syncd.alerts.messenger import LEASE
from syncd.alerts.opening import open_messenger
from syncd.alerts.senders.sender import NotNow, Refused, RouteDead, Sender
from syncd.alerts.senders.unopened import Unopened
from syncd.chance import SeededRng
from syncd.config import load
from syncd.db.database import Database
from syncd.db.lease import Lease, acquire
from tests.integration.test_telling import Time
from tests.support.builders import NOW


class Endpoint:
    """Takes what `answer` raises nothing for."""

    gap_s = 0.0

    def __init__(self, answer: Callable[[str], Exception | None]) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.taken: list[str] = []

    async def send(self, key: str, body: str) -> str:
        self.asked.append(key)
        error = self.answer(key)
        if error is not None:
            raise error
        self.taken.append(key)
        return "ok"

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def tools(db: Database, time: Time) -> CourierTools:
    lease = db.transact_now(acquire, LEASE, "one", NOW, 10**9)
    assert isinstance(lease, Lease)
    return CourierTools(db, lambda: lease, time, SeededRng(1, "courier"), time.now)


def put(db: Database, at: Time, *keys: str, route: str = "erp") -> None:
    db.transact_now(enqueue, [Outgoing(route, key, "order.allocated", "{}") for key in keys], at.at)


def rows(db: Database, query: str) -> list[Any]:
    return [tuple(row) for row in db.read_now(lambda connection: connection.execute(text(query)).all())]


async def works_for(courier: Courier, time: Time, seconds: float, every_s: float = 1.0) -> None:
    end = time.at + timedelta(seconds=seconds)
    while time.at < end:
        while await courier.step():
            continue
        time.at += timedelta(seconds=every_s)


def a_webhook(sender: Sender, tools: CourierTools) -> Courier:
    return Courier("erp", sender, tools, at_once=8)


OPEN = "SELECT subject, detail FROM alert WHERE kind = 'route_down' AND closed_at IS NULL ORDER BY id"


async def test_events_that_are_refused_hold_up_no_other(db: Database, time: Time, tools: CourierTools) -> None:
    endpoint = Endpoint(lambda key: Refused("HTTP 400") if key.startswith("bad") else None)
    courier = a_webhook(endpoint, tools)
    put(db, time, *(f"bad-{n:02}" for n in range(20)), *(f"good-{n:02}" for n in range(20)))

    await works_for(courier, time, 10)

    assert len(endpoint.taken) == 20
    assert len(endpoint.asked) == 40, "those that were refused wait for their own time"

    put(db, time, "good-later")
    await works_for(courier, time, 3)
    assert endpoint.taken[-1] == "good-later"
    assert rows(db, OPEN) == []


async def test_an_event_that_stays_refused_is_given_up_after_a_few_tries(
    db: Database, time: Time, tools: CourierTools
) -> None:
    endpoint = Endpoint(lambda key: Refused("HTTP 400"))
    put(db, time, "bad")

    await works_for(a_webhook(endpoint, tools), time, 30 * 3600, every_s=60)

    assert rows(db, "SELECT state, attempts, reason FROM delivery") == [("failed", 7, "HTTP 400")]
    assert rows(db, OPEN) == [("erp", "HTTP 400")], "nothing got through, and people know"


async def test_attempts_of_an_outage_do_not_count_as_refusals(db: Database, time: Time, tools: CourierTools) -> None:
    endpoint = Endpoint(lambda key: NotNow("HTTP 503"))
    courier = a_webhook(endpoint, tools)
    put(db, time, "order")
    await works_for(courier, time, 6 * 3600, every_s=30)
    endpoint.answer = lambda key: Refused("HTTP 404")
    await works_for(courier, time, 1200, every_s=30)
    endpoint.answer = lambda key: None

    await works_for(courier, time, 3600, every_s=30)

    assert endpoint.taken == ["order"]
    assert rows(db, OPEN) == []


async def test_events_that_crash_the_endpoint_let_others_have_their_turn(
    db: Database, time: Time, tools: CourierTools
) -> None:
    endpoint = Endpoint(lambda key: NotNow("HTTP 500") if key.startswith("bad") else None)
    put(db, time, *(f"bad-{n}" for n in range(24)), "good")

    await works_for(a_webhook(endpoint, tools), time, 60)

    assert endpoint.taken == ["good"]
    assert len(set(endpoint.asked[:25])) == 25, "none has a second turn before each had its first"


async def test_people_read_what_is_wrong_before_they_read_that_it_is_over(
    db: Database, time: Time, tools: CourierTools
) -> None:
    chat = Endpoint(lambda key: NotNow("HTTP 503"))
    courier = Courier("erp", chat, tools)
    put(db, time, "down")
    await works_for(courier, time, 100)
    put(db, time, "up")
    await works_for(courier, time, 100)
    chat.answer = lambda key: None

    await works_for(courier, time, 700)

    assert chat.taken == ["down", "up"]


async def test_what_a_sender_did_not_foresee_breaks_its_route_and_its_fallback_serves(
    db: Database, time: Time, tools: CourierTools
) -> None:
    chat = Endpoint(lambda key: KeyError("S3CRET"))
    courier = Courier("ops", chat, tools, fallback="mail")
    put(db, time, "down", route="ops")

    with capture_logs() as logs:
        await works_for(courier, time, BROKEN_AFTER_S + 300)

    assert rows(db, "SELECT route, state FROM delivery ORDER BY id") == [("ops", "passed_on"), ("mail", "waiting")]
    assert rows(db, OPEN) == [("ops", "sending failed (KeyError)")]
    assert {"event": "sender.failed", "route": "ops", "error": "KeyError", "log_level": "error"} in logs
    assert "S3CRET" not in str(logs)


async def test_a_broken_route_that_the_database_did_not_take_is_told_the_next_time(
    db: Database, tools: CourierTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    courier = Courier("ops", Unopened("no address"), tools, trouble="no address")

    async def fails(*_: object, **__: object) -> None:
        raise OperationalError("COMMIT", {}, OSError("disk I/O error"))

    with monkeypatch.context() as broken:
        broken.setattr(db, "transact", fails)
        with pytest.raises(OperationalError):
            await courier.step()
    await courier.step()

    assert rows(db, OPEN) == [("ops", "no address")]


async def test_a_broken_route_with_nothing_to_send_is_tried_and_its_alert_closed(
    db: Database, time: Time, tools: CourierTools
) -> None:
    chat = Endpoint(lambda key: RouteDead("HTTP 404"))
    courier = Courier("ops", chat, tools, fallback="mail", probe=lambda: "again")
    put(db, time, "down", route="ops")
    await works_for(courier, time, 3600, every_s=10)
    assert rows(db, OPEN) == [("ops", "HTTP 404")]
    assert 1 <= len([key for key in chat.asked if key.startswith("probe-")]) <= 2, "seldom, and never by the fallback"
    assert rows(db, "SELECT route, key, state FROM delivery ORDER BY id")[1:] == [("mail", "down", "waiting")]

    chat.answer = lambda key: None
    await works_for(courier, time, 1900, every_s=10)

    assert rows(db, OPEN) == []
    assert len(chat.taken) == 1
    await works_for(courier, time, 7200, every_s=60)
    assert len(chat.taken) == 1, "what works is not tried"


async def test_the_next_process_tries_a_route_that_was_told_to_be_broken_at_once(
    db: Database, time: Time, tools: CourierTools
) -> None:
    await Courier("ops", Unopened("no address"), tools, trouble="no address").step()
    assert rows(db, OPEN) == [("ops", "no address")]
    chat = Endpoint(lambda key: None)

    await works_for(Courier("ops", chat, tools, probe=lambda: "again"), time, 10)

    assert rows(db, OPEN) == []
    assert len(chat.taken) == 1


async def test_a_route_that_was_never_broken_is_not_tried(db: Database, time: Time, tools: CourierTools) -> None:
    chat = Endpoint(lambda key: None)

    await works_for(Courier("ops", chat, tools, probe=lambda: "again"), time, 7200, every_s=60)

    assert chat.asked == []


CONFIG = """
[[alerts.route]]
name = "ops"
kind = "slack"
url_secret = "CHAT_URL"
fallback = "room"
[[alerts.route]]
name = "room"
kind = "slack"
url_secret = "ROOM_URL"
[[webhook]]
name = "erp"
url = "https://erp.example.com/hook"
topics = ["order.allocated"]
signing_secret = "ERP_SECRET"
"""


async def test_a_route_that_cannot_be_opened_is_told_at_once_and_stops_no_other(
    db: Database, time: Time, tools: CourierTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT_URL", "hooks.slack.com/services/S3CRET")
    monkeypatch.setenv("ROOM_URL", "https://hooks.slack.com/services/T0P")
    monkeypatch.setenv("ERP_SECRET", "whsec_S3CRET")
    path = tmp_path / "syncd.toml"
    path.write_text(CONFIG)

    with capture_logs() as logs:
        messenger = open_messenger(load(path), tools)
        assert messenger is not None
        ops, _, erp = messenger.couriers
        for courier in (ops, erp, ops, erp):
            await courier.step()

    [(_, of_ops), (_, of_erp)] = found = rows(db, OPEN)
    assert [subject for subject, _ in found] == ["ops", "erp"]
    assert "the secret CHAT_URL is not an address" in of_ops
    assert "whsec_ and base64 of 24 to 64 bytes" in of_erp
    assert [each["route"] for each in logs if each["event"] == "route.refused"] == ["ops", "erp"]
    assert "S3CRET" not in str(logs) + str(found)

    put(db, time, "down", route="ops")
    await works_for(ops, time, 3)
    assert rows(db, "SELECT route, state FROM delivery ORDER BY id") == [("ops", "passed_on"), ("room", "waiting")]
    put(db, time, "event", route="erp")
    await works_for(erp, time, 3)
    assert rows(db, "SELECT state FROM delivery WHERE route = 'erp'") == [("waiting",)], "it waits for a right secret"
    await messenger.close()

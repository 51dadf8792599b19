"""`syncd alert`: what is wrong, and whether people can be told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import respx
from typer.testing import CliRunner

from syncd.alerts.bundles import Bundle
from syncd.alerts.compose import Voice, compose
from syncd.alerts.gathering import gather
from syncd.alerts.impact import measure
from syncd.alerts.incidents import read_open
from syncd.alerts.kinds import KINDS
from syncd.alerts.standing import NEVER, standing
from syncd.alerts.store import Alert, open_alerts
from syncd.alerts.store import read_open as read_open_alerts
from syncd.cli.app import app
from syncd.db.database import Database
from tests.support.builders import NOW, Seller, a_seller, an_order

ROUTES = """
[[alerts.route]]
name = "ops"
kind = "slack"
url_secret = "OPS_URL"
[[alerts.route]]
name = "gone"
kind = "discord"
url_secret = "GONE_URL"
"""


@pytest.fixture
def config(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPS_URL", "https://hooks.example.com/S3CRET")
    monkeypatch.setenv("GONE_URL", "https://discord.example.com/S3CRET")
    path = tmp_path / "syncd.toml"
    path.write_text(f'[database]\nurl = "{database_url}"\n{ROUTES}')
    return path


def asks(*arguments: str, config: Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["alert", *arguments, "-c", str(config)], env={"COLUMNS": "200"})
    assert "S3CRET" not in done.output
    return done.exit_code, done.output or str(done.exception)


def test_open_alerts_are_listed(config: Path, database_url: str) -> None:
    db = Database(database_url)
    alerts = [
        Alert(f"oversold:{n}", "oversold", f"{n} units", f"order #{n}", subject=f"#{n}", units=n, orders=1)
        for n in range(3)
    ]
    db.transact_now(open_alerts, [*alerts, Alert("disk_low", "disk_low", "full", "the disk [is] low")], NOW)
    db.close()

    code, told = asks("list", "--json", config=config)
    assert code == 0
    found = json.loads(told)
    assert [each["kind"] for each in found["alerts"]].count("oversold") == 3
    assert found["alerts"][-1]["severity"] == "critical"

    _, told = asks("list", "--json", "--kind", "oversold", "--limit", "2", config=config)
    assert (len(json.loads(told)["alerts"]), json.loads(told)["more"]) == (2, True)
    _, told = asks("list", config=config)
    assert "the disk [is] low" in told
    assert "4 open alerts" in told


def test_every_severe_cause_is_found_by_the_command_that_its_message_names(config: Path, database_url: str) -> None:
    db = Database(database_url)
    severe = [
        Alert(f"oversold:{n}", "oversold", "1 unit", "", subject=f"#{n}", units=1, orders=1) for n in range(2_500)
    ]
    db.transact_now(open_alerts, [*severe, Alert("unmapped:1", "unmapped", "", "", subject="lesser")], NOW)
    db.transact_now(gather, NOW)
    [down] = [each for each in db.read_now(read_open) if each.kind == "oversold"]
    message = compose(Bundle(False, (down,)), db.read_now(measure, [down]), Voice("en", "UTC"), NOW)
    db.close()

    assert (len(message.items), message.more) == (60, 2_440)
    command = re.search(r"`syncd alert (.*)`", message.listed[-1])
    assert command is not None, message.listed[-1]
    code, told = asks(*command[1].split(), "--json", config=config)

    assert code == 0
    found = json.loads(told)
    assert {each["key"] for each in found["alerts"]} == {each.key for each in severe}
    assert found["more"] is False


def test_a_severity_that_is_none_is_told(config: Path) -> None:
    code, told = asks("list", "--severity", "critcal", config=config)

    assert code != 0
    assert "Did you mean critical?" in told


def test_a_kind_that_is_none_is_told(config: Path) -> None:
    code, told = asks("list", "--kind", "oversld", config=config)

    assert code != 0
    assert "Did you mean oversold?" in told


@respx.mock
def test_a_test_says_what_each_route_answered(config: Path) -> None:
    ops = respx.post("https://hooks.example.com/S3CRET").mock(return_value=httpx.Response(200, text="ok"))
    respx.post(host="discord.example.com").mock(return_value=httpx.Response(404, json={"message": "Unknown Webhook"}))

    code, told = asks("test", config=config)
    assert code == 1
    assert "✓ ops (slack): ok" in told
    assert "✗ gone (discord): HTTP 404: Unknown Webhook" in told
    assert "This is a test" in ops.calls.last.request.content.decode()

    assert asks("test", "ops", config=config)[0] == 0


def test_a_route_that_is_none_is_told(config: Path) -> None:
    code, told = asks("test", "opps", config=config)

    assert code != 0
    assert "Did you mean ops?" in told


def test_a_secret_that_is_missing_is_told(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPS_URL")

    code, told = asks("test", "ops", config=config)

    assert code == 1
    assert "secret OPS_URL is not set" in " ".join(told.split())


@respx.mock
def test_whatever_a_sender_raises_is_told_in_one_line(config: Path) -> None:
    respx.post("https://hooks.example.com/S3CRET").mock(side_effect=KeyError("S3CRET"))

    code, told = asks("test", "ops", config=config)

    assert code == 1
    assert told.strip() == "✗ ops (slack): sending failed (KeyError)"


def test_a_check_names_each_route_and_webhook_that_cannot_be_opened(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = (
        'name = "erp"\nurl = "https://erp.example.com/h"\ntopics = ["order.allocated"]\nsigning_secret = "ERP_SECRET"'
    )
    config.write_text(f"{config.read_text()}\n[[webhook]]\n{hook}\n")
    monkeypatch.setenv("OPS_URL", "hooks.example.com/S3CRET")
    monkeypatch.setenv("ERP_SECRET", "whsec_S3CRET")

    done = CliRunner().invoke(app, ["check", "--offline", "--json", "-c", str(config)])

    assert done.exit_code == 1
    assert "S3CRET" not in done.output
    wrong = {each["subject"]: each for each in json.loads(done.output)["findings"] if each["verdict"] == "wrong"}
    assert sorted(wrong) == ["route ops", "webhook erp"]
    assert wrong["route ops"]["told"] == "the secret OPS_URL is not an address: it must begin with https://"
    assert all("syncd alert test" in each["remedy"] for each in wrong.values())


# --- closing by hand ----------------------------------------------------------------------------------------


@pytest.fixture
def seller(config: Path, database_url: str) -> Iterator[Seller]:
    """A shop that has sold one unit more than there is: one oversold alert is open."""
    db = Database(database_url)
    seller = a_seller(db, {"RED-CLOCK": 1})
    seller.takes_in(an_order(quantity=2))
    db.transact_now(open_alerts, [Alert("parked_event:7", "parked_event", "", "an event [cannot] be read")], NOW)
    yield seller
    db.close()


def open_keys_of(seller: Seller) -> list[str]:
    return sorted(row.key for row in seller.db.read_now(read_open_alerts))


def test_an_alert_is_closed_by_hand(config: Path, seller: Seller) -> None:
    code, told = asks("close", "parked_event:7", "--yes", config=config)

    assert code == 0, told
    assert "an event [cannot] be read" in told
    assert "its cause is gone" in told
    assert told.strip().endswith("closed")
    assert [key.partition(":")[0] for key in open_keys_of(seller)] == ["oversold"]


def test_closing_says_that_the_cause_still_stands(config: Path, seller: Seller) -> None:
    key = next(key for key in open_keys_of(seller) if key.startswith("oversold:"))

    _, told = asks("close", key, "--yes", config=config)

    assert "its cause still stands: it opens again when the order is taken in anew" in told
    assert key not in open_keys_of(seller)


def test_a_question_that_is_answered_no_closes_nothing(config: Path, seller: Seller) -> None:
    done = CliRunner().invoke(app, ["alert", "close", "parked_event:7", "-c", str(config)], input="n\n")

    assert done.exit_code == 1
    assert "it stays open" in done.output
    assert "parked_event:7" in open_keys_of(seller)


def test_a_key_that_is_none_is_refused_naming_one_like_it(config: Path, seller: Seller) -> None:
    code, told = asks("close", "parked_evnt:7", "--yes", config=config)

    assert code != 0
    assert "Did you mean parked_event:7?" in told


def test_it_is_known_of_every_kind_what_opens_it_again(config: Path, database_url: str) -> None:
    db = Database(database_url)
    db.transact_now(open_alerts, [Alert(f"{kind}:1:2", kind, "", "") for kind in KINDS], NOW)
    found = [row for row in db.read_now(read_open_alerts) if row.kind in KINDS]
    told = {row.kind: db.read_now(standing, row) for row in found}
    db.close()

    assert told.keys() == KINDS.keys()
    assert [kind for kind, how in told.items() if how.stands] == []
    never = {kind for kind, how in told.items() if how.opens_again == NEVER}
    assert never == {"parked_event", "shipment_refused", "shipment_too_late", "orders_not_sent"}

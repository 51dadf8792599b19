"""`syncd alert`: what is wrong, and whether people can be told."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
import respx
from typer.testing import CliRunner

from syncd.alerts.store import Alert, open_alerts
from syncd.cli.app import app
from syncd.db.database import Database
from tests.support.builders import NOW

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

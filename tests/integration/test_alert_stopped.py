"""`syncd alert stopped`: people are told that the service is not started any more, without daemon and database."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import respx
from typer.testing import CliRunner

from syncd.cli.app import app

OPS = "https://hooks.example.com/S3CRET"
WAREHOUSE = "https://discord.example.com/S3CRET"
CONFIG = """
[database]
url = "postgresql+psycopg://syncd@nowhere.invalid/syncd"
[[alerts.route]]
name = "ops"
kind = "slack"
url_secret = "OPS_URL"
from_severity = "critical"
[[alerts.route]]
name = "warehouse"
kind = "discord"
url_secret = "WAREHOUSE_URL"
facts = ["short"]
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPS_URL", OPS)
    monkeypatch.setenv("WAREHOUSE_URL", WAREHOUSE)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    path = tmp_path / "syncd.toml"
    path.write_text(CONFIG)
    return path


def tells(config: Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["alert", "stopped", "shop.service", "-c", str(config)], env={"COLUMNS": "200"})
    assert "S3CRET" not in done.output
    return done.exit_code, done.output


@respx.mock
def test_who_hears_of_everything_is_told_what_happened_and_what_to_do(config: Path) -> None:
    ops = respx.post(OPS).mock(return_value=httpx.Response(200, text="ok"))
    warehouse = respx.post(WAREHOUSE)

    assert tells(config) == (0, "  ✓ ops: ok\n")

    said = ops.calls.last.request.content.decode()
    assert "syncd has stopped on" in said
    assert "failed again and again" in said
    assert "journalctl -u shop.service" in said
    assert not warehouse.called


@respx.mock
def test_a_wrong_configuration_is_called_by_its_name_and_keeps_nobody_from_telling(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR_EXIT_STATUS", "78")
    config.write_text(CONFIG + '[http]\nport = "many"\n')
    ops = respx.post(OPS).mock(return_value=httpx.Response(200, text="ok"))

    assert tells(config)[0] == 0

    assert "its configuration is wrong" in ops.calls.last.request.content.decode()


@respx.mock
def test_where_nobody_else_is_reached_those_kept_for_some_facts_are_told(config: Path) -> None:
    respx.post(OPS).mock(return_value=httpx.Response(404, text="no_service"))
    warehouse = respx.post(WAREHOUSE).mock(return_value=httpx.Response(204))

    code, told = tells(config)

    assert code == 0
    assert "✗ ops: HTTP 404" in told
    assert "✓ warehouse" in told
    assert warehouse.called


@respx.mock
def test_it_fails_when_nobody_is_reached_so_that_it_is_tried_again(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPS_URL")
    respx.post(WAREHOUSE).mock(side_effect=httpx.ConnectError("no route"))

    code, told = tells(config)

    assert code == 1
    assert "secret OPS_URL is not set" in told
    assert "✗ warehouse" in told


def test_without_a_route_it_says_so(config: Path) -> None:
    config.write_text("")

    code, told = tells(config)

    assert code == 1
    assert "nobody is to be told" in told

"""What a configuration may say of routes and webhooks, and how everything wrong in it is told."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from syncd.alerts.courier import CourierTools
from syncd.alerts.digest import DailyReport
from syncd.alerts.hearing import who_hears
from syncd.alerts.opening import RouteRefused, open_route, open_webhook, plan_of, topics_of
from syncd.alerts.senders.mail import Mail
from syncd.config import Config, load
from syncd.errors import ConfigError
from syncd.secrets import SecretMissing

GOOD = """
[http]
public_url = "https://stock.example.com"
[alerts]
language = "zh"
time_zone = "Asia/Shanghai"
digest_at = "08:00"
[[alerts.route]]
name = "ops"
kind = "dingtalk"
url_secret = "DING_URL"
sign_secret = "DING_SIGN"
fallback = "mail"
[[alerts.route]]
name = "mail"
kind = "email"
language = "en"
from_severity = "critical"
facts = ["oversold"]
host = "smtp.example.com"
from = "syncd@example.com"
to = ["ops@example.com"]
[[webhook]]
name = "erp"
url = "https://erp.example.com/syncd"
signing_secret = "ERP_SECRET"
topics = ["stock.changed"]
"""


def read(folder: Path, text: str) -> Config:
    path = folder / "syncd.toml"
    path.write_text(text)
    return load(path)


def told(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    assert all(problem.remedy for problem in caught.value.problems)
    return sorted(f"{problem.key}: {problem.problem}" for problem in caught.value.problems)


def test_routes_and_webhooks_become_a_plan(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    plan = plan_of(config)

    ops, mail = plan.routes
    assert (ops.name, ops.from_severity.word, ops.voice.language, ops.digest) == ("ops", "warning", "zh", True)
    assert ops.voice.page_url == "https://stock.example.com/status"
    assert (mail.facts, mail.voice.language, mail.digest) == (frozenset(["oversold"]), "en", False)
    assert plan.daily == DailyReport(time(8), "Asia/Shanghai", frozenset())
    assert topics_of(config) == {"stock.changed"}


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """
    [alerts]
    language = "fr"
    digest_at = "8 o'clock"
    [[alerts.route]]
    name = "a"
    kind = "slack"
    chat_id = "1"
    fallback = "b"
    [[alerts.route]]
    name = "b"
    kind = "email"
    host = "smtp.example.com"
    security = "none"
    username = "me"
    from = "nobody"
    to = []
    fallback = "a"
    facts = ["oversld"]
    [[alerts.route]]
    name = "c"
    kind = "pigeon"
    fallback = "z"
    [[webhook]]
    name = "a"
    url = "http://erp.example.com"
    signing_secret = "whsec"
    topics = ["stock.chnged"]
    surprise = 1
    """

    assert told(tmp_path, text) == [
        'alerts.digest_at: "8 o\'clock" is no time of day',
        "alerts.language: must be 'en' or 'zh'",
        "alerts.route[a].chat_id: is not for a route of kind slack",
        "alerts.route[a].fallback: leads back to this route",
        "alerts.route[a].url_secret: is missing",
        "alerts.route[b].facts[0]: 'oversld' is no kind of alert",
        "alerts.route[b].fallback: leads back to this route",
        "alerts.route[b].from: 'nobody' is no mail address",
        "alerts.route[b].password_secret: is missing",
        "alerts.route[b].security: would send mail in the clear",
        "alerts.route[b].to: is empty",
        "alerts.route[c].fallback: no route has the name 'z'",
        "alerts.route[c].kind: must be 'slack', 'teams', 'telegram', 'discord', 'dingtalk', 'wecom', 'feishu' or"
        " 'email'",
        "webhook[a].name: 'a' is there twice",
        "webhook[a].surprise: is not a known key",
        "webhook[a].topics[0]: 'stock.chnged' is no topic",
        "webhook[a].url: must begin with https://",
    ]


def test_secrets_of_routes_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "syncd.toml"
    path.write_text(GOOD)
    for name in ("DING_URL", "DING_SIGN", "ERP_SECRET"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(ConfigError) as caught:
        load(path, with_secrets=True)

    missing = {problem.key for problem in caught.value.problems}
    assert missing == {"alerts.route[ops].url_secret", "alerts.route[ops].sign_secret", "webhook[erp].signing_secret"}


@pytest.mark.parametrize("address", ["hooks.example.com/x", "http://hooks.example.com/x", "javascript:S3CRET"])
def test_a_secret_that_is_no_address_is_refused_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("DING_URL", address)
    monkeypatch.setenv("DING_SIGN", "SEC1")
    route = read(tmp_path, GOOD).alerts.routes[0]

    with pytest.raises(RouteRefused, match="route ops: the secret DING_URL is not an address") as caught:
        open_route(route)
    assert address not in str(caught.value)


async def test_routes_open_with_their_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DING_URL", "https://oapi.dingtalk.com/robot/send?access_token=S3CRET")
    monkeypatch.setenv("DING_SIGN", "SEC1")
    config = read(tmp_path, GOOD)

    opened = [open_route(route) for route in config.alerts.routes]

    assert isinstance(opened[1], Mail)
    for sender in opened:
        await sender.close()
    monkeypatch.setenv("ERP_SECRET", "not-a-key")
    with pytest.raises(RouteRefused, match="route erp: the signing secret must be whsec_"):
        open_webhook(config.webhooks[0])
    monkeypatch.delenv("ERP_SECRET")
    with pytest.raises(SecretMissing):
        open_webhook(config.webhooks[0])


def test_nobody_to_tell_means_no_messenger(tmp_path: Path) -> None:
    from syncd.alerts.opening import open_messenger

    tools: CourierTools | None = None
    assert open_messenger(read(tmp_path, ""), tools) is None  # type: ignore[arg-type]


# --- whether anybody hears ----------------------------------------------------------------------------------


def hears(folder: Path, text: str) -> list[tuple[str, str]]:
    return [(each.verdict.value, each.told) for each in who_hears(read(folder, text))]


A_ROUTE = """
[[alerts.route]]
name = "ops"
kind = "slack"
url_secret = "OPS_URL"
"""


def test_a_daily_report_comes_at_eight_unless_it_is_not_wanted(tmp_path: Path) -> None:
    daily = plan_of(read(tmp_path, A_ROUTE)).daily
    assert daily is not None
    assert daily.at == time(8)
    assert plan_of(read(tmp_path, f'[alerts]\ndigest_at = "never"\n{A_ROUTE}')).daily is None


def test_without_a_route_it_is_told_that_nobody_is(tmp_path: Path) -> None:
    assert hears(tmp_path, "") == [("odd", "nobody is told when something is wrong: no route is configured")]
    assert hears(tmp_path, A_ROUTE) == [("right", "1 route, all that is severe is told")]


def test_what_is_severe_and_reaches_nobody_is_told(tmp_path: Path) -> None:
    [(verdict, said)] = hears(tmp_path, f'{A_ROUTE}facts = ["oversold", "unmapped"]')

    assert verdict == "odd"
    assert "auth_expired" in said
    assert "oversold" not in said
    assert "unmapped" not in said


def test_that_there_is_no_daily_report_is_told(tmp_path: Path) -> None:
    text = f'[alerts]\ndigest_at = "never"\n{A_ROUTE}'

    assert hears(tmp_path, text)[0] == (
        "odd",
        "there is no daily report: nobody notices when syncd itself has stopped",
    )

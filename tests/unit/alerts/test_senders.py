"""Each chat service gets its own form of a message, and its answers are understood."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx

from syncd.alerts.message import Link, Message, Tone, to_json
from syncd.alerts.senders import dingtalk, discord, feishu, slack, teams, telegram, wecom
from syncd.alerts.senders.dingtalk import DingTalk
from syncd.alerts.senders.discord import Discord
from syncd.alerts.senders.feishu import Feishu
from syncd.alerts.senders.sender import NotNow, Refused, RouteDead, Sender, SendFailed, Unsendable
from syncd.alerts.senders.slack import Slack
from syncd.alerts.senders.teams import Teams
from syncd.alerts.senders.telegram import Telegram
from syncd.alerts.senders.webhook import Webhook, signing_key
from syncd.alerts.senders.wecom import WeCom

URL = "https://chat.example.com/hook/T0P-S3CRET"
AT = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
NASTY = "<b>A&B</b> *bold* _low_ `code` [x](http://evil) @everyone <!channel> ~no~ #1042"
WHSEC = "whsec_" + base64.b64encode(b"k" * 32).decode()


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return AT

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


A_MESSAGE = Message(
    Tone.CRITICAL,
    "Oversold · shop",
    ("A channel sold units that no warehouse has.", NASTY),
    ("#1042: 3 units", NASTY),
    7,
    "… and {n} more",
    ("What to do: find the stock",),
    (Link("Status page", "https://stock.example.com/status"),),
)
HUGE = Message(Tone.WARNING, "T" * 3_000, ("P" * 9_000,), tuple(f"#{n} <&>_*" for n in range(5_000)), 5, "+{n}")

SENDERS: dict[str, Callable[[], Sender]] = {
    "slack": lambda: Slack(URL),
    "teams": lambda: Teams(URL),
    "telegram": lambda: Telegram("123:S3CRET", "-100", "https://chat.example.com"),
    "discord": lambda: Discord(URL),
    "dingtalk": lambda: DingTalk(URL, "SECkey", Still()),
    "wecom": lambda: WeCom(URL),
    "feishu": lambda: Feishu(URL, "key", Still()),
    "webhook": lambda: Webhook(URL, WHSEC, Still()),
}
GOOD = {
    "slack": httpx.Response(200, text="ok"),
    "teams": httpx.Response(202),
    "telegram": httpx.Response(200, json={"ok": True, "result": {"message_id": 7}}),
    "discord": httpx.Response(200, json={"id": "9"}),
    "dingtalk": httpx.Response(200, json={"errcode": 0, "errmsg": "ok"}),
    "wecom": httpx.Response(200, json={"errcode": 0, "errmsg": "ok"}),
    "feishu": httpx.Response(200, json={"code": 0, "msg": "success", "data": {}}),
    "webhook": httpx.Response(204),
}


async def sent(name: str, answer: httpx.Response | Exception, body: str = to_json(A_MESSAGE)) -> tuple[str, Any]:
    """(what the sender says came back, the request it made)."""
    sender = SENDERS[name]()
    with respx.mock(assert_all_called=True) as mock:
        effect = {"side_effect": answer} if isinstance(answer, Exception) else {"return_value": answer}
        route = mock.post(host="chat.example.com").mock(**effect)
        try:
            said = await sender.send("key-1", body)
        finally:
            await sender.close()
    return said, route.calls.last.request


async def failed(name: str, answer: httpx.Response | Exception) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        await sent(name, answer)
    assert "S3CRET" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize("name", SENDERS)
async def test_every_service_takes_its_form_of_a_message(name: str) -> None:
    said, request = await sent(name, GOOD[name])

    assert said
    assert request.headers["content-type"] == "application/json"
    assert "find the stock" in json.dumps(json.loads(request.content), ensure_ascii=False).replace("\\", "")


@pytest.mark.parametrize("name", SENDERS)
async def test_no_answer_and_a_servers_error_are_for_later(name: str) -> None:
    for answer in (httpx.ConnectError("to https://chat.example.com/S3CRET"), httpx.ReadTimeout("S3CRET")):
        assert isinstance(await failed(name, answer), NotNow)
    assert isinstance(await failed(name, httpx.Response(503, text="<html>busy</html>")), NotNow)


@pytest.mark.parametrize("name", sorted(SENDERS.keys() - {"webhook", "telegram"}))
@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_an_address_that_is_gone_is_dead(name: str, status: int) -> None:
    assert isinstance(await failed(name, httpx.Response(status)), RouteDead)


@pytest.mark.parametrize(
    ("name", "answer", "kind", "retry_after_s"),
    [
        ("slack", httpx.Response(429, headers={"Retry-After": "30"}), NotNow, 30.0),
        ("slack", httpx.Response(400, text="invalid_blocks"), Unsendable, None),
        ("slack", httpx.Response(400, text="no_team"), RouteDead, None),
        ("slack", httpx.Response(404, text="no_service"), RouteDead, None),
        ("slack", httpx.Response(302, headers={"Location": "https://slack.com"}), RouteDead, None),
        ("teams", httpx.Response(429, headers={"Retry-After": "12"}), NotNow, 12.0),
        ("teams", httpx.Response(400, json={"error": {"code": "TriggerInputSchemaMismatch"}}), Unsendable, None),
        ("teams", httpx.Response(413), Unsendable, None),
        ("telegram", httpx.Response(429, json={"ok": False, "parameters": {"retry_after": 35}}), NotNow, 35.0),
        ("telegram", httpx.Response(401, json={"ok": False, "description": "Unauthorized"}), RouteDead, None),
        ("telegram", httpx.Response(404, json={"ok": False, "description": "Not Found"}), RouteDead, None),
        (
            "telegram",
            httpx.Response(403, json={"ok": False, "description": "Forbidden: bot was kicked from the group chat"}),
            RouteDead,
            None,
        ),
        (
            "telegram",
            httpx.Response(400, json={"ok": False, "description": "Bad Request: chat not found"}),
            RouteDead,
            None,
        ),
        (
            "telegram",
            httpx.Response(400, json={"ok": False, "description": "Bad Request: can't parse entities"}),
            Unsendable,
            None,
        ),
        ("telegram", httpx.Response(200, text="<html>a captive portal</html>"), NotNow, None),
        ("discord", httpx.Response(429, json={"retry_after": 1.337, "global": False}), NotNow, 1.337),
        ("discord", httpx.Response(404, json={"message": "Unknown Webhook", "code": 10015}), RouteDead, None),
        ("discord", httpx.Response(400, json={"embeds": ["0"]}), Unsendable, None),
        ("dingtalk", httpx.Response(200, json={"errcode": 130101, "errmsg": "send too fast"}), NotNow, 60.0),
        ("dingtalk", httpx.Response(200, json={"errcode": 310000, "errmsg": "sign not match"}), RouteDead, None),
        ("dingtalk", httpx.Response(200, json={"errcode": 300001, "errmsg": "token is not exist"}), RouteDead, None),
        ("dingtalk", httpx.Response(200, json={"errcode": 460101, "errmsg": "message too long"}), Unsendable, None),
        ("dingtalk", httpx.Response(200, json={"errcode": -1, "errmsg": "busy"}), NotNow, None),
        ("dingtalk", httpx.Response(200, text="<html></html>"), NotNow, None),
        ("wecom", httpx.Response(200, json={"errcode": 45009, "errmsg": "freq out of limit"}), NotNow, 60.0),
        ("wecom", httpx.Response(200, json={"errcode": 93000, "errmsg": "invalid webhook url"}), RouteDead, None),
        ("wecom", httpx.Response(200, json={"errcode": 40058, "errmsg": "exceed max length"}), Unsendable, None),
        ("feishu", httpx.Response(200, json={"code": 19021, "msg": "sign match fail"}), RouteDead, None),
        ("feishu", httpx.Response(400, json={"code": 19001, "msg": "token invalid"}), RouteDead, None),
        ("feishu", httpx.Response(200, json={"code": 11232, "msg": "too many request"}), NotNow, 10.0),
        ("feishu", httpx.Response(200, json={"code": 9499, "msg": "Bad Request"}), Unsendable, None),
        ("webhook", httpx.Response(410), RouteDead, None),
        ("webhook", httpx.Response(400), Refused, None),
        ("webhook", httpx.Response(404), Refused, None),
        ("webhook", httpx.Response(408), NotNow, None),
        ("webhook", httpx.Response(425), NotNow, None),
        ("webhook", httpx.Response(500), NotNow, None),
        ("webhook", httpx.Response(302, headers={"Location": "https://elsewhere.example.com"}), NotNow, None),
        ("webhook", httpx.Response(429, headers={"Retry-After": "9999999"}), NotNow, 3600.0),
    ],
)
async def test_what_a_service_says_is_understood(
    name: str, answer: httpx.Response, kind: type[SendFailed], retry_after_s: float | None
) -> None:
    err = await failed(name, answer)

    assert type(err) is kind, err.reason
    if isinstance(err, NotNow):
        assert err.retry_after_s == retry_after_s


@pytest.mark.parametrize(
    ("size", "limit"),
    [
        (lambda m: max(len(b["text"]["text"]) for b in slack.payload(m)["blocks"] if b["type"] == "header"), 150),
        (lambda m: len(json.dumps(slack.payload(m)["blocks"][1], ensure_ascii=False)), 40_000),
        (lambda m: len(json.dumps(teams.payload(m), ensure_ascii=False).encode()), 30_000),
        (lambda m: len(telegram.payload(m, "1")["text"].encode("utf-16-le")) // 2, 4_096),
        (lambda m: len(discord.payload(m)["embeds"][0]["description"]), 4_096),
        (lambda m: len(discord.payload(m)["embeds"][0]["title"]), 256),
        (lambda m: len(dingtalk.payload(m)["markdown"]["text"].encode()), 20_000),
        (lambda m: len(wecom.payload(m)["markdown"]["content"].encode()), 4_096),
        (lambda m: len(json.dumps(feishu.payload(m), ensure_ascii=False).encode()), 20_480),
    ],
)
def test_what_is_too_long_is_cut_to_the_services_limit(size: Callable[[Message], int], limit: int) -> None:
    assert 100 < size(HUGE) <= limit


def test_items_that_do_not_fit_are_counted_and_the_worst_are_kept() -> None:
    many = Message(Tone.CRITICAL, "Oversold", (), tuple(f"#{n}: 1 unit" for n in range(2_000)), 3, "… and {n} more")

    content = wecom.payload(many)["markdown"]["content"]

    kept = content.count("unit")
    assert "＃0: 1 unit\n" in content
    assert f"… and {2_003 - kept} more" in content
    assert 100 < kept < 400


def test_slack_takes_texts_as_they_are_and_escapes_what_a_notification_shows() -> None:
    made = slack.payload(Message(Tone.GOOD, "<!channel> & <b>", (NASTY,)))

    assert made["text"] == "✅ &lt;!channel&gt; &amp; &lt;b&gt;"
    element = made["blocks"][1]["elements"][0]["elements"][0]
    assert element == {"type": "text", "text": NASTY}


def test_telegram_escapes_html() -> None:
    text = telegram.payload(A_MESSAGE, "-100")["text"]

    assert "&lt;b&gt;A&amp;B&lt;/b&gt;" in text
    assert text.count("<b>") == text.count("</b>") == 2
    assert '<a href="https://stock.example.com/status">Status page</a>' in text


def test_discord_escapes_markdown_and_mentions_nobody() -> None:
    made = discord.payload(A_MESSAGE)

    assert made["allowed_mentions"] == {"parse": []}
    description = made["embeds"][0]["description"]
    assert r"\*bold\* \_low\_ \`code\` \[x\]\(http\://evil\) \@everyone \<!channel\>" in description
    assert "[Status page](https://stock.example.com/status)" in description


def test_wecom_knows_no_escape_so_that_markup_is_written_wide() -> None:
    content = wecom.payload(A_MESSAGE)["markdown"]["content"]

    assert "＜!channel＞" in content
    assert "<" not in content
    assert "［x］" in content


def test_cards_hold_plain_texts_alone() -> None:
    card = feishu.payload(A_MESSAGE)["card"]
    assert {element["text"]["tag"] for element in card["elements"] if element["tag"] == "div"} == {"plain_text"}
    assert card["header"]["template"] == "red"

    body = teams.payload(A_MESSAGE)["attachments"][0]["content"]["body"]
    assert {block["type"] for block in body} == {"RichTextBlock"}


async def test_dingtalk_signs_in_the_address() -> None:
    _, request = await sent("dingtalk", GOOD["dingtalk"])

    millis = str(int(AT.timestamp() * 1000))
    expected = base64.b64encode(hmac.new(b"SECkey", f"{millis}\nSECkey".encode(), hashlib.sha256).digest()).decode()
    assert dict(request.url.params) == {"timestamp": millis, "sign": expected}


async def test_feishu_signs_in_the_body() -> None:
    _, request = await sent("feishu", GOOD["feishu"])

    body = json.loads(request.content)
    expected = base64.b64encode(hmac.new(f"{body['timestamp']}\nkey".encode(), b"", hashlib.sha256).digest()).decode()
    assert (body["timestamp"], body["sign"]) == (str(int(AT.timestamp())), expected)


async def test_a_webhook_is_signed_as_the_scheme_says() -> None:
    _, request = await sent("webhook", GOOD["webhook"], '{"type":"test"}')

    assert request.content == b'{"type":"test"}'
    assert request.headers["webhook-id"] == "key-1"
    at = request.headers["webhook-timestamp"]
    assert at == str(int(AT.timestamp()))
    digest = hmac.new(b"k" * 32, f"key-1.{at}.".encode() + request.content, hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_the_schemes_own_example_is_signed_the_same() -> None:
    from syncd.alerts.senders.webhook import signature

    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    signed = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", WHSEC.removeprefix("whsec_"), "whsec_c2hvcnQ="])
def test_a_secret_that_cannot_sign_is_refused_without_being_told(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_ and base64 of 24 to 64 bytes") as caught:
        Webhook(URL, secret, Still())
    assert not secret.removeprefix("whsec_") or secret not in str(caught.value)


async def test_an_address_that_is_none_is_dead() -> None:
    sender = Slack("nonsense")
    with pytest.raises(RouteDead):
        await sender.send("k", to_json(A_MESSAGE))
    await sender.close()


async def test_an_address_with_a_line_break_is_a_dead_route() -> None:
    sender = Telegram("123:S3CRET\nS3CRET", "-100", "https://chat.example.com")

    with pytest.raises(RouteDead, match="the address is not one") as caught:
        await sender.send("key-1", to_json(A_MESSAGE))
    await sender.close()
    assert "S3CRET" not in str(caught.value)

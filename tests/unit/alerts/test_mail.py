"""Mail is handed in to a real server on loopback, and what it answers is understood."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy

import pytest

from syncd.alerts.message import Message, Tone, to_json
from syncd.alerts.senders.mail import Mail, MailSettings, compose, meaning
from syncd.alerts.senders.sender import NotNow, RouteDead, SendFailed, Unsendable
from tests.unit.alerts.test_senders import Still

A_MESSAGE = Message(Tone.CRITICAL, "超卖 · shop", ("第一行",), ("#1042: 3 units",), closing=("What to do",))


@dataclass
class MailServer:
    """Just enough SMTP; `answers` replaces what it says to a verb."""

    answers: dict[str, str] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    port: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            verb = line.split()[0].decode().upper() if line.split() else ""
            self.verbs.append(verb)
            usual = {
                "EHLO": "250-here\r\n250 AUTH PLAIN",
                "DATA": "354 go on",
                "AUTH": "235 welcome",
                "QUIT": "221 bye",
            }
            answer = self.answers.get(verb, usual.get(verb, "250 ok"))
            writer.write(f"{answer}\r\n".encode())
            if verb == "DATA" and answer.startswith("354"):
                self.mails.append((await reader.readuntil(b"\r\n.\r\n"))[:-3])
                writer.write(self.answers.get(".", "250 taken").encode() + b"\r\n")
            if verb == "QUIT":
                break
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    made = MailServer()
    listening = await asyncio.start_server(made.talk, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    await listening.wait_closed()


def settings(port: int, **more: str) -> MailSettings:
    return MailSettings("127.0.0.1", port, "none", "syncd@example.com", ("ops@example.com", "two@example.com"), **more)


async def hand_in(server: MailServer, **more: str) -> str:
    return await Mail(settings(server.port, **more), Still()).send("key-1", to_json(A_MESSAGE))


async def refused(server: MailServer, **more: str) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        await hand_in(server, **more)
    assert "S3CRET" not in str(caught.value)
    return caught.value


async def test_a_mail_arrives_with_its_title_and_text_in_any_language(server: MailServer) -> None:
    assert await hand_in(server, username="me", password="S3CRET") == "accepted"

    [raw] = server.mails
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Subject"] == "[syncd] 🔴 超卖 · shop"
    assert mail["To"] == "ops@example.com, two@example.com"
    assert mail["Message-ID"] == "<key-1@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_body().get_content()  # type: ignore[union-attr]
    assert "第一行" in text
    assert "- #1042: 3 units" in text
    assert "AUTH" in server.verbs


async def test_a_wrong_password_is_for_a_person(server: MailServer) -> None:
    server.answers["AUTH"] = "535 S3CRET is wrong"

    err = await refused(server, username="me", password="S3CRET")

    assert isinstance(err, RouteDead)
    assert "user or password" in err.reason


@pytest.mark.parametrize(
    ("verb", "answer", "kind"),
    [
        ("AUTH", "454 later", NotNow),
        ("MAIL", "451 greylisted", NotNow),
        ("MAIL", "550 not you", RouteDead),
        ("RCPT", "450 later", NotNow),
        ("RCPT", "550 nobody", RouteDead),
        (".", "554 spam", Unsendable),
        (".", "452 full", NotNow),
    ],
)
async def test_what_a_mail_server_says_is_understood(
    server: MailServer, verb: str, answer: str, kind: type[SendFailed]
) -> None:
    server.answers[verb] = answer

    assert type(await refused(server, username="me", password="x")) is kind


async def test_a_server_that_is_not_there_is_for_later() -> None:
    with pytest.raises(NotNow):
        await Mail(settings(1), Still()).send("k", to_json(A_MESSAGE))


async def test_a_server_without_starttls_gets_no_mail_in_the_clear(server: MailServer) -> None:
    secure = MailSettings("127.0.0.1", server.port, "starttls", "a@example.com", ("b@example.com",))

    with pytest.raises(RouteDead, match="STARTTLS"):
        await Mail(secure, Still()).send("k", to_json(A_MESSAGE))

    assert not server.mails


def test_a_certificate_that_is_not_to_be_trusted_is_for_a_person() -> None:
    assert isinstance(meaning(ssl.SSLCertVerificationError(1, "self-signed")), RouteDead)
    assert isinstance(meaning(smtplib.SMTPServerDisconnected("gone")), NotNow)


def test_a_title_with_a_line_break_makes_no_header_of_its_own() -> None:
    mail = compose(Message(Tone.INFO, "one\r\nBcc: x@example.com"), "k", settings(25))

    assert mail["Bcc"] is None
    assert mail["Subject"] == "[syncd] 🔵 one Bcc: x@example.com"


async def test_a_password_that_smtp_cannot_carry_is_a_dead_route(server: MailServer) -> None:
    err = await refused(server, username="me", password="S3CRETä")

    assert type(err) is RouteDead
    assert "a letter outside ASCII" in err.reason


async def test_a_server_whose_name_is_none_is_a_dead_route() -> None:
    nowhere = MailSettings("a" * 70 + ".example.com", 25, "none", "syncd@example.com", ("ops@example.com",))

    with pytest.raises(RouteDead, match="the server's name"):
        await Mail(nowhere, Still()).send("key-1", to_json(A_MESSAGE))

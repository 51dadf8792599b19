"""E-mail by SMTP, in a thread: plain text, so that nothing in it is markup.

Sources: RFC 5321 (4xx: try again, 5xx: never), RFC 3207 (STARTTLS), RFC 8314 (implicit TLS on 465), RFC 3834
(Auto-Submitted); Python's smtplib.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final, Literal

from adapters.contract import Clock
from syncd.alerts.message import Message, fitted, from_json, plain_text, shortened
from syncd.alerts.senders.sender import NotNow, RouteDead, SendFailed, Unsendable

_WITHIN_S: Final = 10.0
_IN_ALL_S: Final = 25.0
_CHARACTERS: Final = 50_000
_TITLE: Final = 150


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where mail is handed in. `security`: tls from the first byte, starttls after a greeting, none on this machine."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    sender: str
    recipients: tuple[str, ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class Mail:
    """One mailbox that we send from."""

    gap_s = 1.0

    def __init__(self, settings: MailSettings, clock: Clock, context: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._context = context or ssl.create_default_context()

    async def send(self, key: str, body: str) -> str:
        mail = compose(from_json(body), key, self._settings)
        mail["Date"] = format_datetime(self._clock.now())
        try:
            async with asyncio.timeout(_IN_ALL_S):  # smtplib bounds each answer, not their sum
                return await asyncio.to_thread(self._hand_in, mail)
        except TimeoutError:
            raise NotNow("no answer (TimeoutError)") from None

    async def close(self) -> None:
        """Nothing stays open between two messages."""

    def _hand_in(self, mail: EmailMessage) -> str:
        try:
            with self._connect() as server:
                if self._settings.security == "starttls":
                    server.starttls(context=self._context)
                if self._settings.username is not None:
                    server.login(self._settings.username, self._settings.password or "")
                refused = server.send_message(mail)
        except (smtplib.SMTPException, OSError, ValueError) as err:
            raise meaning(err) from None  # what a server says may quote what it was given
        return f"accepted, but not for {len(refused)} of the recipients" if refused else "accepted"

    def _connect(self) -> smtplib.SMTP:
        at = self._settings
        if at.security == "tls":
            return smtplib.SMTP_SSL(at.host, at.port, timeout=_WITHIN_S, context=self._context)
        return smtplib.SMTP(at.host, at.port, timeout=_WITHIN_S)


def compose(message: Message, key: str, settings: MailSettings) -> EmailMessage:
    message = fitted(message, lambda each: len(plain_text(each)), _CHARACTERS)
    mail = EmailMessage()
    mail["Subject"] = shortened(" ".join(f"[syncd] {message.marked_title}".split()), _TITLE)
    mail["From"] = settings.sender
    mail["To"] = ", ".join(settings.recipients)
    domain = parseaddr(settings.sender)[1].rpartition("@")[2] or "localhost"
    mail["Message-ID"] = f"<{key}@{domain}>"  # the same for every attempt: many mailboxes show it once
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{message.title}\n\n{plain_text(message)}\n")
    return mail


def meaning(err: Exception) -> SendFailed:
    """What smtplib met, as a failure to send."""
    if isinstance(err, ssl.SSLCertVerificationError):
        return RouteDead("the server's certificate is not to be trusted")
    if isinstance(err, UnicodeEncodeError):  # smtplib logs in by ASCII alone
        return RouteDead("the user or the password has a letter outside ASCII, and cannot log in by SMTP")
    if isinstance(err, ValueError):
        return RouteDead("the server's name, the user or the password has a character that SMTP does not allow")
    if isinstance(err, smtplib.SMTPNotSupportedError):
        return RouteDead("the server offers neither STARTTLS nor a way to log in that we know")
    if isinstance(err, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in err.recipients.values()})
        text = f"no recipient is accepted (SMTP {', '.join(map(str, codes))})"
        return RouteDead(text) if all(code >= 500 for code in codes) else NotNow(text)
    if isinstance(err, smtplib.SMTPResponseException):
        text = f"SMTP {err.smtp_code}"
        if err.smtp_code < 500:
            return NotNow(text)
        if isinstance(err, smtplib.SMTPAuthenticationError | smtplib.SMTPSenderRefused):
            return RouteDead(f"{text}: {'user or password' if err.smtp_code == 535 else 'the sender'} is refused")
        return Unsendable(text) if isinstance(err, smtplib.SMTPDataError) else RouteDead(text)
    return NotNow(f"no answer ({type(err).__name__})")

"""Who is told what: chat routes, and webhooks of the seller's own."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from syncd.alerts.kinds import KINDS
from syncd.alerts.outbox import TOPICS
from syncd.config.values import BaseUrl, Key, SecretName, Table, Text, TimeZone, Url, Whole, matches, wrong
from syncd.errors import suggest

Language = Literal["en", "zh"]
SeverityWord = Literal["info", "warning", "critical"]
RouteKind = Literal["slack", "teams", "telegram", "discord", "dingtalk", "wecom", "feishu", "email"]

NEVER: Final = "never"
"""Instead of a time of day."""

ANY_ROUTE: Final = frozenset(("name", "kind", "from_severity", "facts", "fallback", "language", "digest"))
_BY_URL: Final = (frozenset(("url_secret",)), frozenset[str]())
_SIGNED: Final = (frozenset(("url_secret",)), frozenset(("sign_secret",)))

ROUTE_KEYS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "slack": _BY_URL,
    "teams": _BY_URL,
    "discord": _BY_URL,
    "wecom": _BY_URL,
    "dingtalk": _SIGNED,
    "feishu": _SIGNED,
    "telegram": (frozenset(("token_secret", "chat_id")), frozenset(("api_url",))),
    "email": (frozenset(("host", "from", "to")), frozenset(("port", "security", "username", "password_secret"))),
}
"""What a kind of route needs, and what it may have besides."""


def _fact(name: str) -> str:
    if name not in KINDS:
        raise wrong(f"{name!r} is no kind of alert", suggest(name, KINDS, "docs/runbook.md has them all"))
    return name


def _topic(name: str) -> str:
    if name not in TOPICS:
        raise wrong(f"{name!r} is no topic", suggest(name, TOPICS, f"There is {', '.join(TOPICS)}"))
    return name


def _some(topics: tuple[str, ...]) -> tuple[str, ...]:
    if not topics:
        raise wrong("is empty", "Name a topic, or leave the key out for all of them")
    return topics


def _is_time(text: str) -> bool:
    return text == NEVER or re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text) is not None


def _is_mailbox(text: str) -> bool:
    return re.fullmatch(r"[^@\s,<>]+@[^@\s,<>]+", text) is not None


Fact = Annotated[str, AfterValidator(_fact)]
Topic = Annotated[str, AfterValidator(_topic)]
Topics = Annotated[tuple[Topic, ...], AfterValidator(_some)]
TimeOfDay = Annotated[str, matches(_is_time, "is no time of day", 'Write one like "08:00", or "never"')]
Mailbox = Annotated[str, matches(_is_mailbox, "is no mail address", "Write one like ops@example.com")]


class Route(Table):
    """One way to reach people. Which of the keys it needs depends on its kind."""

    name: Key
    kind: RouteKind
    from_severity: SeverityWord = "warning"
    facts: tuple[Fact, ...] = ()  # kinds of alerts; empty: all
    fallback: Key | None = None
    language: Language | None = None
    digest: bool | None = None  # None: unless it hears of critical alerts alone
    url_secret: SecretName | None = None
    sign_secret: SecretName | None = None
    token_secret: SecretName | None = None
    chat_id: Text | None = None
    api_url: BaseUrl | None = None
    host: Text | None = None
    port: Annotated[Whole, Field(ge=1, le=65535)] | None = None
    security: Literal["tls", "starttls", "none"] = "tls"
    username: Text | None = None
    password_secret: SecretName | None = None
    sender: Mailbox | None = Field(default=None, alias="from")
    to: tuple[Mailbox, ...] = ()

    @property
    def wants_digest(self) -> bool:
        return self.from_severity != "critical" if self.digest is None else self.digest


class Alerts(Table):
    language: Language = "en"
    time_zone: TimeZone = "UTC"
    digest_at: TimeOfDay = "08:00"
    runbook_url: Url | None = None
    routes: tuple[Route, ...] = Field(default=(), alias="route")

    @property
    def digest_time(self) -> time | None:
        return None if self.digest_at == NEVER else time.fromisoformat(self.digest_at)


class Webhook(Table):
    """An endpoint of the seller's, which is sent events signed by the Standard Webhooks scheme."""

    name: Key
    url: Url
    signing_secret: SecretName
    topics: Topics = TOPICS

"""From a configuration to who is told what: the one place that names the senders."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from adapters.contract import Clock
from syncd import config as settings
from syncd import secrets
from syncd.accounts.store import Identities
from syncd.alerts.compose import Voice
from syncd.alerts.courier import Courier, CourierTools
from syncd.alerts.digest import DailyReport
from syncd.alerts.events import HookRule
from syncd.alerts.kinds import severity_called
from syncd.alerts.messenger import Messenger, Plan
from syncd.alerts.overdue import Known
from syncd.alerts.probes import probe_message, trial_event
from syncd.alerts.senders.dingtalk import DingTalk
from syncd.alerts.senders.discord import Discord
from syncd.alerts.senders.feishu import Feishu
from syncd.alerts.senders.mail import Mail, MailSettings
from syncd.alerts.senders.sender import Sender
from syncd.alerts.senders.slack import Slack
from syncd.alerts.senders.teams import Teams
from syncd.alerts.senders.telegram import API, Telegram
from syncd.alerts.senders.unopened import Unopened
from syncd.alerts.senders.webhook import Webhook
from syncd.alerts.senders.wecom import WeCom
from syncd.alerts.tell import RouteRule
from syncd.clock import ScaledClock
from syncd.config.values import url as checked_url
from syncd.errors import SyncdError

log = structlog.get_logger(__name__)

_HOOKS_AT_ONCE = 8
_PORTS = {"tls": 465, "starttls": 587, "none": 25}


class RouteRefused(SyncdError):
    """What the configuration and its secrets say of a route or a webhook cannot be used."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"route {name}: {problem}")
        self.name = name
        self.problem = problem


def topics_of(config: settings.Config) -> frozenset[str]:
    """The topics that any webhook wants: what is not among them is never put into the outbox."""
    return frozenset(topic for hook in config.webhooks for topic in hook.topics)


def known_of(config: settings.Config, ids: Identities) -> Known:
    """What the configuration has; the database may know accounts and warehouses of an earlier one."""
    names = [*(each.name for each in config.alerts.routes), *(each.name for each in config.webhooks)]
    return Known(
        frozenset(names),
        topics_of(config),
        frozenset(ids.accounts[each.key] for each in config.accounts),
        frozenset(ids.warehouses[each.key] for each in config.warehouses),
    )


def plan_of(config: settings.Config) -> Plan:
    """Who is told what, without any secret."""
    told = config.alerts
    daily = None
    if told.digest_time is not None and any(route.wants_digest for route in told.routes):
        daily = DailyReport(told.digest_time, told.time_zone, frozenset(each.key for each in config.accounts))
    return Plan(
        tuple(rule_of(route, config) for route in told.routes),
        tuple(HookRule(hook.name, frozenset(hook.topics)) for hook in config.webhooks),
        daily,
    )


def rule_of(route: settings.Route, config: settings.Config) -> RouteRule:
    return RouteRule(
        route.name,
        severity_called(route.from_severity),
        frozenset(route.facts),
        voice_of(route, config),
        route.wants_digest,
    )


def voice_of(route: settings.Route, config: settings.Config) -> Voice:
    told, public_url = config.alerts, config.http.public_url
    page_url = f"{public_url}/status" if public_url else None
    return Voice(route.language or told.language, told.time_zone, page_url, told.runbook_url)


def open_messenger(config: settings.Config, tools: CourierTools) -> Messenger | None:
    """The messenger of a configuration; None when nobody is to be told. Raises SecretMissing.

    A route that is refused keeps no other from working, nor the daemon: it is broken from the first.
    """
    if not config.alerts.routes and not config.webhooks:
        return None
    couriers = [
        _courier(
            each.name, partial(open_route, each), tools, partial(probe_message, voice_of(each, config)), each.fallback
        )
        for each in config.alerts.routes
    ]
    couriers += [
        _courier(
            each.name, partial(open_webhook, each), tools, lambda: trial_event(tools.real_now()), None, _HOOKS_AT_ONCE
        )
        for each in config.webhooks
    ]
    return Messenger(plan_of(config), couriers, tools)


def _courier(
    name: str,
    opened: Callable[[], Sender],
    tools: CourierTools,
    probe: Callable[[], str],
    fallback: str | None,
    at_once: int = 1,
) -> Courier:
    try:
        return Courier(name, opened(), tools, fallback, at_once, probe=probe)
    except RouteRefused as err:
        log.error("route.refused", route=name, reason=err.problem, fallback=fallback)
        return Courier(name, Unopened(err.problem), tools, fallback, at_once, trouble=err.problem)


def open_webhook(hook: settings.Webhook) -> Sender:
    try:
        return Webhook(hook.url, _secret(hook.signing_secret), _real_time())
    except ValueError as err:
        raise RouteRefused(hook.name, str(err)) from None  # the cause may quote the secret


def open_route(route: settings.Route) -> Sender:
    """A route's sender, with its secrets resolved. Raises SecretMissing and RouteRefused."""
    if route.kind == "email":
        return Mail(_mail_settings(route), _real_time())
    if route.kind == "telegram":
        assert route.token_secret is not None, "the configuration was checked"
        return Telegram(_secret(route.token_secret), route.chat_id or "", route.api_url or API)
    address = _address(route)
    sign = _secret(route.sign_secret) if route.sign_secret else None
    match route.kind:
        case "slack":
            return Slack(address)
        case "teams":
            return Teams(address)
        case "discord":
            return Discord(address)
        case "wecom":
            return WeCom(address)
        case "dingtalk":
            return DingTalk(address, sign, _real_time())
        case "feishu":
            return Feishu(address, sign, _real_time())


def _address(route: settings.Route) -> str:
    assert route.url_secret is not None, "the configuration was checked"
    address = _secret(route.url_secret)
    try:
        checked_url(address.partition("?")[0])
    except ValueError:
        problem = f"the secret {route.url_secret} is not an address: it must begin with https://"
        raise RouteRefused(route.name, problem) from None  # the cause may quote the secret
    return address


def _mail_settings(route: settings.Route) -> MailSettings:
    return MailSettings(
        host=route.host or "",
        port=route.port or _PORTS[route.security],
        security=route.security,
        sender=route.sender or "",
        recipients=route.to,
        username=route.username,
        password=_secret(route.password_secret) if route.password_secret else None,
    )


def _secret(name: str) -> str:
    return secrets.resolve(name).get_secret_value()


def _real_time() -> Clock:
    """Signatures carry real time, however fast a demo's runs."""
    return ScaledClock()

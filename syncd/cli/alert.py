"""`syncd alert`: what is wrong now, and whether people can be told."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Connection, select

from syncd import config as settings
from syncd.alerts.compose import Voice, page_links
from syncd.alerts.kinds import KINDS, kind_of
from syncd.alerts.message import Message, Tone, to_json
from syncd.alerts.opening import RouteRefused, open_route, open_webhook, voice_of
from syncd.alerts.senders.sender import Sender, SendFailed
from syncd.bootstrap import open_database
from syncd.chance import SystemRng
from syncd.clock import real_now
from syncd.db.tables import account, alert, warehouse
from syncd.errors import SyncdError, suggest
from syncd.secrets import SecretMissing


class UnknownRoute(SyncdError):
    """The configuration has no route or webhook of that name."""

    def __init__(self, name: str, known: list[str]) -> None:
        remedy = suggest(name, known, f"There is {', '.join(known) or 'none'}")
        super().__init__(f"no route or webhook has the name {name!r}. {remedy}")


class UnknownKind(SyncdError):
    """There is no such kind of alert."""

    def __init__(self, kind: str) -> None:
        known = ", ".join(sorted(KINDS))
        remedy = suggest(kind, KINDS, f"There is {known}")
        super().__init__(f"{kind!r} is no kind of alert. {remedy}")


def list_alerts(path: Path, console: Console, *, kind: str | None, limit: int, as_json: bool) -> None:
    """Print open alerts, the newest first."""
    if kind is not None and kind not in KINDS:
        raise UnknownKind(kind)
    db = open_database(settings.load(path))
    try:
        found = db.read_now(read_alerts, kind, limit + 1)
    finally:
        db.close()
    more, found = len(found) > limit, found[:limit]
    if as_json:
        console.print_json(json.dumps({"alerts": found, "more": more}))
        return
    table = Table("since", "kind", "where", "what", "units", "orders", box=None)
    for each in found:
        colour = {"critical": "red", "warning": "yellow", "info": "blue"}[each["severity"]]
        counts = ("" if each[name] is None else str(each[name]) for name in ("units", "orders"))
        where = each["warehouse"] or each["account"] or ""
        since = each["opened_at"][:16].replace("T", " ")
        table.add_row(since, f"[{colour}]{each['kind']}[/]", where, escape(each["message"]), *counts)
    if found:
        console.print(table)
    console.print(f"only the newest {limit}: more by --limit" if more else f"{len(found)} open alerts", style="dim")


def read_alerts(connection: Connection, kind: str | None, most: int) -> list[dict[str, Any]]:
    """Open alerts as JSON knows them."""
    found = (
        select(alert, account.c.key.label("account"), warehouse.c.key.label("warehouse"))
        .outerjoin(account, account.c.id == alert.c.account_id)
        .outerjoin(warehouse, warehouse.c.id == alert.c.warehouse_id)
        .where(alert.c.closed_at.is_(None))
        .order_by(alert.c.opened_at.desc(), alert.c.id.desc())
        .limit(most)
    )
    if kind is not None:
        found = found.where(alert.c.kind == kind)
    return [
        {
            "id": row.id,
            "kind": row.kind,
            "severity": kind_of(row.kind).severity.word,
            "account": row.account,
            "warehouse": row.warehouse,
            "subject": row.subject,
            "impact": row.impact,
            "message": row.message,
            "units": row.units,
            "orders": row.orders,
            "times": row.times,
            "opened_at": row.opened_at.isoformat(),
            "last_seen_at": row.last_seen_at.isoformat(),
        }
        for row in connection.execute(found)
    ]


async def try_routes(path: Path, name: str | None, console: Console) -> bool:
    """Send a test on each route and webhook, or on one. Returns whether all went through."""
    config = settings.load(path)
    known = [route.name for route in config.alerts.routes] + [hook.name for hook in config.webhooks]
    if name is not None and name not in known:
        raise UnknownRoute(name, known)
    if not known:
        console.print("nobody is to be told: add [[alerts.route]] to the configuration", style="yellow")
        return False
    good = True
    for route in config.alerts.routes:
        if name in (None, route.name):
            body = to_json(trial_message(voice_of(route, config)))
            good = await _test(f"{route.name} ({route.kind})", partial(open_route, route), body, console) and good
    for hook in config.webhooks:
        if name in (None, hook.name):
            body = _test_event()
            good = await _test(f"{hook.name} (webhook)", partial(open_webhook, hook), body, console) and good
    return good


def trial_message(voice: Voice) -> Message:
    texts = voice.texts
    return Message(Tone.INFO, texts.say("test.title"), (texts.say("test.body"),), links=page_links(voice))


def _test_event() -> str:
    event = {"type": "test", "timestamp": real_now().isoformat(), "data": {"message": "syncd can reach you here"}}
    return msgspec.json.encode(event).decode()


async def _test(what: str, opened: Callable[[], Sender], body: str, console: Console) -> bool:
    try:
        sender = opened()
    except (SecretMissing, RouteRefused) as err:
        console.print(f"  [red]✗[/] {escape(what)}: {escape(str(err))}")
        return False
    try:
        answer = await sender.send(f"test-{SystemRng().uuid()}", body)
    except SendFailed as err:
        console.print(f"  [red]✗[/] {escape(what)}: {escape(err.reason)}")
        return False
    except Exception as err:  # noqa: BLE001 - told by its type, as the daemon does: its text may quote a secret
        console.print(f"  [red]✗[/] {escape(what)}: sending failed ({type(err).__name__})")
        return False
    finally:
        await sender.close()
    console.print(f"  [green]✓[/] {escape(what)}: {escape(answer)}")
    return True

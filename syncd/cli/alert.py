"""`syncd alert`: what is wrong now, and whether people can be told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Connection, Row, and_, or_, select

from syncd import config as settings
from syncd.alerts.compose import Voice, page_links
from syncd.alerts.kinds import KINDS, Severity, kind_of, severity_called
from syncd.alerts.message import Message, Tone, to_json
from syncd.alerts.opening import open_route, open_webhook, voice_of
from syncd.alerts.probes import trial_event
from syncd.bootstrap import open_database
from syncd.cli.send_once import send_once
from syncd.clock import real_now
from syncd.db.database import Database
from syncd.db.tables import account, alert, warehouse
from syncd.errors import SyncdError, suggest

SEVERITIES: Final = tuple(each.word for each in Severity)
_PAGE: Final = 2_000


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


class UnknownSeverity(SyncdError):
    """There is no such severity."""

    def __init__(self, word: str) -> None:
        super().__init__(f"{word!r} is no severity. {suggest(word, SEVERITIES, 'There is ' + ', '.join(SEVERITIES))}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which open alerts are listed: of one kind, at least so bad, and so many; `limit` None: all of them."""

    kind: str | None = None
    severity: str | None = None
    limit: int | None = 200

    @property
    def kinds(self) -> list[str] | None:
        """The kinds that are wanted; None: every one."""
        if self.kind is not None:
            return [self.kind]
        if self.severity is None:
            return None
        least = severity_called(self.severity)
        return [name for name, each in KINDS.items() if each.severity >= least]


def list_alerts(path: Path, console: Console, wanted: Wanted, *, as_json: bool) -> None:
    """Print open alerts, the newest first. Raises UnknownKind and UnknownSeverity."""
    if wanted.kind is not None and wanted.kind not in KINDS:
        raise UnknownKind(wanted.kind)
    if wanted.severity is not None and wanted.severity not in SEVERITIES:
        raise UnknownSeverity(wanted.severity)
    db = open_database(settings.load(path))
    try:
        found, more = _read_pages(db, wanted)
    finally:
        db.close()
    if as_json:
        console.print_json(json.dumps({"alerts": found, "more": more}))
        return
    table = Table("since", "kind", "where", box=None)
    table.add_column("what, and its key", overflow="fold")
    table.add_column("units")
    table.add_column("orders")
    for each in found:
        colour = {"critical": "red", "warning": "yellow", "info": "blue"}[each["severity"]]
        counts = ("" if each[name] is None else str(each[name]) for name in ("units", "orders"))
        where = each["warehouse"] or each["account"] or ""
        since = each["opened_at"][:16].replace("T", " ")
        told = f"{escape(each['message'])}\n[dim]{escape(each['key'])}[/]"
        table.add_row(since, f"[{colour}]{each['kind']}[/]", where, told, *counts)
    if found:
        console.print(table)
    cut = f"only the newest {wanted.limit}: more by --limit, or --all"
    console.print(cut if more else f"{len(found)} open alerts", style="dim")


def _read_pages(db: Database, wanted: Wanted) -> tuple[list[dict[str, Any]], bool]:
    """(the alerts, whether there are more), read in steps that keep no snapshot for long."""
    found: list[dict[str, Any]] = []
    after: tuple[datetime, int] | None = None
    while True:
        left = _PAGE if wanted.limit is None else min(_PAGE, wanted.limit + 1 - len(found))
        rows = db.read_now(read_alerts, wanted.kinds, after, left)
        found += map(_as_json, rows)
        if len(rows) < left or (wanted.limit is not None and len(found) > wanted.limit):
            break
        after = rows[-1].opened_at, rows[-1].id
    if wanted.limit is None:
        return found, False
    return found[: wanted.limit], len(found) > wanted.limit


def read_alerts(
    connection: Connection, kinds: Sequence[str] | None, after: tuple[datetime, int] | None, most: int
) -> list[Row[Any]]:
    """Open alerts, the newest first, `after` that one."""
    found = (
        select(alert, account.c.key.label("account"), warehouse.c.key.label("warehouse"))
        .outerjoin(account, account.c.id == alert.c.account_id)
        .outerjoin(warehouse, warehouse.c.id == alert.c.warehouse_id)
        .where(alert.c.closed_at.is_(None))
        .order_by(alert.c.opened_at.desc(), alert.c.id.desc())
        .limit(most)
    )
    if kinds is not None:
        found = found.where(alert.c.kind.in_(kinds))
    if after is not None:
        at, last_id = after
        found = found.where(or_(alert.c.opened_at < at, and_(alert.c.opened_at == at, alert.c.id < last_id)))
    return list(connection.execute(found))


def _as_json(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": row.key,
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
            good = (
                await send_once(f"{route.name} ({route.kind})", partial(open_route, route), body, "test", console)
                and good
            )
    for hook in config.webhooks:
        if name in (None, hook.name):
            body = trial_event(real_now())
            good = (
                await send_once(f"{hook.name} (webhook)", partial(open_webhook, hook), body, "test", console) and good
            )
    return good


def trial_message(voice: Voice) -> Message:
    texts = voice.texts
    return Message(Tone.INFO, texts.say("test.title"), (texts.say("test.body"),), links=page_links(voice))

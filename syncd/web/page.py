"""The status pages: rendered here, live by small parts, whole without a script, and escaped throughout."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from syncd.alerts.kinds import Severity
from syncd.insight.account_page import read_account
from syncd.insight.at_risk import LOOKED_AT, AtRisk, Grade, RiskPage, read_at_risk, search
from syncd.insight.attention import read_concerns
from syncd.insight.oversells import COUNTED_TO as OVERSELLS_COUNTED_TO
from syncd.insight.oversells import read_oversells
from syncd.insight.parties import DRIFT_COUNTED_TO, read_pulses
from syncd.insight.recent import PARKED_COUNTED_TO, read_recent
from syncd.insight.sku_page import read_sku
from syncd.insight.status import Status
from syncd.web import page_format as fmt
from syncd.web.deps import WebDeps
from syncd.web.page_assets import Assets
from syncd.web.page_figures import figures, lag_bars
from syncd.web.page_source import PageSource
from syncd.web.page_verdict import SHOWN, Seen, Verdict, is_late, judge
from syncd.web.source import StatusSource, Unreadable

_TEMPLATES: Final = Path(__file__).parent / "templates"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
_AWAY: Final = re.compile(r'(<time class="away"[^>]*>)[^<]*')
_RISK_READ_EVERY = 8  # the dearest reading: so many times less often than the others
STATE_HINTS: Final = {
    "observing": "Orders are taken in; nothing is written until a person lets the account go live.",
    "live": "Orders are taken in, and numbers are written.",
    "paused": "Orders are taken in; a person has paused the writing of numbers.",
    "late": "No poll of its orders has come to its end for long: those that no webhook brings do not come in.",
}

Shown = dict[str, Any]


class StatusPage:
    """Answers everything under /status that a browser asks for."""

    def __init__(self, deps: WebDeps, status: StatusSource, assets: Assets) -> None:
        self._deps = deps
        self._status = status
        self._source = PageSource(deps)
        self._poll_every_s = {key: channel.traits.poll_every_s for key, (_, channel) in deps.accounts.items()}
        self.environment = _environment(assets.links, deps.version)
        self._parts: Mapping[str, Callable[[web.Request], Awaitable[Shown]]] = {
            "now": self._now,
            "accounts": self._parties,
            "stock": self._stock,
            "warehouses": self._parties,
            "events": self._events,
            "jobs": self._jobs,
        }

    async def whole(self, request: web.Request) -> web.Response:
        """The page with all its parts, as they are polled."""
        try:
            shown: Shown = {}
            for part in self._parts.values():
                shown |= await part(request)
        except Unreadable as err:
            return self._unreadable(err)
        return self._answer(request, "status.html", shown)

    async def part(self, request: web.Request) -> web.Response:
        """One part of the page, or 304 where the browser has it already."""
        name = request.match_info["part"]
        if name not in self._parts:
            raise web.HTTPNotFound
        try:
            shown = await self._parts[name](request)
        except Unreadable as err:
            return web.Response(status=503, text=str(err), headers={"Retry-After": "5"})
        return self._answer(request, f"part_{name}.html", shown)

    async def account(self, request: web.Request) -> web.Response:
        key = request.match_info["account"]
        try:
            page = await self._source.read(1, read_account, key)
            if page is None:
                return self._missing(f"No account is called {key}.")
            shown = await self._parties(request)
        except Unreadable as err:
            return self._unreadable(err)
        (mine,) = (each for each in shown["status"].accounts if each.key == key)
        lags = {name.partition(".")[2] or "sale to shown": lag_bars(lag) for name, lag in mine.lags.items()}
        return self._answer(request, "account.html", shown | {"page": page, "account": mine, "lags": lags})

    async def sku(self, request: web.Request) -> web.Response:
        code = request.query.get("code", "")
        try:
            page = await self._source.read(1, read_sku, code, self._deps.clock.now())
            status = await self._status.read()
        except Unreadable as err:
            return self._unreadable(err)
        if page is None:
            return self._missing(f"No SKU has the code or name {code!r}.")
        return self._answer(request, "sku.html", {"page": page, "now": status.at})

    async def _now(self, _: web.Request) -> Shown:
        status, at_risk = await self._status.read(), await self._at_risk()
        concerns = await self._source.read(1, read_concerns)
        late = self._late(status)
        problems = await self._deps.ready()
        refused = (self._deps.standing().get("reload") or {}).get("problems", ())
        verdict = judge(Seen(status, concerns, at_risk, self._deps.jobs(), late, problems, refused))
        return {
            "status": status,
            "now": status.at,
            "verdict": verdict,
            "page_title": _title(verdict),
            "items_shown": SHOWN,
            "figures": figures(status),
            "started_at": self._deps.started_at,
        }

    async def _parties(self, _: web.Request) -> Shown:
        status = await self._status.read()
        pulses = await self._source.read(1, read_pulses)
        return {
            "status": status,
            "now": status.at,
            "pulses": pulses,
            "late": self._late(status),
            "configured": set(self._deps.accounts),
        }

    async def _stock(self, request: web.Request) -> Shown:
        found = await self._at_risk()
        wanted = request.query.get("q", "").strip()[:100]
        grade = _grade(request.query.get("risk", ""))
        if wanted:
            after = request.query.get("after") or None
            page: RiskPage = await self._source.read(1, search, wanted, after, found)
        else:
            page = found.page(grade, _page_number(request.query.get("page", "")))
        status = await self._status.read()
        query = {"q": wanted, "risk": grade.value if grade and not wanted else "", "page": str(page.number)}
        kept = {name: value for name, value in query.items() if value and (name, value) != ("page", "1")}
        if wanted and request.query.get("after"):
            kept["after"] = request.query["after"]
        return {
            "now": status.at,
            "risk": page,
            "grade": grade,
            "wanted": wanted,
            "stock_query": urlencode(kept),
            "searched_from": request.query.get("after", "") if wanted else "",
        }

    async def _events(self, _: web.Request) -> Shown:
        status = await self._status.read()
        return {
            "now": status.at,
            "oversells": await self._source.read(2, read_oversells, status.at),
            "recent": await self._source.read(1, read_recent),
        }

    async def _jobs(self, _: web.Request) -> Shown:
        return {"now": self._deps.clock.now(), "jobs": self._deps.jobs()}

    async def _at_risk(self) -> AtRisk:
        found: AtRisk = await self._source.read(_RISK_READ_EVERY, read_at_risk, self._deps.clock.now())
        return found

    def _late(self, status: Status) -> set[str]:
        every = self._poll_every_s
        return {each.key for each in status.accounts if is_late(each.polled_to, every.get(each.key), status.at)}

    def _answer(self, request: web.Request, template: str, shown: Shown) -> web.Response:
        body = self.environment.get_template(template).render(shown)
        tag = _tag_of(body)
        headers = page_headers() | {"ETag": tag, "Cache-Control": "private, no-cache", "Syncd-Now": _iso(shown["now"])}
        if tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        return web.Response(text=body, content_type="text/html", headers=headers)

    def _unreadable(self, err: Unreadable) -> web.Response:
        body = self.environment.get_template("problem.html").render(
            headline="The state cannot be shown", detail=f"Right now {err}.", again=True
        )
        return web.Response(
            text=body, status=503, content_type="text/html", headers=page_headers() | {"Retry-After": "5"}
        )

    def _missing(self, detail: str) -> web.Response:
        body = self.environment.get_template("problem.html").render(headline="Nothing here", detail=detail, again=False)
        return web.Response(text=body, status=404, content_type="text/html", headers=page_headers())


def page_headers() -> dict[str, str]:
    return {
        "Content-Security-Policy": _POLICY,
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept",
    }


def _title(verdict: Verdict) -> str:
    """What a tab shows: how many things need a person soon."""
    soon = sum(each.severity > Severity.INFO for each in verdict.items)
    return f"({soon}) syncd" if soon else "syncd"


def _tag_of(body: str) -> str:
    """The same as long as nothing but ages changes."""
    without_ages = _AWAY.sub(r"\1", body)
    return f'"{hashlib.sha256(without_ages.encode()).hexdigest()[:24]}"'


def _iso(at: datetime) -> str:
    return at.isoformat()


def _grade(asked: str) -> Grade | None:
    return next((each for each in (Grade.RED, Grade.AMBER) if each.value == asked), None)


def _page_number(asked: str) -> int:
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1


def _environment(links: Mapping[str, str], version: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": fmt.number,
        "signed": fmt.signed,
        "counted": fmt.counted,
        "up_to": fmt.up_to,
        "duration": fmt.duration,
        "quantiles": fmt.quantiles,
        "lag": fmt.lag_of,
        "sentence": fmt.sentence,
        "instant": fmt.instant,
        "away": fmt.away,
        "path": partial(quote, safe=""),
    }
    environment.globals |= {
        "assets": links,
        "version": version,
        "state_hints": STATE_HINTS,
        "looked_at": LOOKED_AT,
        "drift_counted_to": DRIFT_COUNTED_TO,
        "parked_counted_to": PARKED_COUNTED_TO,
        "oversells_counted_to": OVERSELLS_COUNTED_TO,
    }
    return environment

"""The status page: rendered here, restful to read, and with nothing in it that another host serves."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from syncd.insight.status import COUNTED_TO, AccountStatus, Lag, Status, age_s
from syncd.web.deps import WebDeps

_TEMPLATES = Path(__file__).parent / "templates"
_LATE_AFTER = 3  # polls missed before a page calls an account's view late
_STATE_HINTS = {
    "observing": "Orders are taken in; nothing is written until a person lets the account go live.",
    "live": "Orders are taken in, and numbers are written.",
    "paused": "Orders are taken in; a person has paused the writing of numbers.",
}
_AWAITED = {"certification", "its time"}  # reasons that read on from "waits for"; the others are sentences of their own
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the few numbers at the top of the page."""

    label: str
    value: str
    note: str
    alarming: bool = False


class StatusPage:
    """Renders the state as HTML."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps
        self._poll_every_s = {key: channel.traits.poll_every_s for key, (_, channel) in deps.accounts.items()}
        style = (_TEMPLATES / "status.css").read_text(encoding="utf-8")
        script = (_TEMPLATES / "status.js").read_text(encoding="utf-8")
        self._headers = {
            "Content-Security-Policy": (
                f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; connect-src 'self';"
                " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept",
        }
        self._version = deps.version
        self._style, self._script = style, script

    @cached_property
    def _template(self) -> Template:
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {
            "number": number,
            "counted": counted,
            "duration": duration,
            "quantiles": quantiles,
            "sentence": sentence,
            "instant": instant,
        }
        environment.globals |= {
            "style": Markup(self._style),  # noqa: S704 - our own file
            "script": Markup(self._script),  # noqa: S704 - our own file
            "version": self._version,
            "hints": _STATE_HINTS,
            "awaited": _AWAITED,
        }
        return environment.get_template("status.html")

    def answer(self, status: Status) -> web.Response:
        return self._html(
            200,
            status=status,
            problem=None,
            uptime_s=age_s(self._deps.started_at, status.at),
            figures=figures(status),
            ages={each.key: age_s(each.polled_to, status.at) for each in status.accounts},
            late={each.key for each in status.accounts if self._is_late(each, status.at)},
            configured=set(self._deps.accounts),
            inbox_age_s=age_s(status.inbox.oldest_new_at, status.at),
        )

    def answer_unreadable(self, problem: str) -> web.Response:
        return self._html(503, status=None, problem=problem)

    def _html(self, code: int, **shown: object) -> web.Response:
        return web.Response(
            text=self._template.render(shown), status=code, content_type="text/html", headers=self._headers
        )

    def _is_late(self, account: AccountStatus, now: datetime) -> bool:
        every_s = self._poll_every_s.get(account.key)
        age = age_s(account.polled_to, now)
        return every_s is not None and age is not None and age > _LATE_AFTER * every_s


def figures(status: Status) -> tuple[Figure, ...]:
    """The few numbers that a glance is for, over all accounts."""
    accounts = status.accounts
    ways: Counter[str] = Counter()
    shown: Counter[int] = Counter()
    for each in accounts:
        ways.update(each.orders_in)
        shown.update(each.lags["placed_to_shown"].buckets if "placed_to_shown" in each.lags else {})
    oversold = sum(each.totals["oversold_units"] for each in accounts)
    due = [each.backlog.due for each in accounts]
    waiting = [sum(each.backlog.waiting.values()) for each in accounts]
    lag = Lag(shown)
    return (
        Figure("Orders taken in", number(ways.total()), _by_way(ways)),
        Figure("Oversold", number(oversold), "units that no stock covered", alarming=oversold > 0),
        Figure(
            "Sale to shown", _lag(lag.quantile_s(0.5)), f"half within this; 95 % within {_lag(lag.quantile_s(0.95))}"
        ),
        Figure("Numbers to write", counted(*due), f"{counted(*waiting)} more wait" if any(waiting) else "none waits"),
        Figure("Inbox", counted(status.inbox.new), _inbox_note(status)),
    )


def _by_way(ways: Mapping[str, int]) -> str:
    return ", ".join(f"{number(n)} by {way}" for way, n in ways.items() if n) or "none yet"


def _shown_note(lag: Lag) -> str:
    return f"half within this; 95 % within {_lag(lag.quantile_s(0.95))}" if lag.count else "not measured yet"


def _inbox_note(status: Status) -> str:
    age = age_s(status.inbox.oldest_new_at, status.at)
    waits = f"oldest waits {duration(age)}" if age is not None else "nothing waits"
    return f"{waits}; {counted(status.inbox.parked)} parked" if status.inbox.parked else waits


def number(n: int) -> str:
    return f"{n:,}"


def counted(*counts: int) -> str:
    """The sum of counts that each end at COUNTED_TO; it says so when one did."""
    return f"{sum(min(n, COUNTED_TO) for n in counts):,}{'+' if max(counts, default=0) > COUNTED_TO else ''}"


def duration(seconds: float | None) -> str:
    """A rough length of time: `42 s`, `3 min`, `2 h`, `5 d`."""
    if seconds is None:
        return "never"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def quantiles(lag: Lag) -> str:
    return f"{_lag(lag.quantile_s(0.5))} / {_lag(lag.quantile_s(0.95))}"


def _lag(seconds: float | None) -> str:
    """A measured lag with two digits: `420 ms`, `1.3 s`, `42 s`, `2.4 min`."""
    if seconds is None:
        return "–"
    if seconds < 0.95:
        return f"{_two_digits(seconds * 1000)} ms"
    for size, unit in _UNITS:
        if seconds >= 1.5 * size:
            return f"{_two_digits(seconds / size)} {unit}"
    return f"{_two_digits(seconds)} s"


def _two_digits(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{float(f'{value:.2g}'):.0f}"


def sentence(text: str) -> str:
    """A clause as a sentence; nothing but its first letter changes, since names keep theirs."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def prefers_html(accept: str) -> bool:
    """Whether an Accept header wants HTML more than JSON; without a preference it is JSON."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights[kind] = max(weights.get(kind, 0.0), _weight(parameters))
    return _wanted(weights, "text/html", "text/*") > _wanted(weights, "application/json", "application/*")


def _weight(parameters: list[str]) -> float:
    for name, _, value in (parameter.partition("=") for parameter in parameters):
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _wanted(weights: Mapping[str, float], *names: str) -> float:
    """The weight of the most telling of these names, else that of anything."""
    return next((weights[name] for name in (*names, "*/*") if name in weights), 0.0)


def _hash(inline: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"

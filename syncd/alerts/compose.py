"""From incidents to a message in one language: what happened, since when, what it costs, what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from syncd.alerts.bundles import Bundle
from syncd.alerts.impact import Impact, Item
from syncd.alerts.incidents import Incident
from syncd.alerts.kinds import Severity, kind_of
from syncd.alerts.message import Link, Message, Tone, shortened
from syncd.alerts.texts import Texts

_DETAIL = 160
_LINES = 25
_ENTRIES = 4
_TONES = {Severity.CRITICAL: Tone.CRITICAL, Severity.WARNING: Tone.WARNING, Severity.INFO: Tone.INFO}


@dataclass(frozen=True, slots=True)
class Voice:
    """How a route speaks: language, clock, and where its links lead."""

    language: str
    time_zone: str
    page_url: str | None = None
    runbook_url: str | None = None

    @property
    def texts(self) -> Texts:
        return Texts(self.language)

    def clock_time(self, instant: datetime) -> str:
        return instant.astimezone(ZoneInfo(self.time_zone)).strftime("%Y-%m-%d %H:%M %Z")

    def runbook(self, kind: str) -> str:
        """Where the runbook tells of a kind."""
        return f"{self.runbook_url or 'docs/runbook.md'}#{kind}"


def compose(bundle: Bundle, impacts: Mapping[int, Impact], voice: Voice, now: datetime) -> Message:
    """The message of a bundle that has at least one incident."""
    if len(bundle.incidents) == 1:
        each = bundle.incidents[0]
        return _recovered(each, voice, now) if bundle.over else _down(each, impacts[each.id], voice, now)
    return _several_over(bundle.incidents, voice, now) if bundle.over else _several(bundle, impacts, voice)


def _down(each: Incident, impact: Impact, voice: Voice, now: datetime) -> Message:
    texts = voice.texts
    title = _title(each, texts)
    if each.messages:
        title = texts.say("title.more", title=title, n=f"{impact.causes:,}")
    elif each.flaps:
        title = texts.say("title.again", title=title, n=each.flaps + 1)
    since = texts.say("since", at=voice.clock_time(each.opened_at), ago=long(now - each.opened_at, texts))
    return Message(
        _TONES[kind_of(each.kind).severity],
        title,
        (texts.of_kind(each.kind, "what"), since, texts.say("impact", impact=_cost(each, impact, texts))),
        tuple(_item(item, texts) for item in impact.items),
        max(0, impact.causes - len(impact.items)) if impact.items else 0,
        _more(kind_of(each.kind).severity, texts),
        (
            texts.say("do", do=texts.of_kind(each.kind, "do")),
            texts.say("runbook", entry=voice.runbook(each.kind)),
        ),
        page_links(voice),
    )


def _recovered(each: Incident, voice: Voice, now: datetime) -> Message:
    texts = voice.texts
    ended = each.quiet_at or now
    lasted = texts.say(
        "lasted",
        begun=voice.clock_time(each.opened_at),
        ended=voice.clock_time(ended),
        long=long(ended - each.opened_at, texts),
    )
    return Message(Tone.GOOD, texts.say("title.over", title=_title(each, texts)), (lasted,), links=page_links(voice))


def _several(bundle: Bundle, impacts: Mapping[int, Impact], voice: Voice) -> Message:
    """One line an incident, and of the severe ones every cause that fits, before the lesser ones."""
    texts = voice.texts
    severe = [each for each in bundle.incidents if kind_of(each.kind).severity is Severity.CRITICAL]
    items: list[str] = []
    named: list[str] = []
    unnamed = 0
    for each in bundle.incidents:
        impact = impacts[each.id]
        items.append(texts.say("line.down", title=_title(each, texts), impact=_cost(each, impact, texts)))
        if each in severe:
            named += [f"{_title(each, texts)} · {_item(item, texts)}" for item in impact.items]
            unnamed += max(0, impact.causes - len(impact.items))
    worst = max(kind_of(each.kind).severity for each in bundle.incidents)
    kinds = list(dict.fromkeys(each.kind for each in bundle.incidents))
    paragraphs = tuple(items[:_LINES])
    if len(items) > _LINES:
        paragraphs += (texts.say("more", n=len(items) - _LINES),)
    return Message(
        _TONES[worst],
        texts.say("title.several", n=len(bundle.incidents)),
        paragraphs,
        tuple(named),
        unnamed,
        _more(worst, texts),
        (
            texts.say("do", do=texts.of_kind(bundle.incidents[0].kind, "do")),
            texts.say("runbook", entry=", ".join(voice.runbook(kind) for kind in kinds[:_ENTRIES])),
        ),
        page_links(voice),
    )


def _several_over(incidents: Sequence[Incident], voice: Voice, now: datetime) -> Message:
    texts = voice.texts
    lines = (
        texts.say("line.over", title=_title(each, texts), long=long((each.quiet_at or now) - each.opened_at, texts))
        for each in incidents
    )
    title = texts.say("title.several_over", n=len(incidents))
    return Message(Tone.GOOD, title, (), tuple(lines), 0, texts.say("more", n="{n}"), (), page_links(voice))


def _more(severity: Severity, texts: Texts) -> str:
    """What leads to the causes that a message has no room for: to each severe one."""
    return texts.say("more.severe" if severity is Severity.CRITICAL else "more", n="{n}")


def _title(each: Incident, texts: Texts) -> str:
    title = texts.of_kind(each.kind, "title")
    return texts.say("title.with_scope", title=title, scope=each.scope) if each.scope else title


def _cost(each: Incident, impact: Impact, texts: Texts) -> str:
    parts = []
    if impact.orders:
        parts.append(texts.count("orders", impact.orders))
    elif impact.causes > 1 or (not impact.units and not kind_of(each.kind).single):
        parts.append(texts.count("causes", impact.causes))
    if impact.waiting:
        parts.append(texts.count("waiting", impact.waiting))
    if impact.units:
        parts.append(texts.count("units", impact.units))
    if impact.listings:
        parts += [texts.count("listings", impact.listings), texts.count("shown", impact.shown)]
    return texts.say("joined").join(parts) or texts.say("impact.none")


def _item(item: Item, texts: Texts) -> str:
    detail = shortened(item.detail, _DETAIL)
    if item.units:
        counted = texts.say("item.units", subject=item.subject or "?", units=texts.count("units", item.units))
        return f"{counted} ({detail})" if detail else counted
    if item.subject and detail:
        return texts.say("item.detail", subject=item.subject, detail=detail)
    return item.subject or detail or "?"


def page_links(voice: Voice) -> tuple[Link, ...]:
    return (Link(voice.texts.say("page"), voice.page_url),) if voice.page_url else ()


def long(span: timedelta, texts: Texts) -> str:
    """A duration in two units at most."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 90:
        return texts.say("long.s", n=seconds)
    minutes = seconds // 60
    if minutes < 90:
        return texts.say("long.min", n=minutes)
    if minutes < 48 * 60:
        return texts.say("long.h", n=minutes // 60, m=minutes % 60)
    return texts.say("long.d", n=minutes // 1440, h=minutes % 1440 // 60)

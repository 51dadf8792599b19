"""The verdict at the top of the page: all well or look here, and what needs a person, worst first. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncd.alerts.kinds import Severity
from syncd.alerts.refused_reload import REFUSED
from syncd.alerts.texts import Texts
from syncd.insight.at_risk import AtRisk
from syncd.insight.attention import Concern, Example
from syncd.insight.job_log import JobRun
from syncd.insight.status import COUNTED_TO, Status, age_s
from syncd.web.page_format import duration, number, up_to

SHOWN = 6
_INBOX_SLOW_S = 60.0
_TEXTS = Texts("en")
_SOON = {Severity.CRITICAL: "Now", Severity.WARNING: "Today", Severity.INFO: "Have a look"}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing for a person: `what` heads it, `detail` goes on, `remedy` says what to do."""

    severity: Severity
    what: str
    remedy: str
    since_at: datetime | None = None
    examples: tuple[Example, ...] = field(default=())
    count: int = 1
    key: str = ""
    detail: str = ""

    @property
    def soon(self) -> str:
        return _SOON[self.severity]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`tone` is good, warn or bad; `words` say it, `detail` goes on."""

    tone: str
    words: str
    detail: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a verdict is made from.

    `late` names accounts whose polls are overdue, `problems` what the daemon misses to do its work, `refused` why a
    changed configuration was not taken.
    """

    status: Status
    concerns: Sequence[Concern]
    at_risk: AtRisk
    jobs: Sequence[JobRun]
    late: Collection[str]
    problems: Sequence[str]
    refused: Sequence[str] = ()


def judge(seen: Seen) -> Verdict:
    items = sorted(_items(seen), key=lambda each: (-each.severity, -each.count))
    now = sum(each.severity is Severity.CRITICAL for each in items)
    today = sum(each.severity is Severity.WARNING for each in items)
    if now:
        later = f"; {today} more can wait till later today" if today else ""
        words = "One thing needs a person now" if now == 1 else f"{now} things need a person now"
        return Verdict("bad", f"Look here: {words[0].lower()}{words[1:]}", f"{_doing(seen)}{later}", tuple(items))
    if today:
        words = "one thing needs a person today" if today == 1 else f"{today} things need a person today"
        return Verdict("warn", f"Look here: {words}", _doing(seen), tuple(items))
    if items:
        return Verdict("good", "All well, with something to look at when there is time", _doing(seen), tuple(items))
    return Verdict("good", "All is well", _doing(seen), ())


def _doing(seen: Seen) -> str:
    """What goes on, whatever is wrong besides."""
    accounts = seen.status.accounts
    if not accounts:
        return "No account is configured yet"
    live = sum(each.state == "live" for each in accounts)
    orders = sum(sum(each.orders_in.values()) for each in accounts)
    of = f"{live} of {len(accounts)}" if live != len(accounts) else f"{live}"
    return f"{of} {'account' if len(accounts) == 1 else 'accounts'} live, {number(orders)} orders taken in"


def _items(seen: Seen) -> Iterator[Item]:
    for problem in seen.problems:
        remedy = "Look at syncd's log; the service manager restarts it if it stays stuck."
        yield Item(Severity.CRITICAL, f"syncd cannot do its work: {problem}", remedy, key="ready")
    for concern in seen.concerns:
        yield _told(concern)
    yield from _stock(seen.at_risk)
    yield from _accounts(seen)
    yield from _machine(seen)


def _told(concern: Concern) -> Item:
    """All alerts of a kind, in the words that the chat uses too."""
    title, what, remedy = (_TEXTS.of_kind(concern.kind, part) for part in ("title", "what", "do"))
    many = f": {up_to(concern.count, COUNTED_TO)} cases" if concern.count > 1 else ""
    return Item(
        concern.severity,
        f"{title}{many}",
        remedy,
        concern.since_at,
        concern.newest,
        concern.count,
        f"kind-{concern.kind}",
        what,
    )


def _stock(at_risk: AtRisk) -> Iterator[Item]:
    on_sale = [row for row in at_risk.red if any(each.sellable <= 0 < each.shown for each in row.overshown)]
    if on_sale:
        names = ", ".join(row.code for row in on_sale[:3]) + (" and others" if len(on_sale) > 3 else "")
        one = len(on_sale) == 1
        yield Item(
            Severity.CRITICAL,
            f"{number(len(on_sale))} sold-out {'SKU is' if one else 'SKUs are'} still on sale: {names}",
            "syncd writes the 0 as soon as the channel takes it; if it lasts, see that account's pushes and alerts.",
            min(over.since_at for row in on_sale for over in row.overshown),
            count=len(on_sale),
            key="on-sale",
        )


def _accounts(seen: Seen) -> Iterator[Item]:
    down = {
        example.account
        for concern in seen.concerns
        if concern.kind in ("channel_down", "auth_expired", "polls_late")
        for example in concern.newest
    }
    for each in seen.status.accounts:
        if each.key in seen.late and each.key not in down:
            age = duration(age_s(each.polled_to, seen.status.at))
            remedy = "Webhooks may still come. See its throttling below and the log; syncd goes on trying."
            yield Item(Severity.WARNING, f"{each.key} was last asked for orders {age} ago", remedy, each.polled_to)
        if each.state == "paused":
            remedy = f"Nothing is written there while it is paused; syncd resume {each.key} lets it go on."
            yield Item(Severity.INFO, f"{each.key} is paused", remedy, each.state_changed_at)


def _machine(seen: Seen) -> Iterator[Item]:
    told = any(concern.kind == REFUSED for concern in seen.concerns)
    if seen.refused and not told:  # the alert could not be written
        remedy = "Correct it and reload again; until then syncd works by the one before."
        why = "; ".join(seen.refused)
        yield Item(Severity.WARNING, "The changed configuration was refused", remedy, key="reload", detail=why)
    age = age_s(seen.status.inbox.oldest_new_at, seen.status.at)
    if age is not None and age > _INBOX_SLOW_S:
        remedy = "Orders are safe in the inbox but late in the book: see the log, the disk and the database's load."
        yield Item(
            Severity.CRITICAL, f"Orders wait {duration(age)} to be taken in", remedy, seen.status.inbox.oldest_new_at
        )
    for run in seen.jobs:
        if run.failed and run.failed != "cancelled":
            remedy = "It is tried again each time it is due; the log has the details."
            yield Item(Severity.WARNING, f"The job {run.name} fails ({run.failed})", remedy, run.ended_at)


def is_late(polled_to: datetime | None, every_s: float | None, now: datetime) -> bool:
    """Whether an account's polls are overdue: three in a row were missed."""
    return every_s is not None and polled_to is not None and now - polled_to > timedelta(seconds=3 * every_s)

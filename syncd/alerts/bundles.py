"""Which incidents are told together: few messages, the severe ones first, and none of those held up. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from syncd.alerts.incidents import Incident
from syncd.alerts.kinds import Severity, kind_of

WINDOW_S: Final = 300.0
MOST_IN_WINDOW: Final = 5
MOST_SEVERE_IN_WINDOW: Final = 10
SEVERE_EVERY_S: Final = 60.0
"""When the window is used up, all that is severe goes into one message: one at once, and one a minute after that."""

MORE_TOGETHER_S: Final = 120.0
MOST_ALONE: Final = 4
"""So many incidents get a message of their own at one time; the others share one."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Incidents of one message: all begin, or all are over."""

    over: bool
    incidents: tuple[Incident, ...]


def due(incidents: Sequence[Incident], now: datetime) -> tuple[list[Incident], list[Incident]]:
    """(those to be told, those that are over), the severe first."""
    down = [each for each in incidents if each.tell_at is not None and each.tell_at <= now and each.quiet_at is None]
    if any(each.messages for each in down):  # what is almost due has no need of a message of its own
        soon = now + timedelta(seconds=MORE_TOGETHER_S)
        more = [each for each in incidents if each.messages and each.tell_at is not None and each.quiet_at is None]
        down += [each for each in more if each.tell_at is not None and now < each.tell_at <= soon]
    over = [each for each in incidents if each.told_at is not None and each.over_at is not None and each.over_at <= now]
    return sorted(down, key=_rank), sorted(over, key=_rank)


def bundled(
    down: Sequence[Incident], over: Sequence[Incident], told_lately: int, last_told_s: float = math.inf
) -> list[Bundle]:
    """The messages to make now, when `told_lately` were made within the window, the last `last_told_s` seconds ago.

    What is in none waits for room.
    """
    room = MOST_IN_WINDOW - told_lately
    if room <= 0:
        severe = tuple(each for each in down if kind_of(each.kind).severity is Severity.CRITICAL)
        may_tell = room == 0 or (told_lately < MOST_SEVERE_IN_WINDOW and last_told_s >= SEVERE_EVERY_S)
        return [Bundle(False, severe)] if severe and may_tell else []
    over_room = 0 if not over else 1 if down or len(over) > room else len(over)
    if down and over and room == 1:
        over_room = 0  # what is wrong comes before what is right again
    fresh = [each for each in down if not each.messages]
    more = tuple(each for each in down if each.messages)  # of what people know already: one message for all of it
    down_room = min(MOST_ALONE + 1, room - over_room)
    if down_room == 1 and fresh and more:
        fresh, more = list(down), ()
    messages = _shared(fresh, down_room - bool(more), over=False)
    messages += [Bundle(False, more)] if more else []
    return messages + _shared(over, min(over_room, MOST_ALONE), over=True)


def next_due_at(incidents: Sequence[Incident]) -> datetime | None:
    """When the next of these is to be told or is over; None: nothing is known to be."""
    instants = [each.tell_at for each in incidents if each.tell_at is not None and each.quiet_at is None]
    instants += [each.over_at for each in incidents if each.over_at is not None]
    return min(instants, default=None)


def _shared(incidents: Sequence[Incident], messages: int, *, over: bool) -> list[Bundle]:
    """Each alone while messages last, the rest in the last one."""
    if not incidents or messages <= 0:
        return []
    if len(incidents) <= messages:
        return [Bundle(over, (each,)) for each in incidents]
    alone, rest = incidents[: messages - 1], incidents[messages - 1 :]
    return [*(Bundle(over, (each,)) for each in alone), Bundle(over, tuple(rest))]


def _rank(each: Incident) -> tuple[int, datetime, int]:
    return -kind_of(each.kind).severity, each.opened_at, each.id

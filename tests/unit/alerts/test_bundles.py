"""Which incidents share a message: few at a time, the severe ones first, none forgotten."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from syncd.alerts.bundles import (
    MOST_ALONE,
    MOST_IN_WINDOW,
    MOST_SEVERE_IN_WINDOW,
    SEVERE_EVERY_S,
    WINDOW_S,
    bundled,
    due,
    next_due_at,
)
from syncd.alerts.incidents import Incident
from syncd.alerts.kinds import KINDS, Severity, kind_of

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def an_incident(number: int = 1, kind: str = "oversold", **values: object) -> Incident:
    usual = {"tell_at": NOW, "told_at": None, "quiet_at": None, "messages": 0, "flaps": 0}
    return Incident(number, kind, "shop", NOW - timedelta(minutes=number), **{**usual, **values})  # type: ignore[arg-type]


def told(number: int = 1, **values: object) -> Incident:
    return an_incident(number, **{"tell_at": None, "told_at": NOW - SECOND * 60, "messages": 1, **values})  # type: ignore[arg-type]


def test_one_problem_is_one_message() -> None:
    down, over = due([an_incident()], NOW)

    assert [bundle.incidents for bundle in bundled(down, over, 0)] == [(an_incident(),)]


def test_the_severe_come_first_and_the_rest_share_one() -> None:
    many = [an_incident(n, "unmapped") for n in range(20)] + [an_incident(99, "audit_violation")]

    bundles = bundled(*due(many, NOW), 0)

    assert len(bundles) == MOST_ALONE + 1
    assert bundles[0].incidents[0].kind == "audit_violation"
    assert sum(len(bundle.incidents) for bundle in bundles) == 21


def test_what_waits_is_not_due_and_what_is_quiet_is_not_told() -> None:
    waiting = an_incident(1, tell_at=NOW + SECOND)
    quiet = an_incident(2, quiet_at=NOW)

    assert due([waiting, quiet], NOW) == ([], [])
    assert next_due_at([waiting]) == NOW + SECOND


def test_it_is_over_only_when_it_stays_so_and_later_if_it_came_back_often() -> None:
    first, third = told(1, quiet_at=NOW), told(2, quiet_at=NOW, flaps=3)

    assert due([first, third], NOW + SECOND * 16)[1] == [first]
    assert due([first, third], NOW + SECOND * 121)[1] == [third, first]


def test_news_of_what_people_know_already_share_one_message() -> None:
    more = [told(n, tell_at=NOW) for n in range(5)] + [told(9, tell_at=NOW + SECOND * 90)]

    [bundle] = bundled(*due(more, NOW), 0)

    assert len(bundle.incidents) == 6


def test_a_severe_one_finds_room_when_the_others_have_used_theirs() -> None:
    down = [an_incident(1, "unmapped"), an_incident(2, "auth_expired")]

    [bundle] = bundled(*due(down, NOW), MOST_IN_WINDOW)

    assert [each.kind for each in bundle.incidents] == ["auth_expired"]
    assert bundled(*due(down, NOW), MOST_SEVERE_IN_WINDOW) == []


def test_beyond_the_room_of_all_the_severe_have_one_message_at_once_and_one_a_minute() -> None:
    severe = due([an_incident(1, "oversold"), an_incident(2, "auth_expired")], NOW)

    assert len(bundled(*severe, MOST_IN_WINDOW, 0.5)) == 1
    assert bundled(*severe, MOST_IN_WINDOW + 1, SEVERE_EVERY_S - 1) == []
    [bundle] = bundled(*severe, MOST_IN_WINDOW + 1, SEVERE_EVERY_S)
    assert len(bundle.incidents) == 2


def test_a_severe_cause_waits_no_longer_than_a_minute_for_room() -> None:
    """Messages at every second in which one may be made, over a quarter of an hour."""
    made: list[int] = []
    severe = due([an_incident(1, "oversold")], NOW)
    lesser = due([an_incident(n, "unmapped") for n in range(20)], NOW)
    longest, waits_since = 0, 0
    for second in range(900):
        lately = [at for at in made if second - at < WINDOW_S]
        last_s = float(second - made[-1]) if made else math.inf
        down = severe if second % 2 else lesser
        bundles = bundled(*down, len(lately), last_s)
        made += [second] * len(bundles)
        if second % 2 and bundles:
            longest, waits_since = max(longest, second - waits_since), second
        assert len([at for at in made if second - at < WINDOW_S]) <= MOST_SEVERE_IN_WINDOW

    assert longest <= SEVERE_EVERY_S + 2


incidents = st.lists(
    st.builds(
        an_incident,
        st.integers(1, 10_000),
        st.sampled_from(sorted(KINDS)),
        tell_at=st.sampled_from([None, NOW, NOW + SECOND * 100]),
        told_at=st.sampled_from([None, NOW - SECOND * 60]),
        quiet_at=st.sampled_from([None, NOW - timedelta(hours=1), NOW]),
        messages=st.integers(0, 3),
    ),
    max_size=60,
    unique_by=lambda each: each.id,
)


@given(incidents, st.integers(0, 15))
def test_never_too_many_messages_and_nothing_twice_and_no_severe_one_left_behind(
    found: list[Incident], lately: int
) -> None:
    down, over = due(found, NOW)
    bundles = bundled(down, over, lately)

    assert not bundles or lately + len(bundles) <= MOST_SEVERE_IN_WINDOW
    told_now = [each.id for bundle in bundles for each in bundle.incidents]
    assert len(told_now) == len(set(told_now))
    assert all(bundle.incidents for bundle in bundles)
    assert set(told_now) <= {each.id for each in (*down, *over)}
    severe = {each.id for each in down if kind_of(each.kind).severity is Severity.CRITICAL}
    if lately < MOST_SEVERE_IN_WINDOW:
        assert severe <= set(told_now)
    if lately < MOST_IN_WINDOW:
        assert {each.id for each in down} <= set(told_now)

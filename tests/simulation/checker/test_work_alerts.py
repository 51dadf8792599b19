"""What stands still or fails for long is told once, and nothing is told that does not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from syncd.simulation.checker.alerts import AlertRow
from syncd.simulation.checker.bounds import Bounds
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.checker.work_alerts import Waited, read_waited, was_in_trouble, what_stands_still_is_told
from syncd.simulation.happenings import BROKEN, Happenings, Lived, Spell
from syncd.simulation.kit.timetable import Rounds, Streak
from tests.simulation.checker.builders import at
from tests.simulation.checker.conftest import Spoilt, rules
from tests.simulation.checker.test_alerts import told

NOW = at(7200)
JOB = "job_failing:tidy"
POLLS = "polls_late:1"


def a_row(key: str, opened: float, closed: float | None = None) -> AlertRow:
    return AlertRow(key, key.partition(":")[0], at(opened), None if closed is None else at(closed))


def news(received: float, settled: float | None, *, certain: bool = True) -> Waited:
    return Waited(at(received), None if settled is None else at(settled), certain)


def found(
    verdict: Verdict,
    rows: Sequence[AlertRow],
    waited: Sequence[Waited] = (),
    rounds: Rounds | None = None,
    spells: Sequence[Spell] = (),
    lives: Sequence[Lived] = (),
) -> set[str]:
    happenings = Happenings(spells=list(spells), lives=list(lives) or [Lived(at(0))])
    what_stands_still_is_told(told(*rows), waited, rounds or Rounds(), Bounds(happenings), NOW, verdict)
    return rules(verdict)


def failing(job: str = "tidy", every_s: float = 30.0, last: float = 1500.0, over: float | None = 1530.0) -> Rounds:
    """From 100 s on."""
    ended = {job: [at(70)] + ([] if over is None else [at(over)])}
    return Rounds({job: every_s}, ended, [Streak(job, at(100), at(last), None if over is None else at(over))])


# --- news -----------------------------------------------------------------------------------------------------------


def test_news_that_waits_for_long_is_told(verdict: Verdict) -> None:
    assert found(verdict, [a_row("intake_late", 480, 1260)], [news(100, 1200)]) == set()
    assert found(verdict, [], [news(100, 1200)]) == {"alerts.untold"}


def test_news_of_many_orders_on_end_is_one_cause(verdict: Verdict) -> None:
    waited = [news(100, 700), news(200, 1200), news(350, 800)]

    assert found(verdict, [a_row("intake_late", 480, 1260)], waited) == set()
    rows = [a_row("intake_late", 480, 700), a_row("intake_late", 800, 1260)]
    assert found(verdict, rows, waited) == {"alerts.untold", "alerts.flapping"}


@pytest.mark.parametrize("waited", [[], [news(100, 110)], [news(100, 450)]])
def test_news_that_was_taken_in_is_not_late(verdict: Verdict, waited: list[Waited]) -> None:
    assert found(verdict, [a_row("intake_late", 700, 760)], waited) == {"alerts.unfounded"}


def test_news_that_was_looked_up_later_may_be_told_and_need_not(verdict: Verdict) -> None:
    waited = [news(100, 1200, certain=False)]

    assert found(verdict, [], waited) == set()
    assert found(verdict, [a_row("intake_late", 480, 1260)], waited) == set()


def test_an_alert_that_outlives_what_it_tells_of_is_found(verdict: Verdict) -> None:
    assert found(verdict, [a_row("intake_late", 480, 1700)], [news(100, 1200)]) == {"alerts.over"}


def test_a_daemon_that_could_write_nothing_is_granted_that_time(verdict: Verdict) -> None:
    locked, broken = Spell("locked", None, at(90), at(1190)), Spell(BROKEN, None, at(90), at(1190))

    assert found(verdict, [], [news(100, 1200)], spells=[locked]) == set()
    assert found(verdict, [], [news(100, 1200)], spells=[broken]) == {"alerts.untold"}


# --- loops and jobs -------------------------------------------------------------------------------------------------


def test_a_loop_that_failed_all_that_time_is_told_too(verdict: Verdict) -> None:
    spell = Spell(BROKEN, None, at(90), at(1190))
    intake, loop = a_row("intake_late", 480, 1260), a_row("loop_failing:intake", 480, 1260)

    assert found(verdict, [intake, loop], [news(100, 1200)], spells=[spell]) == set()
    assert found(verdict, [intake], [news(100, 1200)], spells=[spell]) == {"alerts.untold"}


def test_a_loop_that_fails_needs_something_that_went_wrong(verdict: Verdict) -> None:
    row = a_row("loop_failing:publish:main-shop", 500, 560)

    assert found(verdict, [row], spells=[Spell("disk full", None, at(100), at(450))]) == set()
    assert found(verdict, [row], spells=[Spell("disk full", None, at(100), at(200))]) == {"alerts.unfounded"}
    assert found(Verdict(), [row], spells=[Spell("exhausted", "main-shop", at(100), at(450))]) == {"alerts.unfounded"}


def test_a_job_that_fails_for_long_is_told(verdict: Verdict) -> None:
    assert found(verdict, [a_row(JOB, 1080, 1560)], rounds=failing()) == set()
    assert found(verdict, [], rounds=failing()) == {"alerts.untold"}


@pytest.mark.parametrize("opened", [160, 990, 1600])
def test_a_job_that_has_not_failed_for_long_is_not_told(verdict: Verdict, opened: float) -> None:
    rounds = failing(last=1000.0, over=1030.0)

    assert found(verdict, [], rounds=rounds) == set()
    assert found(verdict, [a_row(JOB, opened, opened + 60)], rounds=rounds) == {"alerts.unfounded"}


def test_a_daemon_that_has_just_begun_begins_to_count(verdict: Verdict) -> None:
    lives = [Lived(at(0), at(800)), Lived(at(800))]

    assert found(verdict, [], rounds=failing(), lives=lives) == set()


def test_a_job_that_is_never_well_again_stays_told(verdict: Verdict) -> None:
    assert found(verdict, [a_row(JOB, 1080)], rounds=failing(over=None)) == set()
    assert found(verdict, [a_row(JOB, 1080)], rounds=failing()) == {"alerts.over"}


def test_polls_are_late_after_five_intervals_since_the_last_good_one(verdict: Verdict) -> None:
    rounds = failing("poll:main-shop", 240.0, last=1900.0, over=2000.0)

    assert found(verdict, [a_row(POLLS, 1200, 2060)], rounds=rounds) == set()
    assert found(verdict, [a_row(POLLS, 900, 2060)], rounds=rounds) == {"alerts.unfounded"}
    assert found(Verdict(), [], rounds=rounds) == {"alerts.untold"}


# --- what is read ---------------------------------------------------------------------------------------------------


def test_news_that_waited_is_read_from_the_inbox(spoilt: Spoilt) -> None:
    assert spoilt.read(read_waited, lambda told: told) == []
    [number] = spoilt.ask("SELECT id FROM inbox WHERE state = 'applied' AND attempts = 1 LIMIT 1")
    spoilt.sql("UPDATE inbox SET settled_at = received_at + 301000000 WHERE id = ?", number)

    [waited] = spoilt.read(read_waited, lambda told: told)

    assert waited.settled_at is not None
    assert (waited.settled_at - waited.received_at).total_seconds() == 301.0
    assert waited.certain


@pytest.mark.parametrize(("ended", "troubled"), [(7100.0, True), (6900.0, False)])
def test_a_moment_after_trouble_what_is_told_may_stay(ended: float, troubled: bool) -> None:
    assert was_in_trouble(Happenings(spells=[Spell(BROKEN, None, at(0), at(ended))]), NOW) is troubled
    assert was_in_trouble(Happenings(lives=[Lived(at(ended))]), NOW) is troubled

"""At rest only what lost news explains is asked again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from unittest import mock

import pytest

from syncd.simulation.checker import check
from syncd.simulation.checker.bounds import Bounds
from syncd.simulation.checker.news import may_be_unheard
from syncd.simulation.checker.verdict import Finding, Verdict
from syncd.simulation.happenings import Happenings
from tests.simulation.checker.builders import NOON, at


class Clock:
    """Time passes while somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> Any:
        return at(self.passed)

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds


def found(rule: str, subject: str = "CLOCK") -> Finding:
    return Finding(rule, subject, NOON, "")


async def look(*looks: Iterable[Finding]) -> tuple[list[str], float]:
    """The rules found in the end, and the seconds it took, when looks find these in turn and then nothing."""
    coming: Iterator[Iterable[Finding]] = iter(looks)
    scene: Any = mock.Mock(clock=Clock())

    async def state(_: object) -> Verdict:
        return Verdict(list(next(coming, [])))

    with (
        mock.patch.object(check, "_check_state", state),
        mock.patch.object(check, "_check_history", mock.AsyncMock()),
        mock.patch.object(check, "bounds_of", return_value=Bounds(Happenings())),
    ):
        verdict = await check.check_at_rest(scene)
    return [each.rule for each in verdict.findings], scene.clock.passed


@pytest.mark.parametrize(
    "rule", ["shown.sellable", "waiting.hold", "audit.line.cover", "alerts.over", "orders.twice", "stock.demand"]
)
async def test_what_mends_itself_at_rest_was_wrong_all_the_same(rule: str) -> None:
    assert await look([found(rule)]) == ([rule], 0.0)


@pytest.mark.parametrize("rule", ["orders.missing", "orders.state", "shipments.state"])
async def test_news_that_a_poll_brings_is_waited_for(rule: str) -> None:
    rules, passed = await look([found(rule)], [found(rule)])

    assert (rules, passed) == ([], 240.0)


async def test_news_that_never_comes_is_found() -> None:
    rules, passed = await look(*([[found("orders.missing")]] * 100))

    assert rules == ["orders.missing"]
    assert 2400.0 <= passed <= 2700.0


async def test_what_follows_from_news_is_waited_for_with_it_and_not_without() -> None:
    owed = found("stock.demand")

    assert await look([found("orders.state"), owed], [owed]) == ([], 240.0)
    assert await look([found("orders.state"), owed], *([[owed]] * 100)) == (["stock.demand"], 2520.0)


async def test_what_else_is_wrong_beside_lost_news_stands_and_is_told_once() -> None:
    wrong = found("shown.promised")

    assert await look([found("orders.state"), wrong], [wrong]) == (["shown.promised"], 240.0)


async def test_what_news_brings_with_it_may_take_a_while_too() -> None:
    assert await look([found("orders.missing")], [found("shown.sellable")]) == ([], 240.0)


def test_only_a_3pl_has_shelves_that_are_known_by_its_news() -> None:
    shelf, own = found("stock.physical", "CLOCK in bob"), found("stock.physical")

    assert may_be_unheard([shelf]) == [shelf]
    assert may_be_unheard([own]) == []
    assert may_be_unheard([found("orders.state"), own])[1:] == [own]


def test_that_a_vendor_answers_again_is_heard_with_the_next_request() -> None:
    down = found("alerts.over", "channel_down:1")

    assert may_be_unheard([down, found("alerts.over", "oversold:1:7")]) == [down]

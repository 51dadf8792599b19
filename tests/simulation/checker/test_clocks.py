"""A clock that stepped excuses what nothing else explains, and only while a number may have been read by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from syncd.simulation.checker.clocks import STEPPED, Clocks
from syncd.simulation.checker.relists import Relist
from syncd.simulation.happenings import CLOCK_STEPPED, Happenings, Spell
from syncd.simulation.kit.loop import VirtualLoop, VirtualWall
from tests.simulation.checker.builders import NOON, SHOP, Life, at


def a_relist(seconds: float, reason: str | None = None) -> Relist:
    life = Life()
    life.opens(SHOP, 5)
    life.sells(SHOP, seconds - 30, "a")
    life.is_written(SHOP, decided=seconds - 1, applied=seconds, value=5)
    _, sale, write = life.truth().changes
    return Relist(write, 1, 1, reason, sale, None)


def clocks(*spells: Spell) -> Clocks:
    return Clocks(Happenings(spells=list(spells)))


STEP = Spell(CLOCK_STEPPED, None, at(0), at(600))


@pytest.mark.parametrize(("seconds", "excused"), [(-60, None), (60, STEPPED), (2000, STEPPED), (2500, None)])
def test_a_relist_is_excused_until_every_number_has_been_read_anew(seconds: float, excused: str | None) -> None:
    (found,) = clocks(STEP).excuse([a_relist(seconds)])

    assert found.reason == excused


def test_what_has_another_reason_keeps_it() -> None:
    (found,) = clocks(STEP).excuse([a_relist(60, "P1")])

    assert found.reason == "P1"


def test_other_spells_excuse_nothing() -> None:
    (found,) = clocks(replace(STEP, kind="locked")).excuse([a_relist(60)])

    assert found.reason is None


def test_what_a_clock_said_while_it_was_wrong_is_known_for_what_it_was() -> None:
    happenings, loop = Happenings(), VirtualLoop()
    loop.close()
    wall = VirtualWall(loop, NOON).off_by(0.25, happenings.misread)

    def told() -> datetime:
        return happenings.true_time(wall.now())

    assert wall.now() == told() == at(0.25)
    wall.step(-180.0)
    assert wall.now() == at(-179.75)
    assert told() == at(0.25)
    wall.step(180.0)
    assert wall.now() == told() == at(0.25)

"""Rounds: every contender once, one after another, then all again, so that a slow minute hits them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchmarks.book.contenders import Contender
from benchmarks.book.figures import Figure, Round
from benchmarks.book.ground import Ground
from benchmarks.book.runs import Run
from benchmarks.book.stop import NotMeasured

Told = Callable[[int, str], None]
"""Called before each run with the round's number and the contender's name."""


def chosen(figures: Sequence[Figure], only: Sequence[str]) -> tuple[Figure, ...]:
    """The figures asked for by name, all by default. Raises KeyError for a name that none has."""
    by_name = {figure.name: figure for figure in figures}
    return tuple(by_name[name] for name in only) if only else tuple(figures)


def needed(figures: Sequence[Figure], contenders: Mapping[str, Contender]) -> tuple[str, ...]:
    """The contenders these figures compare, in the order in which they run."""
    wanted = {name for figure in figures for name in figure.needs()}
    return tuple(name for name in contenders if name in wanted)


def run_rounds(
    ground: Ground, contenders: Mapping[str, Contender], names: Sequence[str], rounds: int, told: Told
) -> list[Round]:
    """Raises Unsound as soon as one leaves something wrong behind, NotMeasured when one comes to nothing."""
    done: list[Round] = []
    for number in range(1, rounds + 1):
        ground.seed = number
        one: dict[str, Run] = {}
        for name in names:
            told(number, name)
            one[name] = contenders[name](ground)
            if not one[name].rate:
                raise NotMeasured(f"{name}: {one[name].note}")
        done.append(one)
    return done

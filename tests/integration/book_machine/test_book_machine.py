"""The machine, on both engines: a bounded walk with `make test`, a long one with `make soak`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.book_machine.machine import BookMachine

ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
WALKS = {"sqlite": 20, "postgresql": 10}  # some twenty seconds each
STEADY = settings(
    stateful_step_count=40,
    derandomize=True,  # the same walks every time: a build fails for what was changed, never for luck
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine_name", ENGINES)
def test_the_book_is_right_whatever_happens_in_whatever_order(engine_name: str) -> None:
    run_state_machine_as_test(_machine(engine_name), settings=settings(STEADY, max_examples=WALKS[engine_name]))


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine_name", ENGINES)
def test_the_book_is_right_after_long_walks_that_are_new_each_time(engine_name: str) -> None:
    run_state_machine_as_test(
        _machine(engine_name), settings=settings(STEADY, max_examples=60, stateful_step_count=150, derandomize=False)
    )


def _machine(engine_name: str) -> type[BookMachine]:
    return type("Book", (BookMachine,), {"engine": engine_name})

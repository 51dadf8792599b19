"""Run trials beside each other, each in a process of its own: how many at a time changes nothing of their results."""

from __future__ import annotations

import signal
import tempfile
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from syncd.db.migrate import migrate
from syncd.simulation.trial.plan import Plan
from syncd.simulation.trial.run import Outcome, run_trial

_ENDS_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Passed:
    """A trial goes on: what is being done in it, and which part of its days has passed."""

    seed: int
    what: str
    part: float


@dataclass(frozen=True, slots=True)
class BrokeOff:
    """A trial ended by an error, which is one of the simulation's or a bug that ended all. `story` is its traceback."""

    plan: Plan
    story: str


Told = Passed | Outcome | BrokeOff


@dataclass(frozen=True, slots=True)
class _Running:
    plan: Plan
    process: BaseProcess
    news: Connection


def run_side_by_side(
    plans: Sequence[Plan], jobs: int, tell: Callable[[Passed], None], trace_to: Path | None = None
) -> Generator[Outcome | BrokeOff, None, None]:
    """Each trial's end as it comes, at most `jobs` at a time. Closing the iterator ends those that still run."""
    waiting = list(reversed(plans))
    running: dict[Connection, _Running] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="syncd-simulate-")))
        template = folder / "template.db"
        migrate(f"sqlite:///{template}")
        stack.callback(_end_all, running)
        while waiting or running:
            while waiting and len(running) < jobs:
                each = _start(waiting.pop(), template, trace_to)
                running[each.news] = each
                tell(Passed(each.plan.seed, "the shop opens", 0.0))
            for news in wait(list(running)):
                assert isinstance(news, Connection)
                told = _read(running[news])
                if isinstance(told, Passed):
                    tell(told)
                else:
                    running.pop(news).process.join(_ENDS_WITHIN_S)
                    yield told


def _start(plan: Plan, template: Path, trace_to: Path | None) -> _Running:
    context = get_context("spawn")
    news, tells = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(plan, template, trace_to, tells), daemon=True)
    with _interrupts_ignored():  # the child is ended by us, not by the terminal
        process.start()
    tells.close()
    return _Running(plan, process, news)


def _read(running: _Running) -> Told:
    try:
        told = running.news.recv()
    except EOFError:
        running.process.join(_ENDS_WITHIN_S)
        return BrokeOff(running.plan, f"its process ended with {running.process.exitcode} and said nothing")
    assert isinstance(told, Passed | Outcome | BrokeOff)
    return told


def _run(plan: Plan, template: Path, trace_to: Path | None, tells: Connection) -> None:
    """In the child: run the trial and tell of it. A termination unwinds, so that no file is left."""
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as stack:
        trace = stack.enter_context(trace_to.open("w")) if trace_to else None
        try:
            done = run_trial(
                plan,
                template=template,
                trace_to=trace,
                progress=lambda what, part: tells.send(Passed(plan.seed, what, part)),
            )
        except Exception as err:
            tells.send(BrokeOff(plan, traceback.format_exc()))
            raise SystemExit(1) from err
        tells.send(done)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _end_all(running: dict[Connection, _Running]) -> None:
    for each in running.values():
        each.process.terminate()
    for each in running.values():
        each.process.join(_ENDS_WITHIN_S)
        if each.process.is_alive():
            each.process.kill()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

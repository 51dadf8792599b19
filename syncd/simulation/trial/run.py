"""Run one trial from its plan: open, let it storm, calm down, come to rest, judge."""

from __future__ import annotations

import asyncio
import gc
import logging
import tempfile
import time  # noqa: TID251 - what a trial costs of the processor
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import structlog

from syncd.chance import SeededRng
from syncd.simulation.checker.acknowledged import Acknowledged
from syncd.simulation.checker.check import bounds_of, check_at_rest, check_during, check_work
from syncd.simulation.checker.failures import FailedRequests
from syncd.simulation.checker.jobs import every_job_got_round
from syncd.simulation.checker.tokens import TokenRequests
from syncd.simulation.checker.verdict import Excused, Finding, Verdict
from syncd.simulation.happenings import Purchase
from syncd.simulation.kit.guard import closed_world
from syncd.simulation.kit.life import adopt_tasks
from syncd.simulation.kit.loop import VirtualLoop, VirtualWall, run_virtually
from syncd.simulation.kit.network import CALM, Network
from syncd.simulation.kit.trace import Trace
from syncd.simulation.kit.wire import Wire
from syncd.simulation.quiet import wait_for_quiet
from syncd.simulation.scene import SELLER_START
from syncd.simulation.trial.figures import Figures, take_figures
from syncd.simulation.trial.lab import DAEMON_PORT, Lab, environment_kept, new_database, open_shop, ports_of, set_up
from syncd.simulation.trial.people import People
from syncd.simulation.trial.plan import DAY_S, Plan
from syncd.simulation.trial.power import Power
from syncd.simulation.trial.weather import Weather
from syncd.simulation.world import make_world, stands

Progress = Callable[[str, float], None]
"""Told what is being done, and which part of the days has passed."""

_STEP_S = 600.0
_LOOK_EVERY_S = 30.0
_COLLECT_AFTER = 50_000  # new objects; looking for cycles at every 700 takes a tenth of a trial


@dataclass(slots=True)
class Outcome:
    """What a trial came to."""

    plan: Plan
    trace_sha256: str = ""
    cpu_s: float = 0.0
    virtual_s: float = 0.0
    quiet_after_s: float | None = None  # None: it never came to rest
    awaited: str = ""
    events: Counter[str] = field(default_factory=Counter)
    job_runs: Counter[str] = field(default_factory=Counter)
    cuts: dict[str, int] = field(default_factory=dict)
    lives_ended: dict[str, int] = field(default_factory=dict)  # the daemon's that ended by themselves, by reason
    findings: list[Finding] = field(default_factory=list)
    excused: list[Excused] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)  # what the checker only counts
    figures: Figures | None = None  # None: it broke off
    purchases: list[Purchase] = field(default_factory=list)


def run_trial(
    plan: Plan, *, template: Path | None = None, trace_to: TextIO | None = None, progress: Progress | None = None
) -> Outcome:
    """Run a trial in this thread. `template`: where a database of the newest schema is kept between trials."""
    outcome = Outcome(plan)
    began = time.process_time()
    loop = VirtualLoop()
    adopt_tasks(loop)
    wall = VirtualWall(loop, SELLER_START)
    trace = Trace(trace_to)
    power = Power(SeededRng(plan.seed, "power"), plan.faults.cuts, trace)
    wire = Wire(Network(CALM, SeededRng(plan.seed, "network")), SeededRng(plan.seed, "wire"), trace, power.reach)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(_scratch()))
        new_database(folder, template)
        for each in (
            environment_kept(),
            silence(),
            closed_world(wall.now, loop.time),
            wire.instead_of_sockets(),
            seldom_collected(),
        ):
            stack.enter_context(each)
        run_virtually(loop, _Trial(plan, folder, wall, trace, wire, power, outcome, progress).run())
    outcome.cpu_s = time.process_time() - began
    return outcome


class _Trial:
    def __init__(
        self,
        plan: Plan,
        folder: Path,
        wall: VirtualWall,
        trace: Trace,
        wire: Wire,
        power: Power,
        outcome: Outcome,
        progress: Progress | None,
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._wall = wall
        self._trace = trace
        self._wire = wire
        self._power = power
        self._outcome = outcome
        self._progress = progress or (lambda what, part: None)
        self._seen = Verdict()

    async def run(self) -> None:
        plan = self._plan
        keys = [key for key, _ in stands(plan.cast)]
        world = make_world(plan.seed, plan.cast, ports_of(keys), plan.skus, faults=True, orders=plan.orders)
        lab = await set_up(self._folder, world, plan, self._wall, self._trace, self._wire, self._power)
        self._watch(lab)
        weather = Weather(lab, plan.faults)
        weather.calm()
        running = asyncio.create_task(lab.supervisor.run())
        try:
            await open_shop(lab)
            people = await self._storm(lab, weather)
            weather.calm()
            await self._come_to_rest(lab)
            self._take(await check_at_rest(lab))
            self._seen.findings += (await check_work(lab, lab.rounds)).findings
            self._outcome.figures = await take_figures(lab, people)
        finally:
            running.cancel()
            self._note(lab)

    def _watch(self, lab: Lab) -> None:
        """Judge what only shows on the wire, while it is sent."""
        now = lab.clock.now
        vendors = {port: key for key, port in ports_of([key for key, _ in stands(self._plan.cast)]).items()}
        failed: dict[str, list[datetime]] = {}
        lab.happenings.failed = failed
        self._wire.watchers += [
            Acknowledged(self._folder / "syncd.db", DAEMON_PORT, now, self._seen),
            TokenRequests(now, self._seen),
            FailedRequests(vendors, now, failed),
        ]

    async def _storm(self, lab: Lab, weather: Weather) -> People:
        """Shoppers buy and things go wrong, for as many days as the plan says."""
        people = People(lab, self._plan)
        doings = [asyncio.create_task(each) for each in [*people.begin(), *weather.begin()]]
        try:
            await self._let_pass(lab, doings)
        finally:
            for each in doings:
                each.cancel()
            await asyncio.gather(*doings, return_exceptions=True)
        await people.go_home()
        return people

    async def _let_pass(self, lab: Lab, doings: list[asyncio.Task[None]]) -> None:
        loop = asyncio.get_running_loop()
        began, lasts_s = loop.time(), self._plan.days * DAY_S
        checked = began
        while (passed := loop.time() - began) < lasts_s:
            self._progress("shoppers buy", passed / lasts_s)
            await asyncio.sleep(min(_STEP_S, self._plan.audit_every_s, lasts_s - passed))
            for each in doings:
                if each.done() and not each.cancelled() and (err := each.exception()) is not None:
                    raise err
            if loop.time() - checked >= self._plan.audit_every_s:
                checked = loop.time()
                self._take(await check_during(lab))

    def _take(self, verdict: Verdict) -> None:
        self._outcome.findings += verdict.new(self._outcome.findings)
        self._outcome.excused = list(verdict.excused.values())
        self._outcome.counted = verdict.figures

    async def _come_to_rest(self, lab: Lab) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()

        def show(waiting: str) -> None:
            self._outcome.awaited = waiting
            self._progress(f"coming to rest: {waiting}", 1.0)

        if await wait_for_quiet(lab, self._plan.quiet_within_s, show, look_every_s=_LOOK_EVERY_S):
            self._outcome.quiet_after_s = loop.time() - began
            self._outcome.awaited = ""

    def _note(self, lab: Lab) -> None:
        self._outcome.purchases = lab.happenings.purchases
        self._outcome.trace_sha256 = lab.trace.sha256
        self._outcome.virtual_s = asyncio.get_running_loop().time()
        self._outcome.events = lab.trace.counts
        self._outcome.job_runs = lab.rounds.counted
        self._outcome.cuts = {boundary.value: n for boundary, n in lab.power.cuts.by_boundary.items()}
        self._outcome.lives_ended = {
            "another one had taken over": lab.power.cuts.fenced,
            "its database could not be opened": lab.power.cuts.false_starts,
        }
        now = lab.clock.now()
        ending = self._seen
        for crash in lab.power.cuts.crashes:
            ending.find("daemon.crashed", crash, now, "it ended by itself")
        if self._outcome.awaited:
            ending.find("rest.never", self._outcome.awaited, now, "this is still on its way")
        every_job_got_round(lab.rounds, bounds_of(lab), now, ending)
        self._outcome.findings += ending.new(self._outcome.findings)


@contextmanager
def silence() -> Iterator[None]:
    """Nothing is logged: what is worth knowing is in the trace and the outcome."""
    configured = structlog.get_config()
    structlog.configure(processors=[_drop])
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(disabled)
        structlog.configure(**configured)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """The garbage collector looks less often, and not at what was there before."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _drop(_: object, __: str, ___: Any) -> Any:
    raise structlog.DropEvent


def _scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where there is one: nothing in it has to survive."""
    memory = Path("/dev/shm")  # noqa: S108 - a fresh folder of our own in it
    return tempfile.TemporaryDirectory(prefix="syncd-trial-", dir=memory if memory.is_dir() else None)

"""`syncd simulate`: whole days of a made-up seller in virtual time, and what they would have cost."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from syncd.csv_rows import ImportFileError
from syncd.simulation.orders_file import read_orders
from syncd.simulation.own_cast import load_cast, with_orders
from syncd.simulation.saved_orders import write_orders
from syncd.simulation.shoppers import Habits
from syncd.simulation.trial.document import document_of
from syncd.simulation.trial.plan import NO_FAULTS, Faults, Plan
from syncd.simulation.trial.report import report_of
from syncd.simulation.trial.run import Outcome
from syncd.simulation.trial.side_by_side import BrokeOff, Passed, run_side_by_side
from syncd.simulation.wanted import WantedOrder
from syncd.simulation.world import EVERY_VENDOR, Cast

_AFTER_THE_LAST_ORDER = 1 / 24
_MOST_DAYS = 366.0
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """As they were typed; None where they were not."""

    days: float | None
    seed: int
    seeds: int
    config: Path | None
    orders: Path | None
    save_orders: Path | None
    skus: int | None
    orders_per_day: float | None
    faults: bool
    jobs: int | None
    as_json: bool
    trace: Path | None


def simulate(options: SimulateOptions, console: Console) -> int:
    """Run the trials and tell what they came to; the exit code. Raises SyncdError for files that cannot be used."""
    _check(options)
    errors = Console(stderr=True)
    plan = _plan(options, errors)
    plans = [replace(plan, seed=options.seed + number) for number in range(options.seeds)]
    ended: list[Outcome | BrokeOff] = []
    stopped = False
    try:
        jobs = options.jobs or os.cpu_count() or 1
        with _bars(errors, plans) as bars, closing(run_side_by_side(plans, jobs, bars.show, options.trace)) as trials:
            for each in trials:
                ended.append(each)
                bars.end(each.plan.seed)
    except KeyboardInterrupt:
        stopped = True
    ended.sort(key=lambda each: each.plan.seed)
    _tell(options, ended, console)
    if stopped:
        errors.print(f"stopped: {len(ended)} of {len(plans)} trials are done", style="yellow")
        return _INTERRUPTED
    return _judge(options, ended, errors)


def replay(options: SimulateOptions, seed: int) -> str:
    """The command that runs one of the seeds again, and writes its trace."""
    words = ["syncd", "simulate", "--seed", str(seed)]
    for name, value in (
        ("--days", options.days),
        ("--config", options.config),
        ("--orders", options.orders),
        ("--skus", options.skus),
        ("--orders-per-day", options.orders_per_day),
    ):
        if value is not None:
            words += [name, f"{value:.15g}" if isinstance(value, float) else str(value)]
    words += [] if options.faults else ["--no-faults"]
    return shlex.join([*words, "--trace", f"trace-{seed}.txt"])


def _check(options: SimulateOptions) -> None:
    if options.days is not None and not 0 < options.days <= _MOST_DAYS:
        raise typer.BadParameter(f"--days {options.days:g} cannot be: write a number above 0, up to {_MOST_DAYS:g}")
    if options.orders_per_day is not None and not 1 <= options.orders_per_day <= 1_000_000:
        raise typer.BadParameter(
            f"--orders-per-day {options.orders_per_day:g} cannot be: write a number from 1 to 1000000"
        )
    for name, one_alone in (("--trace", options.trace), ("--save-orders", options.save_orders)):
        if one_alone is not None and options.seeds > 1:
            raise typer.BadParameter(f"{name} is of one trial: leave out --seeds {options.seeds}")
    for name, made_up in (("--skus", options.skus), ("--orders-per-day", options.orders_per_day)):
        if made_up is not None and options.orders is not None:
            raise typer.BadParameter(f"{name} is for orders that are made up: leave it out, --orders says it all")


def _plan(options: SimulateOptions, errors: Console) -> Plan:
    cast = load_cast(options.config) if options.config else EVERY_VENDOR
    faults = Faults() if options.faults else NO_FAULTS
    if options.orders is None:
        made_up = Plan(options.seed, options.days or 1.0, cast, options.skus or 60, faults=faults)
        if options.orders_per_day is None:
            return made_up
        return replace(made_up, habits=Habits.of_day(options.orders_per_day))
    home = cast.warehouses[0].country
    told = read_orders(options.orders, {each.key: each.vendor for each in cast.channels}, home)
    days = told.days + _AFTER_THE_LAST_ORDER if options.days is None else options.days
    if days < told.days:
        remedy = f"Leave out --days, or write at least {told.days:.3f}"
        raise ImportFileError(options.orders, f"its orders last {told.days:.3f} days, --days is {days:g}", remedy)
    return Plan(options.seed, days, _cast_for(cast, told.orders, errors), faults=faults, orders=told.orders)


def _cast_for(cast: Cast, orders: Sequence[WantedOrder], errors: Console) -> Cast:
    chosen = with_orders(cast, orders)
    for each in cast.channels:
        if each not in chosen.channels:
            errors.print(f"{each.key} has no order in the file and takes no part", style="yellow", highlight=False)
    return chosen


def _tell(options: SimulateOptions, ended: Sequence[Outcome | BrokeOff], console: Console) -> None:
    outcomes = [each for each in ended if isinstance(each, Outcome)]
    if options.as_json:
        typer.echo(json.dumps(document_of(ended), indent=2))
    elif outcomes:
        console.print(report_of(outcomes))
    if options.save_orders is not None and outcomes:
        written, left_out = write_orders(options.save_orders, outcomes[0].purchases)
        rest = f"; {left_out} that Amazon ships itself are not in it" if left_out else ""
        Console(stderr=True).print(f"{written} orders written to {options.save_orders}{rest}", highlight=False)


def _judge(options: SimulateOptions, ended: Sequence[Outcome | BrokeOff], errors: Console) -> int:
    """Tell what was found, and how to see it again."""
    bad = [each for each in ended if isinstance(each, BrokeOff) or each.findings]
    for each in bad:
        told = [each.story] if isinstance(each, BrokeOff) else [str(finding) for finding in each.findings]
        for finding in told:
            errors.print(f"[red]✗[/] seed {each.plan.seed}: {escape(finding)}", highlight=False, soft_wrap=True)
    if bad:
        errors.print(f"to see it again: {replay(options, bad[0].plan.seed)}", highlight=False, soft_wrap=True)
    return 1 if bad else 0


class _Bars:
    """A progress bar for every trial that runs, and one for all."""

    def __init__(self, progress: Progress, plans: Sequence[Plan]) -> None:
        self._progress = progress
        self._all = progress.add_task("all trials", total=len(plans), doing="") if len(plans) > 1 else None
        self._parts: dict[int, float] = {plan.seed: 0.0 for plan in plans}
        self._tasks: dict[int, TaskID] = {}

    def show(self, passed: Passed) -> None:
        seed = passed.seed
        if seed not in self._tasks:
            self._tasks[seed] = self._progress.add_task(f"seed {seed}", total=1.0, doing="")
        self._progress.update(self._tasks[seed], completed=passed.part, doing=passed.what)
        self._part(seed, min(passed.part, 0.99))

    def end(self, seed: int) -> None:
        if seed in self._tasks:
            self._progress.remove_task(self._tasks.pop(seed))
        self._part(seed, 1.0)

    def _part(self, seed: int, part: float) -> None:
        self._parts[seed] = part
        if self._all is not None:
            done = sum(each == 1.0 for each in self._parts.values())
            doing = f"{done} of {len(self._parts)} done"
            self._progress.update(self._all, completed=sum(self._parts.values()), doing=doing)


@contextmanager
def _bars(errors: Console, plans: Sequence[Plan]) -> Iterator[_Bars]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[doing]}"))
    with Progress(*columns, console=errors, transient=True) as progress:
        yield _Bars(progress, plans)

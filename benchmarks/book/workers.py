"""Sixteen clients, each a process, that begin at one instant: how a peer's web workers come to the database."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Any, Final, Self

import psycopg

from benchmarks.book.runs import WARM_S, Answered, Run, run_of
from benchmarks.book.shoppers import Bought, Demand, shoppers

TakeOrder = Callable[[psycopg.Connection[Any], Bought], None]
_SOON_S: Final = 0.2
_WARM_ORDERS: Final = 6  # the driver prepares what it has sent five times


@dataclass(frozen=True, slots=True)
class Shift:
    """What one worker is to do."""

    url: str
    take_order: TakeOrder
    demand: Demand
    skus: int
    seed: int
    who: str


class Workers:
    """Processes that stay, so that starting them costs no round anything."""

    def __init__(self, count: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._hired = []
        for _ in range(count):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=_work, args=(theirs,), daemon=True)
            process.start()
            self._hired.append((process, ours))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for _, pipe in self._hired:
            pipe.send(None)
        for process, _ in self._hired:
            process.join(timeout=10)

    def run(self, url: str, take_order: TakeOrder, demand: Demand, skus: int, seed: int, seconds: float) -> Run:
        """Let every worker take orders one after another for so long."""
        for number, (_, pipe) in enumerate(self._hired):
            pipe.send(Shift(url, take_order, demand, skus, seed, f"worker{number}"))
        for _, pipe in self._hired:
            _told(pipe)  # it is connected, and warm
        begin_s = time.perf_counter() + _SOON_S
        for _, pipe in self._hired:
            pipe.send((begin_s, begin_s + WARM_S + seconds))
        answered: list[Answered] = []
        for _, pipe in self._hired:
            answered += _told(pipe)
        return run_of(answered, begin_s + WARM_S)


def _told(pipe: Pipe) -> Any:
    told = pipe.recv()
    if isinstance(told, BaseException):
        raise told
    return told


def dsn_of(url: str) -> str:
    """A SQLAlchemy URL as the driver takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _work(pipe: Pipe) -> None:
    while (shift := pipe.recv()) is not None:
        try:
            with psycopg.connect(dsn_of(shift.url), autocommit=True) as connection:
                bought = shoppers(shift.demand, shift.skus, shift.seed, shift.who)
                warm = [_take(connection, shift, next(bought)) for _ in range(_WARM_ORDERS)]
                pipe.send("ready")
                begin_s, stop_s = pipe.recv()
                pipe.send(warm + _serve(connection, shift, bought, begin_s, stop_s))
        except Exception as err:  # noqa: BLE001 - it ends the benchmark, in the process that runs it
            pipe.send(RuntimeError(f"{shift.who}: {type(err).__name__}: {err}"))


def _serve(
    connection: psycopg.Connection[Any], shift: Shift, bought: Iterator[Bought], begin_s: float, stop_s: float
) -> list[Answered]:
    answered: list[Answered] = []
    time.sleep(max(0.0, begin_s - time.perf_counter()))  # one clock for all processes of a machine
    while time.perf_counter() < stop_s:
        answered.append(_take(connection, shift, next(bought)))
    return answered


def _take(connection: psycopg.Connection[Any], shift: Shift, order: Bought) -> Answered:
    began_s = time.perf_counter()
    shift.take_order(connection, order)
    return Answered(order.key, began_s, time.perf_counter())

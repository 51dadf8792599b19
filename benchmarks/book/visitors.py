"""Who sends the webhooks, in a process of its own: `python -m benchmarks.book.visitors PORT ...`, by bare sockets.

A client that parsed properly would take as much of the machine as the server it measures. What it saw goes to its
standard output as JSON: [[key, began_s, ended_s], ...].
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

import msgspec

from benchmarks.book.deliveries import Delivery, deliveries
from benchmarks.book.runs import Answered

_LENGTH: Final = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_METRICS: Final = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Visit:
    """`per_s` 0: each of so many connections sends its next webhook when the one before was answered."""

    port: int
    skus: int
    seed: int
    first: int
    seconds: float
    connections: int
    per_s: float
    scrape: bool
    prepared: int


class Line(asyncio.Protocol):
    """One connection: one request after another, each answered by its status."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "it is a stream"
        self._transport = transport

    def ask(self, request: bytes) -> asyncio.Future[int]:
        assert self._transport is not None, "it is connected"
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, ended, body = self._read.partition(b"\r\n\r\n")
        if not ended or self._answer is None:
            return
        told = _LENGTH.search(head)
        if len(body) < (int(told[1]) if told else 0):
            return
        self._read = b""
        self._answer.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server hung up"))

    def close(self) -> None:
        assert self._transport is not None, "it is connected"
        self._transport.close()


async def visit(wanted: Visit) -> list[Answered]:
    """Send webhooks for so long. Raises RuntimeError when one is not taken."""
    loop = asyncio.get_running_loop()
    made = deliveries(wanted.skus, wanted.seed, wanted.first)
    ready = [(each, each.request()) for each, _ in zip(made, range(wanted.prepared), strict=False)]
    waiting = iter(ready)
    lines = [(await loop.create_connection(Line, "127.0.0.1", wanted.port))[1] for _ in range(wanted.connections)]
    answered: list[Answered] = []
    stop_s = time.perf_counter() + wanted.seconds
    scraper = asyncio.create_task(_scrape(wanted.port)) if wanted.scrape else None
    if wanted.per_s:
        await _come_by_chance(lines, waiting, wanted, stop_s, answered)
    else:
        await asyncio.gather(*(_one_after_another(line, waiting, stop_s, answered) for line in lines))
    if scraper is not None:
        scraper.cancel()
    for line in lines:
        line.close()
    return answered


async def _one_after_another(
    line: Line, waiting: Iterator[tuple[Delivery, bytes]], stop_s: float, answered: list[Answered]
) -> None:
    while (began_s := time.perf_counter()) < stop_s:
        delivery, request = next(waiting, (None, b""))
        if delivery is None:
            return  # faster than anyone thought: the rate counts until the last answer
        await _send(line, delivery, request, began_s, answered)


async def _come_by_chance(
    lines: list[Line],
    waiting: Iterator[tuple[Delivery, bytes]],
    wanted: Visit,
    stop_s: float,
    answered: list[Answered],
) -> None:
    chance, due_s = Random(f"{wanted.seed}/visits"), time.perf_counter()
    idle: asyncio.Queue[Line] = asyncio.Queue()
    for line in lines:
        idle.put_nowait(line)
    under_way = set()

    async def deliver(delivery: Delivery, request: bytes, began_s: float) -> None:
        line = await idle.get()
        await _send(line, delivery, request, began_s, answered)
        idle.put_nowait(line)

    for delivery, request in waiting:
        if due_s >= stop_s:
            break
        if (early_s := due_s - time.perf_counter()) > 0:
            await asyncio.sleep(early_s)
        under_way.add(asyncio.create_task(deliver(delivery, request, due_s)))
        due_s += chance.expovariate(wanted.per_s)
    await asyncio.gather(*under_way)


async def _send(line: Line, delivery: Delivery, request: bytes, began_s: float, answered: list[Answered]) -> None:
    status = await line.ask(request)
    if status != 200:
        raise RuntimeError(f"a webhook was answered {status}")
    answered.append(Answered(delivery.key, began_s, time.perf_counter()))


async def _scrape(port: int) -> None:
    """Ask for the metrics each second, as Prometheus would more rarely."""
    line = (await asyncio.get_running_loop().create_connection(Line, "127.0.0.1", port))[1]
    while True:
        if (status := await line.ask(_METRICS)) != 200:
            raise RuntimeError(f"the metrics were answered {status}")
        await asyncio.sleep(1.0)


async def send_visitors(wanted: Visit) -> list[Answered]:
    """Run `visit` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        msgspec.json.encode(wanted).decode(),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"who sent the webhooks ended with {process.returncode}")
    return [Answered(*each) for each in msgspec.json.decode(told, type=list[tuple[str, float, float]])]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("visit")
    wanted = msgspec.json.decode(parser.parse_args().visit, type=Visit)
    answered = asyncio.run(visit(wanted))
    sys.stdout.buffer.write(msgspec.json.encode([(each.key, each.began_s, each.ended_s) for each in answered]))


if __name__ == "__main__":
    main()

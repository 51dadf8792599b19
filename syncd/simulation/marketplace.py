"""The marketplaces' process: every vendor's sandbox on its own port, on the clock that the daemon reads too."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from importlib import import_module
from typing import Any

import msgspec
from aiohttp import web

from adapters.contract import Clock
from syncd.chance import SeededRng
from syncd.clock import ScaledClock
from syncd.errors import SyncdError
from syncd.simulation.speed import SpeedFace
from syncd.simulation.stands import Stand, StandsUnreadable

# Sandbox and seed of each vendor, imported only where they run.
_SANDBOXES = {
    "shopify": ("ShopifySandbox", "ShopSeed"),
    "amazon": ("AmazonSandbox", "SellerSeed"),
    "ebay": ("EbaySandbox", "SellerSeed"),
    "shipbob": ("ShipbobSandbox", "WarehouseSeed"),
}


class PortTaken(SyncdError):
    """Something else listens on a stand's port."""


async def serve(
    stands: Sequence[Stand],
    seed: int,
    clock: ScaledClock,
    opened: Callable[[], Awaitable[None]],
    *,
    clock_shared: bool,
) -> None:
    """Serve until a signal. `opened` is called once every stand answers. A shared clock's speed cannot be changed."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, ended.set)
    async with open_stands(stands, seed, clock, SpeedFace(clock, shared=clock_shared)):
        await opened()
        await ended.wait()


@asynccontextmanager
async def open_stands(
    stands: Sequence[Stand], seed: int, clock: Clock, speed: SpeedFace | None = None
) -> AsyncIterator[None]:
    """Serve every stand while inside. Raises StandsUnreadable and PortTaken."""
    runners: list[web.AppRunner] = []
    try:
        for stand in stands:
            app = make_sandbox(stand, seed, clock).app
            if speed is not None:
                speed.add_routes(app)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            runners.append(runner)
            await _listen(runner, stand)
        yield
    finally:
        for runner in runners:
            await runner.cleanup()


def make_sandbox(stand: Stand, seed: int, clock: Clock) -> Any:
    """The vendor's sandbox of a stand. Raises StandsUnreadable."""
    if stand.vendor not in _SANDBOXES:
        raise StandsUnreadable(f"{stand.key}: no sandbox is called {stand.vendor!r}: there is {', '.join(_SANDBOXES)}")
    module = import_module(f"adapters.{stand.vendor}.sandbox")
    sandbox, seed_type = (getattr(module, name) for name in _SANDBOXES[stand.vendor])
    calm = {"faults": asdict(module.FaultMix.none())}
    try:
        opening = msgspec.convert({**calm, **stand.seed}, seed_type)
    except msgspec.ValidationError as err:
        raise StandsUnreadable(f"{stand.key}: its seed does not fit {stand.vendor}: {err}") from err
    return sandbox(opening, clock, SeededRng(seed, f"sandbox/{stand.key}"))


async def _listen(runner: web.AppRunner, stand: Stand) -> None:
    try:
        await web.TCPSite(runner, "127.0.0.1", stand.port).start()
    except OSError as err:
        raise PortTaken(
            f"port {stand.port} for {stand.key} cannot be had ({err.strerror}): choose others by --port-base"
        ) from err

"""The marketplaces' process: every shop's sandbox on its own port, on the clock that the daemon reads too."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from adapters.shopify.sandbox import ShopifySandbox
from syncd.chance import SeededRng
from syncd.clock import clock_from
from syncd.simulation.world import load_shops


async def serve_shops(shops_file: Path, clock_record: Path | None, ready: Callable[[list[str]], None]) -> None:
    """Serve until a signal. `ready` gets each shop's address."""
    seed, shops = load_shops(shops_file)
    clock = clock_from(clock_record)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, ended.set)
    runners, addresses = [], []
    try:
        for key, port, shop in shops:
            sandbox = ShopifySandbox(shop, clock, SeededRng(seed, f"sandbox/{key}"))
            runner = web.AppRunner(sandbox.app, access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            runners.append(runner)
            await web.TCPSite(runner, "127.0.0.1", port).start()
            addresses.append(f"{key} http://127.0.0.1:{runner.addresses[0][1]}")
        ready(addresses)
        await ended.wait()
    finally:
        for runner in runners:
            await runner.cleanup()

"""The marketplaces' process: every shop's sandbox on its own port, on the clock that the daemon reads too."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from adapters.shopify.sandbox import ShopifySandbox
from adapters.shopify.sandbox.faults import FaultMix
from adapters.shopify.sandbox.seed import ShopSeed
from syncd.chance import SeededRng
from syncd.clock import clock_from
from syncd.errors import SyncdError


class ShopsUnreadable(SyncdError):
    """The file of shops is not what `syncd demo --dir` writes."""


@dataclass(frozen=True, slots=True)
class Stand:
    """One shop and the port it listens on."""

    key: str
    port: int
    seed: ShopSeed


def load_stands(path: Path) -> tuple[int, list[Stand]]:
    """(seed of chance, the shops). Raises ShopsUnreadable."""
    try:
        raw = msgspec.json.decode(path.read_bytes())
        return int(raw["seed"]), [_stand(each) for each in raw["shops"]]
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, ValueError) as err:
        raise ShopsUnreadable(
            f"{path} is no file of shops ({err}): take the shops.json that `syncd demo --dir` writes"
        ) from err


def _stand(raw: dict[str, Any]) -> Stand:
    shop = dict(raw["shop"])
    if shop.get("faults") is None:
        shop["faults"] = asdict(FaultMix.none())
    return Stand(str(raw["key"]), int(raw["port"]), msgspec.convert(shop, ShopSeed))


async def serve_shops(shops_file: Path, clock_record: Path | None, ready: Callable[[list[str]], None]) -> None:
    """Serve until a signal. `ready` gets each shop's address."""
    seed, stands = load_stands(shops_file)
    clock = clock_from(clock_record)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, ended.set)
    runners, addresses = [], []
    try:
        for stand in stands:
            sandbox = ShopifySandbox(stand.seed, clock, SeededRng(seed, f"sandbox/{stand.key}"))
            runner = web.AppRunner(sandbox.app, access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            runners.append(runner)
            await web.TCPSite(runner, "127.0.0.1", stand.port).start()
            addresses.append(f"{stand.key} http://127.0.0.1:{runner.addresses[0][1]}")
        ready(addresses)
        await ended.wait()
    finally:
        for runner in runners:
            await runner.cleanup()

"""`syncd sandbox`: the vendors' sandboxes alone, for who writes an adapter or wants to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from syncd.clock import ScaledClock, clock_from, start_record
from syncd.simulation.files import write_table
from syncd.simulation.marketplace import serve
from syncd.simulation.shop_control import Counter
from syncd.simulation.stands import Stand, load_stands, stands_of
from syncd.simulation.vendors import FACES
from syncd.simulation.world import EVERY_VENDOR, World, make_world, stands

_SMALL = 12  # plain SKUs of the seller who is made up here


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """`file` None: a small seller is made up from the seed. `only` names vendors, separated by commas."""

    file: Path | None
    clock: Path | None
    seed: int
    only: str | None
    port_base: int
    speed: float
    faults: bool


async def run_sandboxes(options: SandboxOptions, console: Console) -> None:
    """Serve until a signal, and say where. Raises SyncdError for what cannot be opened."""
    vendors = _vendors(options.only)
    clock = clock_from(options.clock) if options.clock else _clock(options.speed)
    if options.file is not None:
        seed, opened = load_stands(options.file)
        opened = [stand for stand in opened if stand.vendor in vendors]

        async def tell() -> None:
            for stand in opened:
                typer.echo(f"{stand.key} http://127.0.0.1:{stand.port}")

        await serve(opened, seed, clock, tell, clock_shared=options.clock is not None)
    else:
        world = _small_world(options)
        opened = stands_of(world, vendors)
        await serve(
            opened,
            world.seed,
            clock,
            lambda: _introduce(world, opened, clock, console),
            clock_shared=options.clock is not None,
        )


def _vendors(only: str | None) -> list[str]:
    if only is None:
        return list(FACES)
    wanted = [name.strip() for name in only.split(",")]
    unknown = [name for name in wanted if name not in FACES]
    if unknown:
        raise typer.BadParameter(f"no sandbox is called {', '.join(unknown)!r}: there is {', '.join(FACES)}")
    return wanted


def _clock(speed: float) -> ScaledClock:
    return ScaledClock(start_record(speed) if speed != 1 else None)


def _small_world(options: SandboxOptions) -> World:
    ports = {key: options.port_base + n for n, (key, _) in enumerate(stands(EVERY_VENDOR))}
    return make_world(options.seed, EVERY_VENDOR, ports, _SMALL, faults=options.faults)


async def _introduce(world: World, opened: Sequence[Stand], clock: ScaledClock, console: Console) -> None:
    """Print each stand as the table that a configuration connects to it by, secrets shown: they open nothing else."""
    for stand in opened:
        counter = Counter(stand.key, world.address(stand.key))
        truth = await counter.truth()
        await counter.close()
        console.print(f"\n{stand.key}: {stand.vendor} on {world.address(stand.key)}", style="bold", highlight=False)
        place = "warehouse" if stand.key in {each.key for each in world.cast.warehouses} else "account"
        settings = FACES[stand.vendor].settings(world, stand.key, truth)
        for line in write_table(f"{place}.{stand.vendor}", settings, None):
            typer.echo(line)
    console.print(
        f"\nShoppers and staff act under ADDRESS/_control/; the seller's time runs at {clock.speed:g}x. Ctrl-C ends.",
        highlight=False,
    )

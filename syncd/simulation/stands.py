"""The file of stands: which vendor's sandbox opens on which port, and what it is like on its first day."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from syncd.errors import SyncdError
from syncd.simulation.vendors import FACES, Json
from syncd.simulation.world import World, stands


class StandsUnreadable(SyncdError):
    """The file of stands is not what `syncd demo --dir` writes."""


@dataclass(frozen=True, slots=True)
class Stand:
    """One vendor's sandbox and the port it listens on; `seed` is plain data in the words of that sandbox."""

    key: str
    vendor: str
    port: int
    seed: Json


def stands_of(world: World, vendors: Collection[str] | None = None) -> list[Stand]:
    """The stands of a made-up seller; `vendors` None: of all of them."""
    return [
        Stand(key, vendor, world.ports[key], FACES[vendor].seed(world, key))
        for key, vendor in stands(world.cast)
        if vendors is None or vendor in vendors
    ]


def save_stands(world: World, path: Path) -> None:
    """Write what the sandboxes' process must know."""
    write_stands(world.seed, stands_of(world), path)


def write_stands(seed: int, opened: Sequence[Stand], path: Path) -> None:
    told = {"seed": seed, "stands": [msgspec.to_builtins(each) for each in opened]}
    path.write_text(json.dumps(told, indent=1) + "\n")


def load_stands(path: Path) -> tuple[int, list[Stand]]:
    """(seed of chance, the stands). Raises StandsUnreadable."""
    try:
        told = msgspec.json.decode(path.read_bytes())
        return int(told["seed"]), msgspec.convert(told["stands"], list[Stand])
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, ValueError) as err:
        raise StandsUnreadable(
            f"{path} is no file of stands ({err}): take the shops.json that `syncd demo --dir` writes"
        ) from err

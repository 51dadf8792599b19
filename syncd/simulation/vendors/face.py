"""What the made-up seller must know of a vendor: how its sandbox opens, and how the seller is connected to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Union

from syncd.simulation.world import World

Json = dict[str, Any]

# The sandboxes' usual faults. A line that goes quiet does so in real seconds, and a demo's are minutes of the seller's.
LIVELY: Json = {"hang_s": 2.0}


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that the configuration only names. It opens nothing but the sandbox of that name."""

    value: str


Setting = Union[str, int, float, bool, list[str], Secret, "Settings"]
Settings = Mapping[str, Setting]


class Face(Protocol):
    """One vendor, in the words of its sandbox's seed and of the configuration."""

    def seed(self, world: World, key: str) -> Json:
        """The sandbox's seed as plain data; without `faults` it opens calm."""
        ...

    def settings(self, world: World, key: str, truth: Json) -> Settings:
        """The vendor's table of the configuration, once the sandbox has told the truth."""
        ...

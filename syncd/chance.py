"""Seeded streams of chance, one a subsystem, so that one seed repeats a run."""

from __future__ import annotations

import hashlib
import random
import uuid


class SeededRng:
    """An Rng whose draws depend only on the seed and the stream's name."""

    def __init__(self, seed: int | str, stream: str) -> None:
        digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
        self._random = random.Random(int.from_bytes(digest[:16], "big"))

    def random(self) -> float:
        return self._random.random()

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def randrange(self, stop: int) -> int:
        return self._random.randrange(stop)

    def uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self._random.getrandbits(128), version=4)


class SystemRng(SeededRng):
    """An Rng from the operating system's entropy: every start of the daemon draws anew."""

    def __init__(self) -> None:
        super().__init__(random.SystemRandom().getrandbits(128), "system")

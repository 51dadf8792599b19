"""The trace of a run: every event in one hash, and in a file where asked for."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from typing import TextIO


class Trace:
    """Notes events. Two runs are the same when their hashes are."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._hash = hashlib.sha256()
        self._out = out
        self.counts: Counter[str] = Counter()

    def note(self, kind: str, *facts: object) -> None:
        """Note an event by what it is and what tells it from others; texts and numbers only."""
        self.counts[kind] += 1
        line = f"{asyncio.get_running_loop().time():.6f} {kind} {' '.join(map(str, facts))}"
        self._hash.update(line.encode())
        self._hash.update(b"\n")
        if self._out is not None:
            self._out.write(line + "\n")

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

"""A trace tells apart what happened and when."""

from __future__ import annotations

import asyncio

from syncd.simulation.kit.trace import Trace
from tests.simulation.kit.machines import virtually


def traced(*events: tuple[float, str]) -> str:
    async def main() -> str:
        trace = Trace()
        for after_s, what in events:
            await asyncio.sleep(after_s)
            trace.note("said", what)
        return trace.sha256

    return virtually(main())


def test_a_trace_tells_apart_what_happened_and_when() -> None:
    same = [(1.0, "a"), (2.0, "b")]

    assert traced(*same) == traced(*same)
    assert traced((1.0, "a"), (2.0, "c")) != traced(*same)
    assert traced((1.0, "a"), (2.1, "b")) != traced(*same)

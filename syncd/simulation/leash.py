"""Run a module of ours for as long as the process that started it is there.

    python -m syncd.simulation.leash syncd run -c syncd.toml

Its standard input is a pipe that nobody writes to: it ends when the starter does, however that came about, and then
this process ends as on SIGTERM, or without further ado when that takes too long. A demo that was killed, or whose
terminal was closed, leaves nothing behind.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading

_END_WITHIN_S = 25.0


def main() -> None:
    module, *arguments = sys.argv[1:]
    threading.Thread(target=_end_with_the_starter, name="leash", daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with_the_starter() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_END_WITHIN_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()

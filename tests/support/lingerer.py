"""A program that runs until it is asked to end, and says so."""

from __future__ import annotations

import signal
import sys
import threading


def main() -> None:
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    print("up", *sys.argv[1:], flush=True)
    while not asked.wait(0.1):
        pass
    print("asked", flush=True)


if __name__ == "__main__":
    main()

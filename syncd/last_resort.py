"""The end of a process that was asked to end, whatever hangs in it: what is committed is safe at any instant."""

from __future__ import annotations

import os
import threading
from typing import Final

import structlog

log = structlog.get_logger(__name__)

DRAIN_S: Final = 18.0
"""A process that was asked to end is gone after so many real seconds; the unit's TimeoutStopSec lies above it."""

_LOG_S: Final = 1.0


def end_surely(within_s: float = DRAIN_S, code: int = 0) -> threading.Timer:
    """End this process that late from now, from a thread of its own: no loop, thread or connection can keep it.

    `code` is what it exits with. Nothing is lost by it that a power cut would not lose too. Cancel the timer to let
    the process live.
    """
    timer = threading.Timer(within_s, _cut_off, [within_s, code])
    timer.daemon = True
    timer.start()
    return timer


def _cut_off(after_s: float, code: int) -> None:
    hanging = sorted(each.name for each in threading.enumerate() if each is not threading.current_thread())
    told = threading.Thread(
        target=log.error, args=["daemon.cut_off"], kwargs={"after_s": after_s, "threads": hanging}, daemon=True
    )
    told.start()
    told.join(_LOG_S)  # whoever reads the log may hang too
    os._exit(code)

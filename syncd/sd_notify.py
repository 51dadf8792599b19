"""What systemd wants to hear from a service of Type=notify; nothing happens under anything else."""

from __future__ import annotations

import os
import socket
import time  # noqa: TID251 - systemd compares it with its own

_WITHIN_S = 1.0  # a listener that takes nothing in must not hold up the daemon either


def notify(*assignments: str) -> bool:
    """Send `KEY=value` lines to systemd; False when nobody listens. Never raises: it must not stop the daemon."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]  # an abstract socket
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(_WITHIN_S)
            sender.connect(address)
            sender.sendall("\n".join(assignments).encode())
    except OSError:
        return False
    return True


def ready() -> bool:
    return notify("READY=1")


def reloading() -> bool:
    """Say that a new configuration is looked at; `ready` ends it, whatever came of it."""
    return notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def alive() -> bool:
    """Tell the watchdog that the daemon still does its work."""
    return notify("WATCHDOG=1")


def status(text: str) -> bool:
    """Show one line in `systemctl status`."""
    return notify("STATUS=" + " ".join(text.split()))


def stopping() -> bool:
    return notify("STOPPING=1")


def watchdog_interval_s() -> float | None:
    """How often to call `alive`, in real seconds: half of what systemd allows; None without a watchdog."""
    allowed_us = os.environ.get("WATCHDOG_USEC", "")
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(allowed_us) / 2_000_000 if allowed_us.isdecimal() and int(allowed_us) else None

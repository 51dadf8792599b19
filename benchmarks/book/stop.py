"""Why a measurement ends without a figure."""

from __future__ import annotations


class NotMeasured(RuntimeError):
    """What was asked for cannot be measured on this machine; the message says why."""


class Unsound(RuntimeError):
    """A run was fast and wrong: its figure counts for nothing."""

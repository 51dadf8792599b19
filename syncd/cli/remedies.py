"""What a person can do when a channel cannot be asked."""

from __future__ import annotations

from syncd.accounts.remedies import remedy

__all__ = ["remedy"]

"""Move old movements out of the ledger into files that prove themselves."""

from __future__ import annotations

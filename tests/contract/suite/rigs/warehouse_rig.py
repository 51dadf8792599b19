"""A warehouse and the sandbox behind it."""

from __future__ import annotations
from abc import ABC


class WarehouseRig(ABC):
    pass

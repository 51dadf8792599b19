"""Where tests write: thousands of small transactions wait for a disk, and none of them needs to outlive the run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
NEEDED: Final = 2 * 1024**3  # bytes


def folder_in_memory() -> str | None:
    """A folder that everyone may use, if this machine has one with room and where programs may be started."""
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    usable = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC and shutil.disk_usage(MEMORY).free > NEEDED
    return str(MEMORY) if usable else None

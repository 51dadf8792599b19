"""The benchmark's own PostgreSQL: the wheel's, on a disk, with everything on that an acknowledged order needs."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.book.stop import NotMeasured
from tests.support.postgres import Server

SETTINGS: Final = (
    "listen_addresses=",
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "max_connections=100",
    "shared_buffers=512MB",
    "max_wal_size=8GB",  # no checkpoint falls into a round of a second, whoever's it is
    "checkpoint_timeout=1h",
    "timezone=UTC",
)
_SHIM: Final = Path(__file__).with_name("slow_fsync.c")
_DISK: Final = "/var/tmp"  # on a disk also where /tmp is memory, and a short path, as a Unix socket needs


@contextmanager
def durable_server(fsync_delay_ms: float = 0.0) -> Iterator[Server]:
    """A server that waits for the disk, and so much longer after each fsync. Raises NotMeasured without a compiler."""
    with tempfile.TemporaryDirectory(dir=_DISK, prefix="shim-") as folder:
        Path(folder).chmod(0o755)
        environment = _slowed(Path(folder), fsync_delay_ms) if fsync_delay_ms else {}
        server = Server(SETTINGS, _DISK, environment)
        try:
            yield server
        finally:
            server.stop()


def _slowed(folder: Path, delay_ms: float) -> dict[str, str]:
    compiler = shutil.which("cc")
    if compiler is None:
        raise NotMeasured("--fsync-delay-ms needs a C compiler: there is no `cc` on the PATH")
    library = folder / "slow_fsync.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, _SHIM, "-ldl"], check=True)
    library.chmod(0o755)
    return {"LD_PRELOAD": str(library), "SLOW_FSYNC_US": str(round(delay_ms * 1000))}

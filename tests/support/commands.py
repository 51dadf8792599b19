"""Run `python -m syncd` many times in little time: every command is a process of its own, forked from a warm one.

Importing everything takes a second of CPU a process. Here one process has imported it, and each command is its fork,
which runs the package as `python -m syncd` does: with arguments, folder, environment, output and exit code of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# What commands import when they are called; `syncd.cli` itself looks at the environment, so each imports its own.
_WARM = """
import gc, json, os, runpy, sys
import alembic.command, rich.progress, rich.status, rich.table, sqlalchemy.dialects.sqlite, structlog.dev
import typer, typer.rich_utils
import syncd.bootstrap, syncd.catalogue.listings, syncd.daemon, syncd.insight.status, syncd.reconcile.audit
import syncd.stock.import_stock

gc.freeze()  # so that no fork's collection copies all this memory
for line in sys.stdin:
    wanted = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(wanted["folder"])
        os.environ.clear()
        os.environ.update(wanted["environment"])
        for number, name in enumerate((os.devnull, wanted["out"], wanted["err"])):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
        sys.stdin = open(0, closefd=False)
        sys.argv = ["syncd", *wanted["arguments"]]
        runpy.run_module("syncd", run_name="__main__")
        sys.exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Commands:
    """A warm process. Close it at the end."""

    def __init__(self) -> None:
        self._warm = subprocess.Popen(
            [sys.executable, "-c", _WARM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
        """(exit code, standard output, standard error) of one command; its input is empty."""
        out, err = folder / ".out", folder / ".err"
        wanted = {
            "arguments": list(arguments),
            "folder": str(folder),
            "environment": dict(environment),
            "out": str(out),
            "err": str(err),
        }
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        self._warm.stdin.write(json.dumps(wanted) + "\n")
        self._warm.stdin.flush()
        return int(self._warm.stdout.readline()), out.read_text(), err.read_text()

    def close(self) -> None:
        """End the process; a command that still runs is waited for."""
        self._warm.communicate()

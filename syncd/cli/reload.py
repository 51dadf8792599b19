"""`syncd reload`: have the running daemon take its configuration anew, and say what came of it."""

from __future__ import annotations

import os
import signal
import time  # noqa: TID251 - a command waits in real time for another process
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from sqlalchemy import Connection, select

from syncd import config as settings
from syncd.bootstrap import open_database
from syncd.config.told import state_folder
from syncd.daemon_standing import Answer, read_answer, read_answer_file
from syncd.db.lease import process_of
from syncd.db.tables import lease
from syncd.errors import ConfigError, SyncdError
from syncd.leases import SCHEDULER

_WITHIN_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.2


class NotRunning(SyncdError):
    """No daemon of this machine works on the database."""

    def __init__(self) -> None:
        super().__init__("no syncd of this machine works on that database: a start takes the configuration as it is")


class NoAnswer(SyncdError):
    """The daemon was asked and has not answered."""

    def __init__(self, pid: int) -> None:
        super().__init__(
            f"process {pid} has not answered within {_WITHIN_S:.0f} s: look at its log. "
            "If [database] was changed, put it back, or restart to change it"
        )


def reload(path: Path, console: Console) -> bool:
    """Ask the daemon and wait for its answer. False: the configuration was refused.

    At a reload by the service manager it is the process that this names, and the file that it reads itself. Otherwise
    it is the one that works on the database of `path`.
    """
    pid, folder = _main_process(), state_folder()
    if pid is not None and folder is not None:
        answer = _ask(pid, lambda: read_answer_file(folder))
    else:
        answer = _ask_by_database(path, pid)
    for problem in answer.problems:
        console.print(f"  [red]✗[/] {escape(problem)}", soft_wrap=True)
    told = "the new configuration is in force" if answer.taken else "refused: the configuration from before is in force"
    console.print(told)
    return answer.taken


def _ask_by_database(path: Path, main_pid: int | None) -> Answer:
    try:
        config = settings.load(path)
    except ConfigError:
        if main_pid is not None:
            _hang_up(main_pid)  # its log says that it was asked, and why not
        raise
    db = open_database(config)
    try:
        pid = db.read_now(daemon_of) or main_pid
        if pid is None:
            raise NotRunning
        return _ask(pid, lambda: db.read_now(read_answer))
    finally:
        db.close()


def daemon_of(connection: Connection) -> int | None:
    """The process of this machine that holds the scheduler's lease."""
    holder = connection.execute(select(lease.c.holder).where(lease.c.name == SCHEDULER)).scalar_one_or_none()
    return None if holder is None else process_of(holder)


def _ask(pid: int, read: Callable[[], Answer | None]) -> Answer:
    """Raises NotRunning and NoAnswer."""
    before = read()
    _hang_up(pid)
    give_up_at = time.monotonic() + _WITHIN_S
    while time.monotonic() < give_up_at:
        answer = read()
        if answer is not None and (before is None or answer.at != before.at):
            return answer
        time.sleep(_LOOK_EVERY_S)
    raise NoAnswer(pid)


def _hang_up(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        raise NotRunning from None


def _main_process() -> int | None:
    """The process that the service manager names to those who reload it."""
    pid = os.environ.get("MAINPID", "")
    return int(pid) if pid.isdecimal() and int(pid) > 1 else None

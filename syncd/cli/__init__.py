"""The command line: `syncd --help`."""

from __future__ import annotations

import sys

from syncd.errors import ConfigError, SyncdError

EXIT_FAILED = 1
EXIT_CONFIG = 78  # EX_CONFIG: starting again does not help
EXIT_BUSY = 75  # EX_TEMPFAIL: another daemon runs


def main() -> None:
    """Run a command; an expected failure ends with a clear message and no traceback."""
    from syncd.cli.app import app

    try:
        app()
    except Exception as err:
        told = _expected(err)
        if told is None:
            raise
        message, code = told
        sys.stderr.write(f"syncd: {message}\n")
        sys.exit(code)


def _expected(err: Exception) -> tuple[str, int] | None:
    """What to say of a failure that a person can do something about, and the exit code; None for a bug."""
    # Imported only now: a command that ends well needs none of it.
    from sqlalchemy.exc import SQLAlchemyError

    from adapters.contract import AdapterError
    from syncd.bootstrap import SettingsRefused
    from syncd.cli.remedies import remedy
    from syncd.db.lease import Fenced
    from syncd.db.trouble import explain
    from syncd.leases import AlreadyRunning
    from syncd.secrets import SecretMissing

    match err:
        case ConfigError() | SecretMissing() | SettingsRefused():
            return str(err), EXIT_CONFIG
        case AlreadyRunning() | Fenced():
            return str(err), EXIT_BUSY
        case SyncdError() | OSError():
            return str(err), EXIT_FAILED
        case AdapterError():
            return f"the channel cannot be asked: {err}. {remedy(err)}", EXIT_FAILED
        case SQLAlchemyError():
            return f"the database fails: {explain(err)}", EXIT_FAILED
    return None

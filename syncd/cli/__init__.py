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
    except ConfigError as err:
        _fail(err, EXIT_CONFIG)
    except SyncdError as err:
        _fail(err, EXIT_BUSY if type(err).__name__ in ("AlreadyRunning", "Fenced") else EXIT_FAILED)
    except OSError as err:
        _fail(err, EXIT_FAILED)


def _fail(err: Exception, code: int) -> None:
    sys.stderr.write(f"syncd: {err}\n")
    sys.exit(code)

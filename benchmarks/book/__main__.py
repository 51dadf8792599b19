"""`python -m benchmarks.book`. The processes it starts import this module too: it must cost them nothing."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    from benchmarks.book.command import main

    sys.exit(main())

"""The command: measure, tell on stderr how far it is, and end with a table and benchmarks/out/book.json."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.book.contenders import CONTENDERS, Contender
from benchmarks.book.figures import FIGURES, Round
from benchmarks.book.ground import Ground
from benchmarks.book.large import LARGE_FIGURES, MILLION, large
from benchmarks.book.report import OUT, document, save, show
from benchmarks.book.rounds import chosen, needed, run_rounds
from benchmarks.book.seller import Size
from benchmarks.book.servers import durable_server
from benchmarks.book.stop import NotMeasured, Unsound

_EXAMPLES = """examples:
  python -m benchmarks.book                              everything but the large: some fifteen minutes
  python -m benchmarks.book --quick                      one short round
  python -m benchmarks.book --only spread_vs_saleor      one figure, and only who it compares
  python -m benchmarks.book --fsync-delay-ms 1           as on a volume across a network
  python -m benchmarks.book --large                      a million SKUs and orders: half an hour and 15 GB of disk
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """0: measured, whatever the targets; 1: a run left something wrong behind; 2: it could not be measured."""
    wanted = _parser().parse_args(arguments)
    figures = LARGE_FIGURES if wanted.large else FIGURES
    skus = wanted.skus or (MILLION if wanted.large else Size().skus)
    contenders = large(skus, wanted.orders) if wanted.large else CONTENDERS
    try:
        picked = chosen(figures, wanted.only)
    except KeyError as err:
        print(f"no figure is called {err}: there are {', '.join(each.name for each in figures)}", file=sys.stderr)
        return 2
    rounds, seconds = (1, 0.5) if wanted.quick else (wanted.rounds, wanted.seconds)
    console = Console(stderr=True)
    load_before = os.getloadavg()
    try:
        with (
            tempfile.TemporaryDirectory(dir="/var/tmp", prefix="book-") as folder,
            durable_server(wanted.fsync_delay_ms) as server,
        ):
            ground = Ground(server, Path(folder), seconds, size=Size() if wanted.large else Size(skus))
            try:
                done = _run(ground, contenders, needed(picked, contenders), rounds, console)
            finally:
                ground.close()
    except Unsound as err:
        console.print(f"[red]a run left something wrong behind:[/] {err}")
        return 1
    except NotMeasured as err:
        console.print(f"[red]not measured:[/] {err}")
        return 2
    setting = {
        "rounds": rounds,
        "seconds": seconds,
        "skus": skus,
        "fsync_delay_ms": wanted.fsync_delay_ms,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": [round(each, 2) for each in load_before],
        "load_after": [round(each, 2) for each in os.getloadavg()],
    }
    told = document(picked, done, setting)
    save(told, wanted.out)
    show(told, Console(width=None if sys.stdout.isatty() else 160))
    return 0


def _run(
    ground: Ground, contenders: Mapping[str, Contender], names: Sequence[str], rounds: int, console: Console
) -> list[Round]:
    """Run the rounds under a progress bar, or with a line a run where nobody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Redrawn only before each run: what draws it takes CPU from what is measured.
    with Progress(*columns, console=console, auto_refresh=False) as progress:
        bar = progress.add_task("filling the databases", total=rounds * len(names))
        begun = 0

        def tell(number: int, name: str) -> None:
            nonlocal begun
            if not console.is_terminal:
                console.print(f"{begun} of {rounds * len(names)}: round {number}, {name}")
            progress.update(bar, completed=begun, description=f"round {number} of {rounds}: {name}", refresh=True)
            begun += 1

        done = run_rounds(ground, contenders, names, rounds, tell)
        progress.update(bar, completed=begun, description="done", refresh=True)
    return done


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.book",
        description="How fast orders come into the book, as ratios to others in the same run.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often everyone runs (5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a run is timed (1)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this figure only; may be repeated")
    parser.add_argument("--quick", action="store_true", help="one round of half a second")
    parser.add_argument("--large", "--big", action="store_true", help="what needs a million of something, alone")
    parser.add_argument("--skus", type=int, help="SKUs of the seller (10000; with --large a million)")
    parser.add_argument("--orders", type=int, default=MILLION, help="orders that the large audit proves (a million)")
    parser.add_argument(
        "--fsync-delay-ms", type=float, default=0.0, help="make each fsync of PostgreSQL so much longer"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="where the JSON goes (benchmarks/out/book.json)")
    return parser

"""What many commands take, and where they print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file.", envvar="SYNCD_CONFIG", metavar="FILE")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
DEFAULT_CONFIG: Final = Path("/etc/syncd/syncd.toml")
console: Final = Console()

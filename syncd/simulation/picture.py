"""A picture of the terminal, for documents: what the demo showed, as a self-contained SVG."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console, RenderableType


def save_picture(views: list[RenderableType], path: Path) -> None:
    """Draw these views one below the other. The picture loads nothing from elsewhere."""
    console = Console(record=True, width=82, file=io.StringIO(), force_terminal=True)
    for view in views:
        console.print(view)
    drawn = console.export_svg(title="make demo")
    drawn = re.sub(r"@font-face\s*\{.*?\}", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r"<!--.*?-->\s*", "", drawn, flags=re.DOTALL)
    path.write_text(drawn.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono"))

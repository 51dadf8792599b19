"""The sandbox proves something only as long as it shares nothing with the adapter that it judges."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.shipbob import sandbox

FILES = sorted(Path(sandbox.__file__).parent.glob("*.py"))


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or "."
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_of_the_sandbox_imports_nothing_of_the_adapter(file: Path) -> None:
    ours = [module for module in imported(file) if module.startswith("adapters.shipbob")]

    assert [module for module in ours if not module.startswith("adapters.shipbob.sandbox")] == []
    assert "adapters.http" not in imported(file)
    assert "adapters.warehouse" not in imported(file)

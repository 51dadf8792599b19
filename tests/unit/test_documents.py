"""The documents name what is there: every alert, every file they link to, and the exit code that systemd must know."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import syncd
from syncd.cli import EXIT_CONFIG

SOURCES = Path(syncd.__file__).parent
CHECKOUT = SOURCES.parent
DOCUMENTS = sorted([CHECKOUT / "README.md", CHECKOUT / "CHANGELOG.md", *(CHECKOUT / "docs").rglob("*.md")])
CHOSEN_WHEN_TOLD = {"channel_down", "auth_expired", "warehouse_down", "warehouse_auth"}


def kinds_in(source: str) -> Iterator[str]:
    """The kinds of alerts that a module writes down: the second argument of each Alert and Notice."""
    tree = ast.parse(source)
    constants: dict[str, str] = {}
    for node in tree.body:
        target = (
            node.target
            if isinstance(node, ast.AnnAssign)
            else node.targets[0]
            if isinstance(node, ast.Assign)
            else None
        )
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            constants[target.id] = value.value
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("Alert", "Notice"):
            kind = call.args[1]
            if isinstance(kind, ast.Constant):
                yield str(kind.value)
            elif isinstance(kind, ast.Name) and kind.id in constants:
                yield constants[kind.id]


def test_operating_explains_every_alert() -> None:
    kinds = {kind for path in SOURCES.rglob("*.py") for kind in kinds_in(path.read_text())} | CHOSEN_WHEN_TOLD
    text = (CHECKOUT / "docs" / "operating.md").read_text()

    explained = set(re.findall(r"(?m)^\| `([a-z_]+)` \|", text))

    assert len(kinds) > 15
    assert kinds - explained == set()
    assert explained - kinds == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_that_are_there(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text())

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_systemd_does_not_restart_into_a_wrong_configuration() -> None:
    unit = (CHECKOUT / "systemd" / "syncd.service").read_text()

    assert f"\nRestartPreventExitStatus={EXIT_CONFIG}\n" in unit

"""Both languages say the same, of every kind of alert, and every kind has its place in the runbook."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from string import Formatter

import pytest

from syncd.alerts.compose import long
from syncd.alerts.kinds import KINDS, Severity
from syncd.alerts.texts import CATALOGUES, Texts

ROOT = Path(__file__).resolve().parents[3]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_languages_have_the_same_texts_with_the_same_placeholders() -> None:
    english = CATALOGUES["en"]

    for language, texts in CATALOGUES.items():
        assert texts.keys() == english.keys(), language
        for key, text in texts.items():
            assert placeholders(text) == placeholders(english[key]), (language, key)


def test_chinese_texts_are_chinese() -> None:
    same = [key for key, text in CATALOGUES["zh"].items() if text == CATALOGUES["en"][key]]

    assert set(same) <= {"title.with_scope"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_in_every_language_and_has_its_runbook_entry(kind: str) -> None:
    for texts in CATALOGUES.values():
        for part in ("title", "what", "do"):
            assert texts[f"{kind}.{part}"]
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    entry = re.search(rf"(?ms)^## {kind}$(.*?)(?=^## |\Z)", runbook)
    assert entry is not None
    severity = {Severity.CRITICAL: "Critical", Severity.WARNING: "Warning", Severity.INFO: "Info"}[KINDS[kind].severity]
    assert f"**{severity}.**" in entry[1]
    assert "*Impact:*" in entry[1]
    assert "*What to do:*" in entry[1]


def kinds_raised() -> Iterator[str]:
    """Every text in the code that opens alerts, where an alert's kind stands."""
    for file in (ROOT / "syncd").rglob("*.py"):
        tree = ast.parse(file.read_text())
        constants = {
            node.target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        constants |= {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Alert", "Notice"):
                kind = node.args[1] if len(node.args) > 1 else None
                if isinstance(kind, ast.Constant):
                    yield str(kind.value)
                elif isinstance(kind, ast.Name) and kind.id in constants:
                    yield str(constants[kind.id])


def test_every_alert_that_the_code_opens_is_of_a_known_kind() -> None:
    raised = Counter(kinds_raised())

    assert len(raised) >= 20
    assert raised.keys() <= KINDS.keys()


def test_the_runbook_knows_no_kind_that_is_none() -> None:
    entries = re.findall(r"(?m)^## (.*)$", (ROOT / "docs" / "runbook.md").read_text())

    assert sorted(entries) == sorted(KINDS)


def test_one_is_singular_and_many_have_separators() -> None:
    assert Texts("en").count("units", 1) == "1 unit"
    assert Texts("en").count("units", 12_345) == "12,345 units"
    assert Texts("zh").count("orders", 2) == "2 个订单"


def test_durations_are_told_in_two_units_at_most() -> None:
    spans = (timedelta(seconds=42), timedelta(minutes=59), timedelta(hours=3, minutes=5), timedelta(days=2, hours=7))

    assert [long(span, Texts("en")) for span in spans] == ["42 s", "59 min", "3 h 5 min", "2 d 7 h"]


def test_a_kind_of_a_newer_version_is_told_in_general_words() -> None:
    assert Texts("en").of_kind("brand_new", "title") == "Something needs a look"

"""docs/configuration.md is what the code makes of the configuration's models, with words for every key."""

from __future__ import annotations

from pathlib import Path

import syncd
from syncd.config.meanings import MEANINGS
from syncd.config.reference import places, reference

DOCUMENT = Path(syncd.__file__).parent.parent / "docs" / "configuration.md"


def test_the_reference_is_what_the_code_makes() -> None:
    assert DOCUMENT.read_text() == reference(), "python -m syncd.config.reference > docs/configuration.md"


def test_every_table_and_key_is_explained_and_nothing_else() -> None:
    assert sorted(places()) == sorted(MEANINGS)


def test_a_key_stands_with_its_kind_its_default_and_its_meaning() -> None:
    lines = reference().splitlines()

    assert "| `buffer` | a whole number | `0` | " + MEANINGS["account.buffer"] + " |" in lines
    assert "| `client_secret` | a secret's name | **needed** | The app's. |" in lines
    assert "| `level` | `debug`, `info`, `warning`, `error` | `info` | What is less than this is left out. |" in lines
    assert "## [[alerts.route]]" in lines

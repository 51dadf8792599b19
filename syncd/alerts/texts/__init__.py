"""Everything that people are told, by language: one catalogue each, with the same keys and the same placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from syncd.alerts.texts.en import ENGLISH
from syncd.alerts.texts.zh import CHINESE

CATALOGUES: Final[Mapping[str, Mapping[str, str]]] = {"en": ENGLISH, "zh": CHINESE}


class Texts:
    """The texts of one language."""

    def __init__(self, language: str) -> None:
        self._texts = CATALOGUES[language]

    def say(self, key: str, **values: Any) -> str:
        return self._texts[key].format(**values)

    def count(self, key: str, n: int) -> str:
        """A number with what it counts: `units.one` or `units.many`."""
        return self.say(f"{key}.one" if n == 1 else f"{key}.many", n=f"{n:,}")

    def of_kind(self, kind: str, part: str) -> str:
        """`title`, `what` or `do` of a kind; in general words for one that this version does not know."""
        return self._texts.get(f"{kind}.{part}", self._texts[f"any.{part}"])

"""Say a check's statement in an engine's words: which page it is asked of, sums that never overflow, text as it is.

`{page}` are the keys of a page, by the columns of the check's own key; `{page:r.order_line_id}` are those rows of
another table that belong to the same keys. `{sum:r.quantity}` is a sum that is right for all numbers a column may have
and fails for none. `{raw:d.inputs}` is a text that need not be one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

_PLACE: Final = re.compile(r"\{(page|sum|raw)(?::([^{}]*))?\}")
_SAID: Final = {
    # SQLite's sum() is an error beyond 64 bits, and its texts may be no UTF-8, which the driver would refuse.
    "sqlite": {"sum": "CAST(total({}) AS INTEGER)", "raw": "CAST({} AS BLOB)"},
    "postgresql": {"sum": "sum({})", "raw": "{}"},
}


def say(engine: str, statement: str, key: Sequence[str], page: Callable[[Sequence[str]], str]) -> str:
    """The statement for an engine. `page(columns)` is the condition that these columns are in the page."""

    def said(found: re.Match[str]) -> str:
        word, given = found.group(1), found.group(2)
        if word == "page":
            return page(tuple(given.split(", ")) if given else key)
        return _SAID[engine][word].format(given)

    return _PLACE.sub(said, statement)

"""The vendor's search syntax, as far as orders and variants are searched with it."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.shopify.sandbox.errors import VendorError
from adapters.shopify.sandbox.ids import read_gid

_TERM = re.compile(r"""(?P<field>\w+):(?P<how>>=|<=|>|<)?(?P<value>'[^']*'|"[^"]*"|[^\s:]+)(?=\s|$)""")
_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition, such as `updated_at:>='2026-11-22T00:00:00Z'`."""

    field: str
    how: str  # one of _ORDERINGS
    value: str

    def instant(self) -> datetime:
        """The value as an instant; a date alone means its midnight in UTC."""
        try:
            instant = datetime.fromisoformat(self.value)
        except ValueError:
            raise VendorError(f"Invalid timestamp for query filter `{self.field}`.", "BAD_REQUEST") from None
        return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)

    def holds(self, instant: datetime) -> bool:
        return _ORDERINGS[self.how](instant, self.instant())

    def holds_for_id(self, number: int) -> bool:
        """True if the term, whose value is a number or a global id, holds for a record of that number."""
        wrapped = read_gid(self.value)
        if wrapped is None and not self.value.isdecimal():
            raise VendorError(f"Invalid id for query filter `{self.field}`.", "BAD_REQUEST")
        return _ORDERINGS[self.how](number, wrapped.number if wrapped is not None else int(self.value))

    def mentions(self, text: str | None) -> bool:
        """True if every word of the value is in `text`: the vendor matches words, not whole codes."""
        return set(_words(self.value)) <= set(_words(text or ""))


def read_terms(query: str | None) -> tuple[Term, ...]:
    """The conditions of a query, all of which must hold.

    Only `field:value` terms joined by blanks or AND are read. Anything else is refused: the vendor would understand it,
    and silently finding other orders than it does would be worse than an error. Timestamps need quotes, as documented.
    """
    terms: list[Term] = []
    rest = (query or "").strip()
    while rest:
        found = _TERM.match(rest)
        if found is None:
            raise VendorError(f"The sandbox can't read this part of the query: {rest}", "SANDBOX_LIMIT")
        terms.append(Term(found["field"], found["how"] or "", found["value"].strip("'\"")))
        rest = rest[found.end() :].strip().removeprefix("AND ").strip()
    return tuple(terms)


def unknown(term: Term) -> VendorError:
    return VendorError(f"The sandbox has no filter `{term.field}`.", "SANDBOX_LIMIT")


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())

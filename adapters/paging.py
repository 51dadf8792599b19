"""Walking through pages to an end that is surely one."""

from __future__ import annotations

from collections.abc import Hashable

from adapters.contract import Transient


class Passed:
    """The marks that one walk has passed: one that comes again would never end, or hide what is behind it."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._marks: set[Hashable] = set()

    def note(self, mark: Hashable) -> None:
        """Pass a page's token, or its content. Raises Transient when that was passed before."""
        if mark in self._marks:
            raise Transient(f"{self._what}: paging does not advance")
        self._marks.add(mark)

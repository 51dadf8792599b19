"""What the checker says: findings, which fail a run, and what only an impossibility explains, which is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be. `at` is when it was, or when it was found."""

    rule: str
    subject: str
    at: datetime
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject} at {self.at:%m-%d %H:%M:%S.%f}: {self.detail}"


@dataclass(slots=True)
class Excused:
    """What a rule met and does not hold against the daemon, in all, with the first of them told.

    `reason` is one of PUBLISHING.md's impossibilities, P1 to P7, or the name of what explains it.
    """

    rule: str
    reason: str
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.rule}: {self.count} by {self.reason}"


@dataclass(slots=True)
class Verdict:
    """Everything that rules have said so far. `figures` are plain counts that nobody is to be blamed for."""

    findings: list[Finding] = field(default_factory=list)
    excused: dict[tuple[str, str], Excused] = field(default_factory=dict)
    figures: Counter[str] = field(default_factory=Counter)

    def find(self, rule: str, subject: str, at: datetime, detail: str) -> None:
        self.findings.append(Finding(rule, subject, at, detail))

    def excuse(self, rule: str, reason: str, example: str, count: int = 1) -> None:
        known = self.excused.setdefault((rule, reason), Excused(rule, reason))
        known.count += count
        if len(known.examples) < _EXAMPLES:
            known.examples.append(example)

    def new(self, known: Iterable[Finding]) -> list[Finding]:
        """The findings whose rule and subject are not among those known, the first of each."""
        seen = {(each.rule, each.subject) for each in known}
        first: dict[tuple[str, str], Finding] = {}
        for each in self.findings:
            first.setdefault((each.rule, each.subject), each)
        return [each for key, each in first.items() if key not in seen]

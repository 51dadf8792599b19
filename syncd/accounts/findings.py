"""What a check found: right, odd or wrong, each with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    RIGHT = "right"
    ODD = "odd"  # it works, or cannot be told; a person should know
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found of `subject` (`account shop`, `warehouse main`, `webhooks`)."""

    verdict: Verdict
    subject: str
    told: str
    remedy: str | None = None


def right(subject: str, told: str) -> Finding:
    return Finding(Verdict.RIGHT, subject, told)


def odd(subject: str, told: str, remedy: str | None = None) -> Finding:
    return Finding(Verdict.ODD, subject, told, remedy)


def wrong(subject: str, told: str, remedy: str) -> Finding:
    return Finding(Verdict.WRONG, subject, told, remedy)

"""The API versions that the vendor serves, and which of them answers a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Version:
    handle: str
    name: str
    supported: bool


# The state of November 2026 (shopify.dev versioning). The sandbox answers all of them with the rules of 2026-10.
VERSIONS = (
    Version("2026-01", "2026-01", True),
    Version("2026-04", "2026-04", True),
    Version("2026-07", "2026-07", True),
    Version("2026-10", "2026-10 (Latest)", True),
    Version("2027-01", "2027-01 (Release candidate)", False),
    Version("unstable", "unstable", False),
)


def served(asked: str) -> str:
    """The version that answers: the one asked for, or else the oldest supported one, without a word."""
    handles = [version.handle for version in VERSIONS]
    return asked if asked in handles else handles[0]


def named(handle: str) -> Version:
    return next(version for version in VERSIONS if version.handle == served(handle))

"""Where the files that come with syncd lie: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from syncd.errors import SyncdError

Name = Literal["migrations", "config", "systemd"]

_PACKAGE: Final = Path(__file__).resolve().parent


class ResourceMissing(SyncdError):
    """A folder that comes with syncd is not there: the installation is broken."""

    def __init__(self, name: str, looked_in: tuple[Path, ...]) -> None:
        super().__init__(f"{name} is in none of {', '.join(map(str, looked_in))}: install syncd again")
        self.name = name
        self.looked_in = looked_in


def folder(name: Name, package: Path = _PACKAGE) -> Path:
    """The folder of that name, from the wheel's `_data` first and from the checkout second. Raises ResourceMissing."""
    candidates = (package / "_data" / name, package.parent / name)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise ResourceMissing(name, candidates)

"""Who is told, as far as it can be read: for the hour when the rest of the configuration is what is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from syncd.config.alert_contradictions import alert_contradictions
from syncd.config.load import read
from syncd.config.model import Config
from syncd.errors import ConfigError

LAST_GOOD: Final = "last-good.toml"
"""A copy of the last configuration that was taken, in the folder that the service manager gives."""


def keep_last_good(path: Path) -> None:
    """Keep a copy of a configuration that is in force. It names secrets and holds none. Raises OSError."""
    copy = _last_good()
    if copy is not None:
        unfinished = copy.with_suffix(".new")
        unfinished.write_bytes(path.read_bytes())
        unfinished.replace(copy)


def who_is_told(path: Path) -> Config:
    """Routes and what their messages need; what cannot be used is left out, as is everything else.

    Where the file is no TOML any more, the last good one tells. Raises ConfigError when that is not there either.
    """
    try:
        raw = read(path)
    except ConfigError:
        copy = _last_good()
        if copy is None or not copy.exists():
            raise
        raw = read(copy)
    told = raw.get("alerts")
    general = {key: told[key] for key in told if key != "route"} if isinstance(told, Mapping) else {}
    routes = told.get("route") if isinstance(told, Mapping) else None
    for kept in (general, {}):
        usable = [_alone(each) for each in routes if isinstance(each, Mapping)] if isinstance(routes, list) else []
        usable = [each for each in usable if _config({**kept, "route": [each]}) is not None]
        config = _config({**kept, "route": usable})
        if config is not None:
            return config
    return Config()


def _alone(route: Mapping[str, Any]) -> dict[str, Any]:
    """A route without the one that would stand in for it: all are told."""
    return {key: value for key, value in route.items() if key != "fallback"}


def _config(alerts: Mapping[str, Any]) -> Config | None:
    raw = {"database": {}, "alerts": alerts}
    if list(alert_contradictions(raw)):
        return None
    try:
        return Config.model_validate(raw)
    except ValidationError:
        return None


def state_folder() -> Path | None:
    """The folder that the service manager gives to keep things in; None without one."""
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(folder) if folder else None


def _last_good() -> Path | None:
    folder = state_folder()
    return None if folder is None else folder / LAST_GOOD

"""What the web server is handed by whoever starts it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.contract import Channel, Clock
from syncd.db.database import Transactor
from syncd.insight.job_log import JobRun
from syncd.orders.intake import InboxWriter


@dataclass(frozen=True, slots=True)
class WebDeps:
    """`accounts` maps an account's key to its id and channel; `started_at` is the seller's time, as `clock` tells it.

    `ready` names what the daemon itself still misses; the database and the inbox are checked besides. `fresh_s` is how
    old, in real seconds, the state that is shown may be. `log_requests` turns the access log on.
    `public_url` is what channels know us by. `warehouses` maps a warehouse's key to what takes its news, which raises
    Forged. `jobs` tells how the timetable's jobs last went, `standing` which configuration is in force. `api_token`
    opens page, metrics and API; without one they answer only this machine.
    """

    db: Transactor
    clock: Clock
    inbox: InboxWriter
    accounts: Mapping[str, tuple[int, Channel]]
    version: str
    started_at: datetime
    ready: Callable[[], Awaitable[list[str]]]
    fresh_s: float = 0.5
    log_requests: bool = False
    public_url: str | None = None
    warehouses: Mapping[str, Callable[[Mapping[str, str], bytes], None]] = field(default_factory=dict)
    api_token: str | None = field(default=None, repr=False)
    jobs: Callable[[], Sequence[JobRun]] = tuple
    standing: Callable[[], Mapping[str, Any]] = dict

"""Whether anybody hears of what goes wrong, from the configuration alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from syncd.accounts.findings import Finding, odd, right
from syncd.alerts.kinds import KINDS, Severity, severity_called
from syncd.config import Config

_SUBJECT = "alerts"
_ADD = "Add an [[alerts.route]] for chat or mail (config/syncd.example.toml shows each), then run `syncd alert test`"


def who_hears(config: Config) -> Iterator[Finding]:
    """What is odd about who is told; one right finding when all that is severe reaches somebody."""
    routes = config.alerts.routes
    if not routes:
        yield odd(_SUBJECT, "nobody is told when something is wrong: no route is configured", _ADD)
        return
    unheard = [
        kind.name
        for kind in KINDS.values()
        if kind.severity is Severity.CRITICAL
        and not any(
            kind.severity >= severity_called(route.from_severity) and (not route.facts or kind.name in route.facts)
            for route in routes
        )
    ]
    if unheard:
        told = f"no route hears of {', '.join(unheard)}, which are critical"
        yield odd(_SUBJECT, told, "Let one route leave out `facts`, or name these kinds there")
    if config.alerts.digest_time is None or not any(route.wants_digest for route in routes):
        told = "there is no daily report: nobody notices when syncd itself has stopped"
        yield odd(_SUBJECT, told, 'Write digest_at = "08:00" under [alerts], and digest = true in a route')
    if not unheard:
        yield right(_SUBJECT, f"{len(routes)} {'route' if len(routes) == 1 else 'routes'}, all that is severe is told")

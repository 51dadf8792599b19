"""Which form a visitor prefers: the page for people, or JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping


def prefers_html(accept: str) -> bool:
    """Whether an Accept header wants HTML more than JSON; without a preference it is JSON."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights[kind] = max(weights.get(kind, 0.0), _weight(parameters))
    return _wanted(weights, "text/html", "text/*") > _wanted(weights, "application/json", "application/*")


def _weight(parameters: list[str]) -> float:
    for name, _, value in (parameter.partition("=") for parameter in parameters):
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _wanted(weights: Mapping[str, float], *names: str) -> float:
    """The weight of the most telling of these names, else that of anything."""
    return next((weights[name] for name in (*names, "*/*") if name in weights), 0.0)

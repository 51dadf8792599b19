"""What is wrong between the keys of a route, between routes, and between routes and webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncd.config.alerts import ANY_ROUTE, ROUTE_KEYS
from syncd.config.values import is_here
from syncd.errors import ConfigProblem, Place, place_name, suggest

Entry = tuple[Place, Mapping[str, Any]]


def alert_contradictions(raw: object) -> Iterator[ConfigProblem]:
    """Everything that two values of routes and webhooks together show to be wrong."""
    routes = list(_entries(_table(raw, "alerts"), ("alerts",), "route"))
    hooks = list(_entries(raw, (), "webhook"))
    yield from _names(raw, [*routes, *hooks])
    for entry in routes:
        yield from _keys(raw, entry)
        yield from _mail(raw, entry)
    yield from _fallbacks(raw, routes)


def _table(raw: object, key: str) -> object:
    return raw.get(key) if isinstance(raw, Mapping) else None


def _entries(table: object, place: Place, key: str) -> Iterator[Entry]:
    found = _table(table, key)
    for number, entry in enumerate(found if isinstance(found, list) else ()):
        if isinstance(entry, Mapping):
            yield (*place, key, number), entry


def _names(raw: object, entries: list[Entry]) -> Iterator[ConfigProblem]:
    seen = set()
    for place, entry in entries:
        name = entry.get("name")
        if isinstance(name, str) and name in seen:
            remedy = "Change this one: routes and webhooks share their names"
            yield ConfigProblem(place_name(raw, (*place, "name")), f"{name!r} is there twice", remedy)
        seen.add(name)


def _keys(raw: object, entry: Entry) -> Iterator[ConfigProblem]:
    place, route = entry
    kind = route.get("kind")
    if kind not in ROUTE_KEYS:
        return  # told already
    needed, allowed = ROUTE_KEYS[kind]
    every = frozenset().union(*(keys for pair in ROUTE_KEYS.values() for keys in pair))
    for key in sorted(needed - route.keys()):
        yield ConfigProblem(place_name(raw, (*place, key)), "is missing", f"A route of kind {kind} needs it")
    for key in sorted((route.keys() & every) - needed - allowed - ANY_ROUTE):
        remedy = f"Take it out: a route of kind {kind} has {', '.join(sorted(needed | allowed))}"
        yield ConfigProblem(place_name(raw, (*place, key)), f"is not for a route of kind {kind}", remedy)


def _mail(raw: object, entry: Entry) -> Iterator[ConfigProblem]:
    place, route = entry
    if route.get("kind") != "email":
        return
    host = route.get("host")
    if route.get("security") == "none" and isinstance(host, str) and not is_here(f"smtp://{host}"):
        remedy = 'Write security = "tls" or "starttls"; "none" is for a server on this machine'
        yield ConfigProblem(place_name(raw, (*place, "security")), "would send mail in the clear", remedy)
    for one, other in (("username", "password_secret"), ("password_secret", "username")):
        if one in route and other not in route:
            yield ConfigProblem(place_name(raw, (*place, other)), "is missing", f"It belongs to {one}")
    if route.get("to") == []:
        yield ConfigProblem(place_name(raw, (*place, "to")), "is empty", "Name at least one mail address")


def _fallbacks(raw: object, routes: list[Entry]) -> Iterator[ConfigProblem]:
    names = [route["name"] for _, route in routes if isinstance(route.get("name"), str)]
    next_of = {route.get("name"): route.get("fallback") for _, route in routes}
    for place, route in routes:
        fallback, where = route.get("fallback"), place_name(raw, (*place, "fallback"))
        if not isinstance(fallback, str):
            continue
        if fallback not in names:
            known = f"There is {', '.join(names)}" if names else "Describe it under [[alerts.route]]"
            problem = f"no route has the name {fallback!r}"
            yield ConfigProblem(where, problem, suggest(fallback, names, known))
        elif _leads_back(route.get("name"), next_of):
            remedy = "Let the last one of them have no fallback"
            yield ConfigProblem(where, "leads back to this route", remedy)


def _leads_back(name: object, next_of: Mapping[Any, Any]) -> bool:
    seen, step = set(), next_of.get(name)
    while isinstance(step, str) and step not in seen:
        if step == name:
            return True
        seen.add(step)
        step = next_of.get(step)
    return False

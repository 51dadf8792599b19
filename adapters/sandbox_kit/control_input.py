"""Reads what the control face is asked for, and says what to give instead when it can't."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

Json = dict[str, Any]
Choice = TypeVar("Choice", bound=StrEnum)


class BadInput(Exception):
    """Input that can't be used: which field, why, and what would do."""

    def __init__(self, field: str, problem: str, remedy: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
        self.remedy = remedy


class Form:
    """A JSON object whose fields are taken one by one. `done` refuses whatever nobody took."""

    def __init__(self, values: Json, place: str = "") -> None:
        self._values = dict(values)
        self._place = place

    @classmethod
    def of(cls, body: bytes) -> Form:
        return cls(_read(body, "object", dict))

    @classmethod
    def several(cls, body: bytes, of: str) -> list[Form]:
        """The forms of a JSON list, or of the one object given alone."""
        found = _read(body, f"list of {of}", list, dict)
        return [cls(_object(value, f"[{at}]"), f"[{at}].") for at, value in enumerate(_listed(found))]

    def has(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        value = self._take(name, default)
        if not isinstance(value, str) or not value.strip():
            raise self.bad(name, "is missing or not a text", f'give a text, such as {{"{name}": "RED-CLOCK"}}')
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if self.has(name) else self._take(name, None)

    def whole(self, name: str, default: int | None = None, *, minimum: int = -(10**9)) -> int:
        value = self._take(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= 10**9:
            raise self.bad(name, "is missing or not a whole number", f"give a whole number of at least {minimum}")
        return value

    def number(self, name: str, *, maximum: float) -> float:
        value = self._take(name, None)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= maximum:
            raise self.bad(name, "is not a usable number", f"give a number from 0 to {maximum:g}")
        return float(value)

    def seconds(self, name: str) -> float:
        return self.number(name, maximum=timedelta(days=365).total_seconds())

    def flag(self, name: str, default: bool) -> bool:
        value = self._take(name, default)
        if not isinstance(value, bool):
            raise self.bad(name, "is neither true nor false", "give true or false")
        return value

    def price(self, name: str, default: str) -> str:
        value = self.text(name, default)
        try:
            if Decimal(value).is_finite() and Decimal(value) >= 0:
                return value
        except InvalidOperation:
            pass
        raise self.bad(name, "is not a price", 'give a decimal number as text, such as "19.90"')

    def choice(self, name: str, among: type[Choice], default: Choice | None = None) -> Choice:
        value = self._take(name, default)
        by_name = {str(form).lower(): member for member in among for form in (member.name, member.value)}
        found = by_name.get(value.lower()) if isinstance(value, str) else None
        if found is None:
            raise self.bad(name, "is none of the choices", f"give one of {', '.join(sorted(by_name))}")
        return found

    def forms(self, name: str) -> list[Form]:
        """The objects of a list that has at least one."""
        value = self._take(name, None)
        if not isinstance(value, list) or not value:
            raise self.bad(name, "is missing or not a list with something in it", f'give {{"{name}": [{{...}}]}}')
        place = self._place + name
        return [Form(_object(inner, f"{place}[{at}]"), f"{place}[{at}].") for at, inner in enumerate(value)]

    def form(self, name: str) -> Form | None:
        value = self._take(name, None)
        return Form(_object(value, self._place + name), f"{self._place}{name}.") if value is not None else None

    def done(self) -> None:
        for name in self._values:
            raise self.bad(name, "is not known here", "leave it out")

    def bad(self, name: str, problem: str, remedy: str) -> BadInput:
        return BadInput(self._place + name, problem, remedy)

    def _take(self, name: str, default: Any) -> Any:
        value = self._values.pop(name, None)
        return default if value is None else value


def item_forms(body: bytes) -> list[Form]:
    """The forms of {"items": [...]}, of a bare list, or of one item given alone."""
    if body.lstrip().startswith(b"["):
        return Form.several(body, "items")
    form = Form.of(body)
    if not form.has("items"):
        return [form]
    items = form.forms("items")
    form.done()
    return items


def _read(body: bytes, wanted: str, *types: type) -> Any:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        raise BadInput("body", "is not JSON", f"send a JSON {wanted}") from None
    if not isinstance(found, types):
        raise BadInput("body", f"is not a JSON {wanted}", f"send a JSON {wanted}")
    return found


def _listed(found: Json | Sequence[Any]) -> Sequence[Any]:
    return [found] if isinstance(found, dict) else found


def _object(value: Any, place: str) -> Json:
    if not isinstance(value, dict):
        raise BadInput(place, "is not an object", "send a JSON object here")
    return value

"""What the vendor face hands to an API and gets back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias, TypeVar

import msgspec
from aiohttp import web

from adapters.ebay.sandbox.errors import Json, unreadable_request
from adapters.ebay.sandbox.tokens import Token

Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True)
class Call:
    """One request that was let in.

    `read_at` is set when a replica answers that has heard nothing since then; `fail_a_row` spoils one entry of a bulk
    write.
    """

    request: web.Request
    body: bytes
    token: Token
    read_at: datetime | None = None
    fail_a_row: bool = False

    def query(self, name: str) -> str | None:
        return self.request.query.get(name)

    def part(self, name: str) -> str:
        """A named part of the path."""
        return self.request.match_info[name]

    def decode(self, shape: type[Shape]) -> Shape:
        """The JSON body. Raises 400 with 2004."""
        try:
            return msgspec.json.decode(self.body, type=shape)
        except (ValueError, RecursionError) as err:
            raise unreadable_request(str(err)) from err


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler: TypeAlias = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one API. Any of the `scopes` opens it; `app_only`: a user's token does not."""

    name: str
    method: str
    path: str
    api: str  # whose quota it draws on
    scopes: tuple[str, ...]
    handler: Handler
    app_only: bool = False
    bulk_write: bool = False

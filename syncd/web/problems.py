"""What is wrong with a request, as problem details (RFC 9457) that name the parameter and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from aiohttp import web

PROBLEM_TYPE = "application/problem+json"


class Problem(Exception):
    """A request that cannot be answered; `parameter` is the one at fault, if one is."""

    def __init__(
        self,
        status: int,
        detail: str,
        remedy: str,
        parameter: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.remedy = remedy
        self.parameter = parameter
        self.headers = headers

    def answer(self) -> web.Response:
        told = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "remedy": self.remedy,
        }
        if self.parameter is not None:
            told["parameter"] = self.parameter
        body = msgspec.json.encode(told)
        return web.Response(body=body, status=self.status, headers=self.headers, content_type=PROBLEM_TYPE)


def wrong_parameter(name: str, detail: str, remedy: str) -> Problem:
    return Problem(400, f"{name} {detail}", remedy, name)

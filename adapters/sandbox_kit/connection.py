"""How a server fails on the wire."""

from __future__ import annotations

from aiohttp import web


def hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer; the response returned here never leaves."""
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)

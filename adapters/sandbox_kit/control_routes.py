"""Where a sandbox's control face is reached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.Response]]


def add_control_routes(app: web.Application, posts: Mapping[str, Answer], gets: Mapping[str, Answer]) -> None:
    """Serve these answers under /_control/, by path."""
    for path, answer in posts.items():
        app.router.add_post(f"/_control/{path}", answer)
    for path, answer in gets.items():
        app.router.add_get(f"/_control/{path}", answer)

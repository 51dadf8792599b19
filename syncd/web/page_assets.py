"""Style, script and htmx, served from here: nothing of the page comes from another host, and nothing is inline."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

_STATIC: Final = Path(__file__).parent / "static"
_FILES: Final = {
    "status.css": ("status.css", "text/css"),
    "status.js": ("status.js", "text/javascript"),
    "htmx.min.js": ("vendor/htmx.min.js", "text/javascript"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
_YEAR_S: Final = 31_536_000


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    content_type: str
    digest: str


class Assets:
    """The files, by the names under /static/; `links` has their addresses, which change with their content."""

    def __init__(self) -> None:
        self._assets = {name: _load(path, kind) for name, (path, kind) in _FILES.items()}

    @property
    def links(self) -> Mapping[str, str]:
        return {name: f"/static/{name}?v={asset.digest}" for name, asset in self._assets.items()}

    async def answer(self, request: web.Request) -> web.Response:
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        known = request.query.get("v") == asset.digest
        headers = {
            "Cache-Control": f"public, max-age={_YEAR_S}, immutable" if known else "no-cache",
            "ETag": f'"{asset.digest}"',
        }
        if f'"{asset.digest}"' in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        return web.Response(body=asset.body, headers=headers, content_type=asset.content_type, charset="utf-8")


def _load(path: str, content_type: str) -> Asset:
    body = (_STATIC / path).read_bytes()
    return Asset(body, content_type, hashlib.sha256(body).hexdigest()[:16])

"""How fast the seller's time runs, as another part of the sandboxes' control face."""

from __future__ import annotations

import math

import msgspec
from aiohttp import web

from syncd.clock import ScaledClock

_FASTEST = 600.0


class Speed(msgspec.Struct, forbid_unknown_fields=True):
    speed: float


class SpeedFace:
    """`GET` and `POST /_control/speed`. A clock that a daemon reads too is not this process's to change."""

    def __init__(self, clock: ScaledClock, *, shared: bool) -> None:
        self._clock = clock
        self._shared = shared

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/_control/speed", self.tell)
        app.router.add_post("/_control/speed", self.change)

    async def tell(self, request: web.Request) -> web.Response:
        return web.json_response({"speed": self._clock.speed, "now": self._clock.now().isoformat()})

    async def change(self, request: web.Request) -> web.Response:
        try:
            speed = msgspec.json.decode(await request.read(), type=Speed).speed
        except msgspec.MsgspecError as err:
            return _refused(400, str(err), 'send {"speed": 60}')
        if not math.isfinite(speed) or not 1.0 <= speed <= _FASTEST:
            return _refused(400, f"{speed:g} is no speed", f"choose one from 1 to {_FASTEST:g}")
        if self._shared:
            remedy = "start the sandboxes without --clock, or write another clock record and start all anew"
            return _refused(409, "other processes run by the same clock record", remedy)
        self._clock.change_speed(speed)
        return await self.tell(request)


def _refused(status: int, problem: str, remedy: str) -> web.Response:
    return web.json_response({"error": {"field": "speed", "problem": problem, "remedy": remedy}}, status=status)

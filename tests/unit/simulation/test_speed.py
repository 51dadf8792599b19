"""The sandboxes' speed, changed while they run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from syncd.clock import ScaledClock
from syncd.simulation.speed import SpeedFace

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def face(request: pytest.FixtureRequest) -> AsyncIterator[tuple[ScaledClock, Client]]:
    clock = ScaledClock()
    app = web.Application()
    SpeedFace(clock, shared=getattr(request, "param", False)).add_routes(app)
    async with TestClient(TestServer(app)) as client:
        yield clock, client


async def test_time_goes_on_from_where_it_is_at_the_new_speed(face: tuple[ScaledClock, Client]) -> None:
    clock, client = face
    before = clock.now()

    answer = await client.post("/_control/speed", json={"speed": 60})

    assert (answer.status, (await answer.json())["speed"]) == (200, 60.0)
    assert timedelta() <= clock.now() - before < timedelta(minutes=10)
    assert clock.real_seconds(60.0) == 1.0
    assert (await (await client.get("/_control/speed")).json())["speed"] == 60.0


@pytest.mark.parametrize("body", [{"speed": 0}, {"speed": 601}, {"speed": "fast"}, {}, {"speed": 2, "more": 1}])
async def test_what_is_no_speed_changes_nothing_and_says_what_is_one(
    face: tuple[ScaledClock, Client], body: dict[str, object]
) -> None:
    clock, client = face

    answer = await client.post("/_control/speed", json=body)

    assert answer.status == 400
    assert (await answer.json())["error"]["remedy"]
    assert clock.speed == 1.0


@pytest.mark.parametrize("face", [True], indirect=True)
async def test_a_clock_that_others_read_too_is_not_changed(face: tuple[ScaledClock, Client]) -> None:
    clock, client = face

    assert (await client.post("/_control/speed", json={"speed": 60})).status == 409
    assert clock.speed == 1.0

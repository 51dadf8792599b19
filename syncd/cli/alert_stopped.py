"""`syncd alert stopped`: tell people, without any daemon or database, that the service is not started again."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from syncd import config as settings
from syncd.alerts.compose import Voice
from syncd.alerts.message import Message, Tone, to_json
from syncd.alerts.opening import open_route, voice_of
from syncd.cli import EXIT_CONFIG
from syncd.cli.send_once import send_once
from syncd.config.told import who_is_told


async def tell_stopped(path: Path, unit: str, console: Console) -> bool:
    """Send it on every route that is not kept for some facts, else on those. Returns whether anybody was reached."""
    config = who_is_told(path)
    routes = config.alerts.routes
    if not routes:
        console.print("nobody is to be told: there is no [[alerts.route]] that can be used", style="yellow")
        return False
    for chosen in ([each for each in routes if not each.facts], [each for each in routes if each.facts]):
        if await _tell(chosen, config, unit, console):
            return True
    return False


async def _tell(routes: Sequence[settings.Route], config: settings.Config, unit: str, console: Console) -> bool:
    reached = await asyncio.gather(*(_send(each, config, unit, console) for each in routes))
    return any(reached)


async def _send(route: settings.Route, config: settings.Config, unit: str, console: Console) -> bool:
    body = to_json(stopped_message(voice_of(route, config), unit))
    return await send_once(route.name, partial(open_route, route), body, "stopped", console)


def stopped_message(voice: Voice, unit: str) -> Message:
    """What happened, what it means and what to do. The service manager tells how it ended, from version 251 on."""
    texts = voice.texts
    by_configuration = os.environ.get("MONITOR_EXIT_STATUS") == str(EXIT_CONFIG)
    what = texts.say("stopped.configuration" if by_configuration else "stopped.what", unit=unit)
    return Message(
        Tone.CRITICAL,
        texts.say("stopped.title", host=platform.node()),
        (what, texts.say("stopped.impact")),
        closing=(texts.say("stopped.do", unit=unit),),
    )

"""One message on one way to people, sent at once by a command, which says what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.markup import escape

from syncd.alerts.opening import RouteRefused
from syncd.alerts.senders.sender import Sender, SendFailed
from syncd.chance import SystemRng
from syncd.secrets import SecretMissing

WITHIN_S: Final = 60.0


async def send_once(way: str, opened: Callable[[], Sender], body: str, purpose: str, console: Console) -> bool:
    """Whether it got through. `way` is its name for people; `purpose` begins the key that tells messages apart."""
    problem = answer = ""
    try:
        answer = await _send(opened(), body, f"{purpose}-{SystemRng().uuid()}")
    except (SecretMissing, RouteRefused) as err:
        problem = str(err)
    except SendFailed as err:
        problem = err.reason
    except TimeoutError:
        problem = f"no answer within {WITHIN_S:.0f} s"
    except Exception as err:  # noqa: BLE001 - told by its type, as the daemon does: its text may quote a secret
        problem = f"sending failed ({type(err).__name__})"
    mark = "[red]✗[/]" if problem else "[green]✓[/]"
    console.print(f"  {mark} {escape(way)}: {escape(problem or answer)}", soft_wrap=True)
    return not problem


async def _send(sender: Sender, body: str, key: str) -> str:
    try:
        async with asyncio.timeout(WITHIN_S):
            return await sender.send(key, body)
    finally:
        await sender.close()

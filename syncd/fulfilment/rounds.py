"""Do one thing after another, so that one that fails stops no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import structlog

from adapters.contract import AdapterError, AuthExpired, RateLimited
from syncd.db.database import DatabaseClosed
from syncd.db.lease import Fenced

log = structlog.get_logger(__name__)

T = TypeVar("T")

_IN_A_ROW: Final = 3
"""Failures after which a round is given up: the other side is to blame, and no single thing."""


@dataclass
class Round:
    """What came of a round. `down`: the other side could not be worked with."""

    changed: bool = False
    down: AdapterError | None = None
    asked_to_wait: RateLimited | None = None
    failed: list[tuple[str, AdapterError]] = field(default_factory=list)  # single ones, while others worked
    mishap: Exception | None = None


async def work_off(things: Sequence[T], name: Callable[[T], str], work: Callable[[T], Awaitable[bool]]) -> Round:
    """Do the work for each thing. What we cannot book is logged and kept as `mishap`, to be raised after the rest."""
    done = Round()
    worked, in_a_row = False, 0
    for each in things:
        try:
            done.changed = await work(each) or done.changed
        except AdapterError as err:
            done.failed.append((name(each), err))
            in_a_row += 1
            if isinstance(err, RateLimited):
                done.asked_to_wait = err
            if isinstance(err, RateLimited | AuthExpired) or in_a_row >= _IN_A_ROW:
                done.down = err
                break
        except (Fenced, DatabaseClosed):
            raise
        except Exception as err:
            log.error("shipment.failed", reference=name(each), error=type(err).__name__, exc_info=err)
            done.mishap = done.mishap or err
        else:
            worked, in_a_row = True, 0
    if done.failed and not worked:
        done.down = done.failed[-1][1]
    return done

"""What goes wrong between machines, whoever answers: drawn from a seed, and ended by calm."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from adapters.contract import Rng


class Mishap(StrEnum):
    """What may happen to one request on its way."""

    NO_CONNECTION = "no_connection"
    LOST_REQUEST = "lost_request"  # never arrives, and nobody says so
    LOST_REPLY = "lost_reply"  # takes effect, and the answer never arrives
    RESET = "reset"  # takes effect, and the connection breaks


@dataclass(frozen=True, slots=True)
class MishapMix:
    """Probabilities for each request of a process."""

    no_connection: float = 0.002
    lost_request: float = 0.001
    lost_reply: float = 0.001
    reset: float = 0.001


CALM = MishapMix(0.0, 0.0, 0.0, 0.0)


class Network:
    """Decides the fate of each request. The world's own errands, which belong to no process, meet nothing."""

    def __init__(self, mix: MishapMix, rng: Rng) -> None:
        self.mix = mix
        self._rng = rng

    def befalls(self, client: str | None) -> Mishap | None:
        if client is None or self.mix == CALM:
            return None
        draw = self._rng.random()
        for each in fields(self.mix):
            probability: float = getattr(self.mix, each.name)
            if draw < probability:
                return Mishap(each.name)
            draw -= probability
        return None

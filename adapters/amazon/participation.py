"""Which marketplaces of its region a seller has joined, for `syncd check`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adapters.amazon.quota import MARKETPLACE_PARTICIPATIONS
from adapters.amazon.sp_api import SpApi
from adapters.contract import AuthExpired, Rejected
from adapters.reading import shaped

_PATH = "/sellers/v1/marketplaceParticipations"


class Marketplace(msgspec.Struct, frozen=True):
    id: str


class Part(msgspec.Struct, frozen=True, rename="camel"):
    is_participating: bool
    has_suspended_listings: bool = False


class Participation(msgspec.Struct, frozen=True):
    marketplace: Marketplace
    participation: Part


class Answer(msgspec.Struct, frozen=True):
    payload: list[object] = []


async def look_at_marketplaces(api: SpApi, wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is odd about these marketplaces, and what keeps the seller from working there."""
    try:
        answer = await api.get(MARKETPLACE_PARTICIPATIONS, _PATH, {}, Answer)
    except (AuthExpired, Rejected):
        return ["without the role Selling Partner Insights Amazon does not tell which marketplaces are joined"], []
    told = [found for raw in answer.payload if (found := shaped(raw, Participation)) is not None]
    joined = {each.marketplace.id: each.participation for each in told if each.participation.is_participating}
    known = ", ".join(sorted(joined)) or "none"
    wrongs = [f"the seller has not joined {each}, but {known}" for each in wanted if each not in joined]
    idle = [each for each in wanted if each in joined and joined[each].has_suspended_listings]
    return [f"the listings in {each} are suspended, maybe for a holiday" for each in idle], wrongs

"""eBay's public keys, by the key id that a notification claims.

Anyone on the internet chooses that id: unknown ones are remembered, and what is asked of eBay is bounded.
"""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from adapters.contract import AdapterError, Clock, Forged, RateLimited, Rejected
from adapters.ebay.refusals import Refused
from adapters.ebay.rest import Call, EbayRest

log = structlog.get_logger(__name__)

LIFE = timedelta(hours=1)  # as getPublicKey recommends
OUTLIVES = timedelta(hours=24)  # how long a key that was good serves while it cannot be asked for anew
_ASK_AGAIN_AFTER = timedelta(minutes=1)  # when that failed
MOST_FETCHES = 10
FETCHES_WITHIN_S = 60.0
_MOST_REMEMBERED = 1000
_BEGIN, _END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"

Key = ec.EllipticCurvePublicKey


class PublicKeyReply(msgspec.Struct, frozen=True):
    key: str


@dataclass(frozen=True, slots=True)
class Known:
    """A key that eBay has given."""

    key: Key
    dies_at: datetime
    ask_again_at: datetime


class PublicKeys:
    """Made-up ids neither wait in line with known ones, nor spend what these need, nor push them out."""

    def __init__(self, rest: EbayRest, clock: Clock) -> None:
        self._rest = rest
        self._clock = clock
        self._known: dict[str, Known] = {}
        self._unknown: OrderedDict[str, datetime] = OrderedDict()  # oldest first; when eBay said that it has none
        self._renewing = asyncio.Lock()
        self._looking_up = asyncio.Lock()
        self._fetches: deque[datetime] = deque(maxlen=MOST_FETCHES)  # of ids not known

    async def get(self, key_id: str) -> Key:
        """The key. Raises Forged when eBay has none of that id, AdapterError when it cannot be had just now."""
        if key_id not in self._known:
            return await self._looked_up(key_id)
        if (key := self._fresh(key_id)) is not None:
            return key
        async with self._renewing:
            return self._fresh(key_id) or await self._renewed(key_id)

    def _fresh(self, key_id: str) -> Key | None:
        known = self._known.get(key_id)
        return known.key if known is not None and self._clock.now() < known.ask_again_at else None

    async def _renewed(self, key_id: str) -> Key:
        """A new copy of a known key. While eBay does not say that it is gone, the old one serves."""
        known = self._known.get(key_id)
        try:
            return self._noted(key_id, await self._fetch(key_id))
        except AdapterError as err:
            now = self._clock.now()
            if isinstance(err, Refused) and err.status == 404:
                raise self._without(key_id) from err
            if known is None or now >= known.dies_at:
                raise
            log.warning("ebay.public_key_not_renewed", error=type(err).__name__)
            self._known[key_id] = replace(known, ask_again_at=now + _ASK_AGAIN_AFTER)
            return known.key

    async def _looked_up(self, key_id: str) -> Key:
        """An id that has no good key so far. Anyone may have made it up."""
        async with self._looking_up:
            if (key := self._fresh(key_id)) is not None:
                return key
            denied_at = self._unknown.get(key_id)
            if denied_at is not None and self._clock.now() - denied_at < LIFE:
                raise Forged("signed with an unknown key")
            self._count_fetch()
            try:
                return self._noted(key_id, await self._fetch(key_id))
            except Rejected as err:
                raise self._without(key_id) from err

    def _noted(self, key_id: str, key: Key) -> Key:
        now = self._clock.now()
        self._unknown.pop(key_id, None)
        self._known[key_id] = Known(key, now + LIFE + OUTLIVES, now + LIFE)
        return key

    def _without(self, key_id: str) -> Forged:
        """Remember that there is no such key."""
        self._known.pop(key_id, None)
        self._unknown.pop(key_id, None)
        while len(self._unknown) >= _MOST_REMEMBERED:
            self._unknown.popitem(last=False)
        self._unknown[key_id] = self._clock.now()
        return Forged("signed with an unknown key")

    def _count_fetch(self) -> None:
        now = self._clock.now()
        if len(self._fetches) == MOST_FETCHES:
            wait_s = FETCHES_WITHIN_S - (now - self._fetches[0]).total_seconds()
            if wait_s > 0:
                raise RateLimited("too many different key ids: eBay is not asked for more just now", wait_s)
        self._fetches.append(now)

    async def _fetch(self, key_id: str) -> Key:
        """Raises Rejected for what is no key."""
        path = f"/commerce/notification/v1/public_key/{quote(key_id, safe='')}"
        reply = (await self._rest.once(Call("GET", path, as_app=True))).decode(PublicKeyReply)
        try:
            return read_key(reply.key)
        except (ValueError, UnsupportedAlgorithm) as err:
            log.error("ebay.public_key_unreadable", error=type(err).__name__)
            raise Rejected("key", "not a P-256 key") from err


def read_key(pem: str) -> Key:
    """A P-256 key from a PEM that may stand on one line. Raises ValueError."""
    der = base64.b64decode("".join(pem.replace(_BEGIN, "").replace(_END, "").split()), validate=True)
    key = load_der_public_key(der)
    if not isinstance(key, Key) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a P-256 key")
    return key

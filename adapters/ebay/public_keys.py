"""eBay's public keys, by the key id that a notification claims.

Anyone on the internet chooses that id: unknown ones are remembered, and what is asked of eBay is bounded.
"""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from adapters.contract import Clock, Forged, RateLimited
from adapters.ebay.refusals import Refused
from adapters.ebay.rest import Call, EbayRest

log = structlog.get_logger(__name__)

LIFE = timedelta(hours=1)  # as getPublicKey recommends
MOST_FETCHES = 10
FETCHES_WITHIN_S = 60.0
_MOST_REMEMBERED = 1000
_BEGIN, _END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"

Key = ec.EllipticCurvePublicKey


class PublicKeyReply(msgspec.Struct, frozen=True):
    key: str


class PublicKeys:
    def __init__(self, rest: EbayRest, clock: Clock) -> None:
        self._rest = rest
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._known: OrderedDict[str, tuple[Key | None, datetime]] = OrderedDict()  # oldest first; None: no such key
        self._fetches: deque[datetime] = deque(maxlen=MOST_FETCHES)

    async def get(self, key_id: str) -> Key:
        """The key. Raises Forged when eBay has none of that id, AdapterError when it cannot be had just now."""
        found = self._remembered(key_id)
        if found is None:
            async with self._one_at_a_time:
                found = self._remembered(key_id)
                if found is None:
                    self._count_fetch()
                    found = (await self._fetch(key_id), self._clock.now())
                    self._remember(key_id, found)
        key, _ = found
        if key is None:
            raise Forged("signed with an unknown key")
        return key

    def _remembered(self, key_id: str) -> tuple[Key | None, datetime] | None:
        found = self._known.get(key_id)
        return found if found is not None and self._clock.now() - found[1] < LIFE else None

    def _count_fetch(self) -> None:
        now = self._clock.now()
        if len(self._fetches) == MOST_FETCHES:
            wait_s = FETCHES_WITHIN_S - (now - self._fetches[0]).total_seconds()
            if wait_s > 0:
                raise RateLimited("too many different key ids: eBay is not asked for more just now", wait_s)
        self._fetches.append(now)

    async def _fetch(self, key_id: str) -> Key | None:
        path = f"/commerce/notification/v1/public_key/{quote(key_id, safe='')}"
        try:
            reply = (await self._rest.once(Call("GET", path, as_app=True))).decode(PublicKeyReply)
        except Refused:
            return None
        try:
            return read_key(reply.key)
        except (ValueError, UnsupportedAlgorithm) as err:
            log.error("ebay.public_key_unreadable", error=type(err).__name__)
            return None

    def _remember(self, key_id: str, found: tuple[Key | None, datetime]) -> None:
        self._known.pop(key_id, None)
        while len(self._known) >= _MOST_REMEMBERED:
            self._known.popitem(last=False)
        self._known[key_id] = found


def read_key(pem: str) -> Key:
    """A P-256 key from a PEM that may stand on one line. Raises ValueError."""
    der = base64.b64decode("".join(pem.replace(_BEGIN, "").replace(_END, "").split()), validate=True)
    key = load_der_public_key(der)
    if not isinstance(key, Key) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a P-256 key")
    return key

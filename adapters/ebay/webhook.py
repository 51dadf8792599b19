"""Notifications: raw bytes and headers -> verified event -> what it means. Pure, given the public key.

ORDER_CONFIRMATION comes once a line, may come again, and names no SKU and no state: it is a hint to fetch the order.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.contract import Forged, Ignored, Malformed, News, OrderHint, OrderNews, Problem, RawEvent, Rejected
from adapters.ebay.order_state import order_state
from adapters.ebay.wire import Wire
from adapters.events import POLL_TOPIC, understood
from adapters.reading import Unreadable, text

ORDER_CONFIRMATION = "ORDER_CONFIRMATION"
ACCOUNT_DELETION = "MARKETPLACE_ACCOUNT_DELETION"
_KEY_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_NOTIFICATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,200}")
_TOPIC = re.compile(r"[A-Z0-9_]{1,80}")


@dataclass(frozen=True, slots=True)
class Claim:
    """Who says to have signed, and the DER signature. Nothing of it is verified."""

    key_id: str
    signature: bytes


class SignatureHeader(msgspec.Struct, frozen=True):
    kid: str
    signature: str
    alg: str = "ecdsa"
    digest: str = "SHA1"


def claim(headers: Mapping[str, str]) -> Claim:
    """What X-EBAY-SIGNATURE claims. Raises Forged."""
    value = next((value for name, value in headers.items() if name.lower() == "x-ebay-signature"), None)
    if value is None:
        raise Forged("no signature")
    try:
        header = msgspec.json.decode(base64.b64decode(value, validate=True), type=SignatureHeader)
        signature = base64.b64decode(header.signature, validate=True)
    except (ValueError, RecursionError, binascii.Error) as err:
        raise Forged("an unreadable signature") from err
    if header.alg.lower() != "ecdsa" or header.digest.upper() != "SHA1" or not _KEY_ID.fullmatch(header.kid):
        raise Forged("a signature of another kind")
    return Claim(header.kid, signature)


def verified(key: ec.EllipticCurvePublicKey, claimed: Claim, body: bytes) -> RawEvent:
    """The event, if the key signed these very bytes. Raises Forged, and Rejected where SHA-1 is switched off."""
    try:
        key.verify(claimed.signature, body, ec.ECDSA(hashes.SHA1()))  # noqa: S303 - eBay signs so
    except InvalidSignature as err:
        raise Forged("the signature does not verify") from err
    except UnsupportedAlgorithm as err:
        raise Rejected("signature", "this machine's OpenSSL has SHA-1 switched off, and eBay signs with it") from err
    return _event(body)


class Metadata(Wire, frozen=True):
    topic: object = None


class Identified(Wire, frozen=True):
    notification_id: object = None


class Envelope(Wire, frozen=True):
    metadata: Metadata = Metadata()
    notification: Identified = Identified()


def _event(body: bytes) -> RawEvent:
    try:
        envelope = msgspec.json.decode(body, type=Envelope)
    except (ValueError, RecursionError):
        envelope = Envelope()
    topic, notification = text(envelope.metadata.topic) or "", text(envelope.notification.notification_id) or ""
    if not _NOTIFICATION_ID.fullmatch(notification):
        notification = hashlib.sha256(body).hexdigest()
    return RawEvent(f"notification:{notification}", topic if _TOPIC.fullmatch(topic) else "", body)


# --- what they mean ----------------------------------------------------------------------------------------------


class ConfirmedOrder(Wire, frozen=True):
    order_id: str


class ConfirmationData(Wire, frozen=True):
    order: ConfirmedOrder


class ConfirmationNotice(Wire, frozen=True):
    data: ConfirmationData


class Confirmation(Wire, frozen=True):
    notification: ConfirmationNotice


def resolve(event: RawEvent) -> News:
    """What an inbox event means. Total: what cannot be read is Malformed."""
    if not event.topic:
        return Malformed(Problem("metadata.topic", "missing or unreadable"))
    reader = _READERS.get(event.topic)
    if reader is None:
        return Ignored(f"topic {event.topic}")
    return understood(reader, event.body)


def _confirmed(body: bytes) -> News:
    order_id = text(msgspec.json.decode(body, type=Confirmation).notification.data.order.order_id)
    if order_id is None:
        raise Unreadable("notification.data.order.orderId", "empty")
    return OrderHint(order_id)


def _polled(body: bytes) -> News:
    return OrderNews(order_state(body))


def _deleted(body: bytes) -> News:
    return Ignored("nothing is kept under an eBay user's name")


_READERS: Mapping[str, Callable[[bytes], News]] = {
    POLL_TOPIC: _polled,
    ORDER_CONFIRMATION: _confirmed,
    ACCOUNT_DELETION: _deleted,
}


# --- the address -------------------------------------------------------------------------------------------------


def answer_challenge(query: Mapping[str, str], address: str, verification_token: str | None) -> bytes | None:
    """The proof that `address`, exactly as registered, is ours; None when nothing is asked or there is no token."""
    code = query.get("challenge_code")
    if not code or verification_token is None:
        return None
    proof = hashlib.sha256(f"{code}{verification_token}{address}".encode("utf-8", "replace")).hexdigest()
    return msgspec.json.encode({"challengeResponse": proof})

"""Webhooks by the Standard Webhooks scheme: raw bytes and headers -> topic, if rightly signed. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime

from adapters.contract import Forged
from adapters.shipbob.settings import signing_key

TOLERANCE_S = 300.0
_INSTANT = re.compile(r"[0-9]{1,12}")  # Unix seconds
_TOPIC = re.compile(r"[a-z_.]{1,60}")


def verify(headers: Mapping[str, str], body: bytes, secret: str | None, now: datetime) -> str:
    """The topic of a delivery that our secret signed within the last minutes. Raises Forged."""
    if secret is None:
        raise Forged("no webhook secret is set, so nothing can be verified")
    lowered = {name.lower(): value for name, value in headers.items()}
    message_id, sent_at = lowered.get("webhook-id", ""), lowered.get("webhook-timestamp", "")
    signed = b".".join([message_id.encode("utf-8", "replace"), sent_at.encode("utf-8", "replace"), body])
    expected = base64.b64encode(hmac.new(signing_key(secret), signed, hashlib.sha256).digest())
    claimed = [part.partition(",") for part in lowered.get("webhook-signature", "").split()]
    ours = [value.encode("utf-8", "replace") for scheme, _, value in claimed if scheme == "v1"]
    matches = [hmac.compare_digest(expected, value) for value in ours]
    if not message_id or not any(matches):
        raise Forged("the signature does not verify")
    if not _INSTANT.fullmatch(sent_at) or abs(int(sent_at) - now.timestamp()) > TOLERANCE_S:
        raise Forged("the timestamp is too far from now")
    topic = lowered.get("x-webhook-topic", "")  # not signed: good for a hint, no more
    return topic if _TOPIC.fullmatch(topic) else ""

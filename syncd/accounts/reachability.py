"""Whether vendors reach us: what an answer from our public address means. Pure."""

from __future__ import annotations

import msgspec

from adapters.probe import Seen
from syncd.accounts.findings import Finding, odd, right, wrong

SUBJECT = "webhooks"
_PATH = "the proxy must hand /webhooks/ over to syncd as it came, by POST and GET"


def judge(url: str, seen: Seen) -> Finding:
    """What was seen at PUBLIC_URL/webhooks/KEY by GET: our server refuses that by 405, and nobody else does so."""
    if seen.status is None:
        return wrong(
            SUBJECT,
            f"{url} cannot be reached: {seen.problem}",
            "check public_url, the DNS, the certificate and the firewall; until then orders come by polling",
        )
    error = _error(seen.body)
    if seen.status == 405 and error == "method not allowed":
        return right(SUBJECT, f"{url} reaches this syncd")
    if seen.status == 404 and error == "no account has this key":
        return wrong(
            SUBJECT,
            f"{url} reaches a syncd that does not know this account",
            "it runs with another configuration, or must be restarted to know this one",
        )
    if seen.status in (301, 302, 303, 307, 308):
        where = f" to {seen.location}" if seen.location else ""
        return wrong(SUBJECT, f"{url} is redirected{where}", "vendors follow no redirect: write the last address")
    if seen.status in (401, 403):
        return wrong(SUBJECT, f"{url} asks for a login ({seen.status})", "let /webhooks/ through without one")
    if seen.status in (502, 503, 504):
        return wrong(SUBJECT, f"a proxy answers at {url}, and reaches nothing behind it ({seen.status})", _PATH)
    return wrong(SUBJECT, f"something else answers at {url} ({seen.status})", _PATH)


def not_running() -> Finding:
    return odd(
        SUBJECT,
        "whether public_url leads here cannot be told while syncd does not run",
        "start `syncd run`, then check again",
    )


def _error(body: bytes) -> str | None:
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    found = told.get("error") if isinstance(told, dict) else None
    return found if isinstance(found, str) else None

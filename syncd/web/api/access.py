"""Who may read: whoever holds the token; where none is configured, only who asks from this very machine."""

from __future__ import annotations

import hmac
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import Final

from aiohttp import web

from syncd.web.api.problems import Problem

# A proxy on this machine is a loopback peer for everybody behind it; it tells so by one of these.
_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
_REMEDY: Final = (
    "Make a token up (openssl rand -hex 32), hand it over as a secret, name it in the configuration as"
    ' api_token_secret = "SYNCD_API_TOKEN" under [http], and restart syncd'
)


def admit(request: web.Request, token: str | None) -> None:
    """Raise a Problem unless this request may read."""
    if token is None:
        if not _from_here(request):
            raise Problem(403, "no API token is configured, so only this machine itself may ask", _REMEDY)
        return
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not _same(given.strip(), token):
        raise Problem(
            401,
            "the bearer token is missing or wrong",
            "Send the header Authorization: Bearer TOKEN, with the value of the secret that api_token_secret names",
            headers={"WWW-Authenticate": 'Bearer realm="syncd"'},
        )


def _same(given: str, token: str) -> bool:
    """Compare in a time that tells neither the token's length nor how much of it is right."""
    digests = (sha256(each.encode("utf-8", "surrogateescape")).digest() for each in (given, token))
    return hmac.compare_digest(*digests)


def _from_here(request: web.Request) -> bool:
    """Whether a program of this machine asks: no proxy's guest, and no web page that renamed this address."""
    forwarded = any(name in request.headers for name in _FORWARDED)
    return not forwarded and _is_loopback(request.remote or "") and _is_this_machine(request.host)


def _is_this_machine(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdecimal() else host
    return name.lower() == "localhost" or _is_loopback(name.strip("[]"))


def _is_loopback(address: str) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return (mapped or ip).is_loopback
